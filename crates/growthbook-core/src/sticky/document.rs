//! Sticky bucket documents, one for each value of a hash attribute.

use alloc::{boxed::Box, collections::BTreeMap, string::ToString};
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
        let assignments = assignments.into_iter().flat_map(Object::iter);
        let mut document = StickyBucketDocument {
            attribute_name: attribute_name.into(),
            attribute_value,
            assignments: BTreeMap::new(),
        };
        // Collecting would sort, which takes more code than inserting.
        document.assignments.extend(
            assignments
                .filter_map(|(key, variation)| Some((key.into(), variation.as_str()?.into()))),
        );
        Ok(document)
    }
}

/// Calls `read` with a hash value's text. Returns `None` when the value is missing.
pub(super) fn with_text<R>(value: HashValue<'_>, read: impl FnOnce(&str) -> R) -> Option<R> {
    match value {
        HashValue::Missing => None,
        HashValue::String(text) => Some(read(text)),
        HashValue::Number(number) => Some(js_number_string(number.as_f64(), read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
