//! What is known about a user: the attributes targeting and hashing look at.

use alloc::{
    borrow::{Cow, ToOwned},
    boxed::Box,
    string::String,
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::json::{Json, MAX_DEPTH, Node, Number};
use crate::name::{Name, Tag};

/// The value of one user attribute: any JSON value.
///
/// Made from Rust values with `Into`, from JSON text with `Deserialize`, and from a
/// [`serde_json::Value`]. Object members keep the order of the text they were read from, since
/// GrowthBook compares objects with their order; those of a [`serde_json::Value`] have none and
/// compare by their members alone. Arrays and objects nested deeper than 128 levels are cut to
/// null; a number that is not finite becomes null.
///
/// `Debug` prints the type, never the value.
#[derive(Clone)]
pub struct AttributeValue(Json<'static>);

impl AttributeValue {
    #[inline]
    pub(crate) fn node(&self) -> Node<'_> {
        Node::from(&self.0)
    }

    pub(crate) fn json(&self) -> &Json<'static> {
        &self.0
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        self.0.to_value()
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AttributeValue({:?})", self.node().kind())
    }
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(|json| AttributeValue(json.into_owned()))
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        AttributeValue(Json::String(Cow::Owned(text.to_owned())))
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        AttributeValue(Json::String(Cow::Owned(text)))
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        AttributeValue(Json::Bool(value))
    }
}

impl From<f64> for AttributeValue {
    fn from(value: f64) -> Self {
        AttributeValue(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }
}

impl From<f32> for AttributeValue {
    fn from(value: f32) -> Self {
        f64::from(value).into()
    }
}

macro_rules! from_integers {
    ($wide:ty: $($narrow:ty),+) => {$(
        impl From<$narrow> for AttributeValue {
            fn from(value: $narrow) -> Self {
                AttributeValue(Json::Number(<$wide>::from(value).into()))
            }
        }
    )+};
}
from_integers!(i64: i8, i16, i32, i64);
from_integers!(u64: u8, u16, u32, u64);

impl From<usize> for AttributeValue {
    fn from(value: usize) -> Self {
        // No platform has a usize wider than 64 bits.
        (value as u64).into()
    }
}

impl<T: Into<AttributeValue>> From<Option<T>> for AttributeValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(AttributeValue(Json::Null), Into::into)
    }
}

impl<T: Into<AttributeValue>> From<Vec<T>> for AttributeValue {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<AttributeValue>, const N: usize> From<[T; N]> for AttributeValue {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<AttributeValue>> FromIterator<T> for AttributeValue {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        // The items were cut when they were made: together they are one level too deep at most.
        let list = Json::Array(items.into_iter().map(|item| item.into().0).collect());
        AttributeValue(list.cut(MAX_DEPTH))
    }
}

impl From<Value> for AttributeValue {
    fn from(value: Value) -> Self {
        (&value).into()
    }
}

impl From<&Value> for AttributeValue {
    fn from(value: &Value) -> Self {
        AttributeValue(value.into())
    }
}

/// A set of attributes by name.
#[derive(Clone, Default)]
pub struct Attributes {
    /// Sorted by name.
    entries: Vec<(Name, AttributeValue)>,
}

impl Attributes {
    /// No attributes.
    pub const fn new() -> Self {
        Attributes { entries: Vec::new() }
    }

    /// Reads attributes from the text of a JSON object.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Sets an attribute, replacing an earlier one of the same name.
    pub fn insert(&mut self, name: impl Into<Box<str>>, value: impl Into<AttributeValue>) {
        let (name, value) = (name.into(), value.into());
        match self.position(&name) {
            Ok(index) => {
                if let Some(entry) = self.entries.get_mut(index) {
                    entry.1 = value;
                }
            }
            Err(index) => self.entries.insert(index, (name.into(), value)),
        }
    }

    /// Removes an attribute and returns it.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.position(name).ok().map(|index| self.entries.remove(index).1)
    }

    /// The attribute of this name.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        /// Up to so many, comparing their tags one by one beats comparing texts by halves.
        const FEW: usize = 24;
        if self.entries.len() > FEW {
            let index = self.position(name).ok()?;
            return self.entries.get(index).map(|(_, value)| value);
        }
        let tag = Tag::new(name);
        self.entries.iter().find(|(candidate, _)| candidate.is(tag, name)).map(|(_, value)| value)
    }

    /// Every attribute, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.entries.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(candidate, _)| (**candidate).cmp(name))
    }
}

/// Names and types, never values.
impl fmt::Debug for Attributes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<N: Into<Box<str>>, V: Into<AttributeValue>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut attributes = Attributes::new();
        attributes.extend(entries);
        attributes
    }
}

impl<N: Into<Box<str>>, V: Into<AttributeValue>> Extend<(N, V)> for Attributes {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, entries: I) {
        let entries = entries.into_iter().map(|(name, value)| (name.into().into(), value.into()));
        self.entries.extend(entries);
        // Stable, so that of equal names the last stands last; it is the one that stays.
        self.entries.sort_by(|(a, _), (b, _)| (**a).cmp(b));
        self.entries.dedup_by(|later, earlier| {
            let same = *later.0 == *earlier.0;
            if same {
                core::mem::swap(&mut later.1, &mut earlier.1);
            }
            same
        });
    }
}

/// The members of an object; anything else holds no attributes.
impl From<Value> for Attributes {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(map) => map.into(),
            _ => Attributes::new(),
        }
    }
}

impl From<serde_json::Map<String, Value>> for Attributes {
    fn from(map: serde_json::Map<String, Value>) -> Self {
        map.into_iter().collect()
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
                .map(|(name, value)| (name, AttributeValue(value.into_owned())))
                .collect()),
            _ => Err(de::Error::custom("attributes must be a JSON object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn the_last_value_of_a_name_counts() {
        let attributes: Attributes = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(attributes.len(), 2);
        assert_eq!(attributes.get("b").unwrap().to_json(), 3);
        assert!(attributes.get("c").is_none());
    }

    #[test]
    fn debug_output_keeps_values_to_itself() {
        let attributes: Attributes = [("email", "someone@example.com")].into_iter().collect();
        let text = format!("{attributes:?}");
        assert!(text.contains("email") && !text.contains("someone"), "{text}");
    }

    #[test]
    fn what_is_not_finite_is_null() {
        assert!(AttributeValue::from(f64::NAN).to_json().is_null());
        assert!(AttributeValue::from(f64::INFINITY).to_json().is_null());
    }
}
