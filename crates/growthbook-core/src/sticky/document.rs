//! Sticky bucket documents, one for each value of a hash attribute.

use alloc::{boxed::Box, collections::BTreeMap, string::ToString, sync::Arc, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::hash_value::HashValue;
use crate::json::{Json, Object, js_number_string};

/// The key of a document: a hash attribute and its value. `Display` gives GrowthBook's form of it,
/// `id||user-1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StickyBucketKey {
    /// The attribute, such as `id`.
    pub attribute_name: Box<str>,
    /// The attribute's value. A number is written as JavaScript's `String(number)`.
    pub attribute_value: Box<str>,
}

impl StickyBucketKey {
    /// Returns the key of a user's document; `None` when the user does not have the attribute.
    pub(crate) fn new(attribute_name: &str, value: HashValue<'_>) -> Option<Self> {
        with_text(value, |text| StickyBucketKey {
            attribute_name: attribute_name.into(),
            attribute_value: text.into(),
        })
    }
}

impl fmt::Display for StickyBucketKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}||{}", self.attribute_name, self.attribute_value)
    }
}

/// Prints the attribute, never its value.
impl fmt::Debug for StickyBucketKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StickyBucketKey({}||..)", self.attribute_name)
    }
}

/// A user's assignments by one hash attribute: GrowthBook's StickyAssignmentsDocument, with the
/// same JSON.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StickyBucketDocument {
    /// The attribute, such as `id`.
    pub attribute_name: Box<str>,
    /// The attribute's value.
    pub attribute_value: Box<str>,
    /// Variation keys by `<experiment key>__<bucket version>`.
    pub assignments: BTreeMap<Box<str>, Box<str>>,
}

impl StickyBucketDocument {
    /// Makes a document without assignments.
    pub fn new(key: StickyBucketKey) -> Self {
        StickyBucketDocument {
            attribute_name: key.attribute_name,
            attribute_value: key.attribute_value,
            assignments: BTreeMap::new(),
        }
    }

    /// Returns the document's key.
    pub fn key(&self) -> StickyBucketKey {
        StickyBucketKey {
            attribute_name: self.attribute_name.clone(),
            attribute_value: self.attribute_value.clone(),
        }
    }
}

/// Prints the attribute and the assignments, never the attribute's value.
impl fmt::Debug for StickyBucketDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StickyBucketDocument")
            .field("attribute_name", &self.attribute_name)
            .field("assignments", &self.assignments)
            .finish_non_exhaustive()
    }
}

/// Accepts a number as the attribute's value. Leaves out assignments that are not strings.
impl<'de> Deserialize<'de> for StickyBucketDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let field = |name: &str| json.as_object().and_then(|object| object.get(name));
        let invalid = || de::Error::custom("not a sticky bucket document");
        let attribute_name = field("attributeName").and_then(Json::as_str).ok_or_else(invalid)?;
        let attribute_value = match field("attributeValue") {
            Some(Json::String(text)) => (&**text).into(),
            Some(Json::Number(number)) => {
                js_number_string(number.as_f64(), |text| text.to_string().into())
            }
            _ => return Err(invalid()),
        };
        let assignments = match field("assignments") {
            None | Some(Json::Null) => None,
            Some(Json::Object(assignments)) => Some(assignments),
            Some(_) => return Err(invalid()),
        };
        Ok(StickyBucketDocument {
            attribute_name: attribute_name.into(),
            attribute_value,
            assignments: assignments
                .into_iter()
                .flat_map(Object::iter)
                .filter_map(|(key, variation)| Some((key.into(), variation.as_str()?.into())))
                .collect(),
        })
    }
}

/// The documents of one user. Evaluations change them, and the caller stores the changed ones.
#[derive(Clone, Debug, Default)]
pub struct StickyBuckets {
    documents: Vec<Arc<StickyBucketDocument>>,
    changed: Vec<StickyBucketKey>,
}

impl StickyBuckets {
    /// Makes an empty set, for a user who was never assigned.
    pub fn new() -> Self {
        StickyBuckets::default()
    }

    /// Adds a document. It replaces one with the same key.
    pub fn insert(&mut self, document: StickyBucketDocument) {
        let document = Arc::new(document);
        match self.position(&document.attribute_name, &document.attribute_value) {
            Some(index) => {
                if let Some(place) = self.documents.get_mut(index) {
                    *place = document;
                }
            }
            None => self.documents.push(document),
        }
    }

    /// Returns the document of an attribute's value.
    pub fn get(
        &self,
        attribute_name: &str,
        attribute_value: &str,
    ) -> Option<&StickyBucketDocument> {
        let index = self.position(attribute_name, attribute_value)?;
        self.documents.get(index).map(Arc::as_ref)
    }

    /// Returns every document.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &StickyBucketDocument> {
        self.documents.iter().map(Arc::as_ref)
    }

    /// Returns the documents that evaluations changed since the last call, each once. They are the
    /// documents to save.
    pub fn take_changed(&mut self) -> Vec<StickyBucketDocument> {
        let keys = core::mem::take(&mut self.changed);
        keys.iter()
            .filter_map(|key| self.get(&key.attribute_name, &key.attribute_value).cloned())
            .collect()
    }

    /// Lets [`take_changed`](StickyBuckets::take_changed) return the document of this key, as if an
    /// evaluation had changed it.
    pub fn mark_changed(&mut self, key: StickyBucketKey) {
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    fn position(&self, attribute_name: &str, attribute_value: &str) -> Option<usize> {
        self.documents.iter().position(|document| {
            *document.attribute_name == *attribute_name
                && *document.attribute_value == *attribute_value
        })
    }

    pub(crate) fn of(
        &self,
        attribute: &str,
        value: HashValue<'_>,
    ) -> Option<&StickyBucketDocument> {
        with_text(value, |text| self.get(attribute, text)).flatten()
    }

    /// Adds documents. The assignments of a document with the same key are kept, except that new
    /// ones replace old ones.
    pub fn merge(&mut self, documents: impl IntoIterator<Item = StickyBucketDocument>) {
        for document in documents {
            let existing = self.get(&document.attribute_name, &document.attribute_value).cloned();
            let mut merged = existing.unwrap_or_else(|| StickyBucketDocument::new(document.key()));
            merged.assignments.extend(document.assignments);
            self.insert(merged);
        }
    }

    /// Adds an assignment. Nothing changes when the document has it already.
    pub(crate) fn assign(&mut self, key: StickyBucketKey, experiment: &str, variation: &str) {
        let existing = self.get(&key.attribute_name, &key.attribute_value);
        let assigned = existing.and_then(|document| document.assignments.get(experiment));
        if assigned.is_some_and(|assigned| **assigned == *variation) {
            return;
        }
        let mut document =
            existing.cloned().unwrap_or_else(|| StickyBucketDocument::new(key.clone()));
        document.assignments.insert(experiment.into(), variation.into());
        self.insert(document);
        self.mark_changed(key);
    }
}

impl FromIterator<StickyBucketDocument> for StickyBuckets {
    fn from_iter<I: IntoIterator<Item = StickyBucketDocument>>(documents: I) -> Self {
        let mut buckets = StickyBuckets::new();
        for document in documents {
            buckets.insert(document);
        }
        buckets
    }
}

/// Calls `read` with a hash value's text. Returns `None` when the value is missing.
fn with_text<R>(value: HashValue<'_>, read: impl FnOnce(&str) -> R) -> Option<R> {
    match value {
        HashValue::Missing => None,
        HashValue::String(text) => Some(read(text)),
        HashValue::Number(number) => Some(js_number_string(number.as_f64(), read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> StickyBucketKey {
        StickyBucketKey { attribute_name: "id".into(), attribute_value: value.into() }
    }

    #[test]
    fn numbers_are_accepted_and_corrupt_documents_refused() {
        let text = r#"{"attributeName":"id","attributeValue":42,"assignments":{"a__0":"1","b":2}}"#;
        let document: StickyBucketDocument = serde_json::from_str(text).unwrap();
        assert_eq!(document.key().to_string(), "id||42");
        assert_eq!(document.assignments.len(), 1);
        let without_assignments = r#"{"attributeName":"id","attributeValue":"1"}"#;
        assert!(serde_json::from_str::<StickyBucketDocument>(without_assignments).is_ok());
        for text in ["{}", "[]", "null", r#"{"attributeName":1,"attributeValue":"1"}"#] {
            assert!(serde_json::from_str::<StickyBucketDocument>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_change_is_reported_once() {
        let mut buckets = StickyBuckets::new();
        buckets.assign(key("1"), "exp__0", "a");
        buckets.assign(key("1"), "other__0", "b");
        assert_eq!(buckets.take_changed().len(), 1);
        buckets.assign(key("1"), "exp__0", "a");
        assert!(buckets.take_changed().is_empty());
        assert_eq!(buckets.get("id", "1").unwrap().assignments.len(), 2);
        buckets.mark_changed(key("1"));
        buckets.mark_changed(key("2"));
        // There is no document of user 2.
        assert_eq!(buckets.take_changed().len(), 1);
    }
}
