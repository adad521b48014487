//! A set of attributes by name.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use smol_str::SmolStr;

use super::AttributeValue;
use super::name::OwnName;
use crate::json::Json;
use crate::sorting::sort_by;
use crate::tag::{Name, Tag};

/// A set of attributes by name.
#[derive(Clone, Default)]
pub struct Attributes {
    /// In the order in which they were added. Empty when there are more than [`FEW`] attributes.
    entries: Vec<Entry>,
    /// All attributes, when there are or were more than [`FEW`].
    many: Option<Box<Many>>,
}

#[derive(Clone)]
struct Entry {
    name: OwnName,
    value: AttributeValue,
}

type Many = BTreeMap<SmolStr, AttributeValue>;

/// The number of attributes that the first one makes room for.
const USUAL: usize = 8;
const NOT_AN_OBJECT: &str = "attributes must be a JSON object";
/// Up to this many attributes, comparing tags one by one is faster than a tree.
const FEW: usize = 64;

impl Attributes {
    /// Makes an empty set.
    pub const fn new() -> Self {
        Attributes { entries: Vec::new(), many: None }
    }

    /// Reads attributes from the text of a JSON object.
    ///
    /// # Errors
    ///
    /// The text is not a JSON object.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Makes attributes of the fields of a struct, or of the members of a map.
    ///
    /// ```
    /// use growthbook_core::{Attributes, UserContext};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Session<'r> { id: &'r str, country: &'r str, tags: Vec<&'r str> }
    ///
    /// let session = Session { id: "user-1", country: "US", tags: vec!["beta"] };
    /// let user = UserContext::from(Attributes::from_serialize(&session)?);
    /// # assert_eq!(user.attributes().get("tags").unwrap().to_json(), serde_json::json!(["beta"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value is not an object in JSON.
    pub fn from_serialize(value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        match serde_json::to_value(value)? {
            Value::Object(members) => Ok(members.into()),
            _ => Err(de::Error::custom(NOT_AN_OBJECT)),
        }
    }

    /// Sets an attribute. Replaces an attribute of the same name.
    pub fn insert(&mut self, name: impl AsRef<str>, value: impl Into<AttributeValue>) {
        self.set(Name::new(name.as_ref()), value.into());
    }

    fn set(&mut self, name: Name<'_>, value: AttributeValue) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.name.is(name)) {
            entry.value = value;
        } else if self.entries.len() < FEW && self.many.is_none() {
            if self.entries.capacity() == 0 {
                self.entries.reserve(USUAL);
            }
            self.entries.push(Entry { name: OwnName::new(name), value });
        } else {
            self.set_among_many(name.text, value);
        }
    }

    /// Sets an attribute in a tree. The first time, moves the entries into it.
    #[cold]
    fn set_among_many(&mut self, name: &str, value: AttributeValue) {
        let many = self.many.get_or_insert_default();
        let entries = core::mem::take(&mut self.entries).into_iter();
        many.extend(entries.map(|entry| (entry.name.into_text(), entry.value)));
        many.insert(name.into(), value);
    }

    /// Removes an attribute and returns it.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        if let Some(many) = &mut self.many {
            return many.remove(name);
        }
        let name = Name::new(name);
        let index = self.entries.iter().position(|entry| entry.name.is(name))?;
        Some(self.entries.remove(index).value)
    }

    /// Returns the attribute of this name.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.find(Name::new(name))
    }

    /// Returns the attribute of this name.
    #[inline]
    pub(crate) fn find(&self, name: Name<'_>) -> Option<&AttributeValue> {
        if name.tag.is_whole_text() { self.find_short(name.tag) } else { self.find_by_text(name) }
    }

    /// Returns the attribute whose name fits in this tag.
    #[inline]
    pub(crate) fn find_short(&self, name: Tag) -> Option<&AttributeValue> {
        match self.entries.iter().find(|entry| entry.name.tag() == name) {
            Some(entry) => Some(&entry.value),
            None => self.find_among_many(name),
        }
    }

    /// Finds an attribute in a set that is too large for tags.
    #[inline(never)]
    fn find_among_many(&self, name: Tag) -> Option<&AttributeValue> {
        let many = self.many.as_ref()?;
        name.with_text(|name| many.get(name))
    }

    /// Finds an attribute whose name does not fit in its tag, or in a set without tags.
    #[inline(never)]
    fn find_by_text(&self, name: Name<'_>) -> Option<&AttributeValue> {
        match &self.many {
            Some(many) => many.get(name.text),
            None => self.entries.iter().find(|it| it.name.is(name)).map(|it| &it.value),
        }
    }

    /// Iterates over the attributes, sorted by name. Sorting few attributes allocates once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        let few = self.entries.iter().map(|entry| (entry.name.as_str(), &entry.value));
        let mut few: Vec<(&str, &AttributeValue)> = few.collect();
        sort_by(&mut few, |(a, _), (b, _)| a.cmp(b));
        let many = self.many.iter().flat_map(|many| many.iter());
        few.into_iter().chain(many.map(|(name, value)| (&**name, value)))
    }

    /// Returns the attributes, in any order.
    pub(crate) fn into_members(self) -> impl Iterator<Item = (SmolStr, AttributeValue)> {
        let few = self.entries.into_iter().map(|entry| (entry.name.into_text(), entry.value));
        few.chain(self.many.into_iter().flat_map(|many| *many))
    }

    /// Whether there are no attributes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of attributes.
    pub fn len(&self) -> usize {
        self.entries.len() + self.many.as_ref().map_or(0, |many| many.len())
    }
}

/// Prints names and types, never values.
impl fmt::Debug for Attributes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<N: AsRef<str>, V: Into<AttributeValue>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut attributes = Attributes::new();
        attributes.extend(entries);
        attributes
    }
}

impl<N: AsRef<str>, V: Into<AttributeValue>> Extend<(N, V)> for Attributes {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, entries: I) {
        let entries = entries.into_iter();
        if self.many.is_none() {
            self.entries.reserve(entries.size_hint().0.min(FEW));
        }
        entries.for_each(|(name, value)| self.insert(name, value));
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Object(object) => Ok(object
                .into_members()
                .map(|(name, value)| (name, AttributeValue::from(value.into_owned())))
                .collect()),
            _ => Err(de::Error::custom(NOT_AN_OBJECT)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    #[test]
    fn last_value_of_a_name_counts() {
        let attributes: Attributes = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(attributes.len(), 2);
        assert_eq!(attributes.get("b").unwrap().to_json(), 3);
        assert!(attributes.get("c").is_none());
    }

    #[test]
    fn names_are_found_in_small_and_large_sets() {
        for count in [FEW - 1, FEW, FEW + 1, 1_000] {
            let attributes: Attributes =
                (0..count).map(|number| (format!("{number:05}"), number)).collect();
            for number in [0, count / 2, count - 1] {
                let name = format!("{number:05}");
                for found in [attributes.find_short(Tag::new(&name)), attributes.get(&name)] {
                    assert_eq!(found.unwrap().to_json(), number, "of {count}");
                }
            }
            assert!(attributes.find_short(Tag::new("none")).is_none());
        }
    }

    #[test]
    fn names_are_found_while_the_set_grows_and_shrinks() {
        let mut attributes = Attributes::new();
        let names: Vec<String> = (0..FEW + 2).rev().map(|number| format!("{number:02}")).collect();
        let is_found = |attributes: &Attributes, name: &str| {
            attributes.find_short(Tag::new(name)).is_some() && attributes.get(name).is_some()
        };
        for (count, name) in (1..).zip(&names) {
            attributes.insert(name, true);
            assert!(names.iter().take(count).all(|name| is_found(&attributes, name)), "{count}");
        }
        for (count, name) in (1..).zip(&names) {
            attributes.remove(name);
            assert!(!is_found(&attributes, name));
            assert!(names.iter().skip(count).all(|name| is_found(&attributes, name)), "{count}");
        }
    }

    #[test]
    fn debug_output_has_no_values() {
        let attributes: Attributes = [("email", "someone@example.com")].into_iter().collect();
        let text = format!("{attributes:?}");
        assert!(text.contains("email") && !text.contains("someone"), "{text}");
    }
}
