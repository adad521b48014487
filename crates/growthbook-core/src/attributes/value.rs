//! The owned value of an attribute.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Node;
use crate::json::{Json, Number, Text};
use crate::limits::MAX_JSON_DEPTH;

/// The value of one user attribute: any JSON value.
///
/// `Into` makes it from Rust values and from a [`serde_json::Value`]; `Deserialize` reads it from
/// JSON text. GrowthBook compares objects with the order of their members. An object that was read
/// from text keeps its order. An object from a [`serde_json::Value`] is compared by its members
/// only.
///
/// Arrays and objects nested deeper than 128 levels become null, and so does a number that is not
/// finite.
///
/// `Debug` prints the type, never the value.
#[derive(Clone)]
pub struct AttributeValue(Json<'static>);

impl AttributeValue {
    #[inline(always)]
    pub(crate) fn node(&self) -> Node<'_> {
        Node::from(&self.0)
    }

    pub(crate) fn json(&self) -> &Json<'static> {
        &self.0
    }

    /// Returns the value as JSON.
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

impl From<Json<'static>> for AttributeValue {
    fn from(json: Json<'static>) -> Self {
        AttributeValue(json)
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        AttributeValue(Json::String(Text::own(text)))
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        AttributeValue(Json::String(text.into()))
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
        // Each item was cut when it was made, so the list is at most one level too deep.
        let list = Json::Array(items.into_iter().map(|item| item.into().0).collect());
        AttributeValue(list.cut(MAX_JSON_DEPTH))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_that_is_not_finite_becomes_null() {
        assert!(AttributeValue::from(f64::NAN).to_json().is_null());
        assert!(AttributeValue::from(f64::INFINITY).to_json().is_null());
    }
}
