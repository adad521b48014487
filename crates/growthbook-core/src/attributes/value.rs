//! The owned value of an attribute.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Node;
use crate::json::Json;

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

    pub(crate) fn into_json(self) -> Json<'static> {
        self.0
    }

    /// Makes a value of anything that serde can serialize, such as a struct.
    ///
    /// Objects in it compare without regard to the order of their members.
    ///
    /// # Errors
    ///
    /// When the value has no JSON form. For example, JSON has no maps whose keys are lists.
    pub fn from_serialize(value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        serde_json::to_value(value).map(Into::into)
    }

    /// Returns the value as JSON.
    pub fn to_json(&self) -> Value {
        self.0.to_value()
    }

    /// Returns the text of a string; `None` for another type.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// Returns the nearest double of a number; `None` for another type.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.as_f64()
    }

    /// Returns a boolean; `None` for another type.
    pub fn as_bool(&self) -> Option<bool> {
        match self.0 {
            Json::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self.0, Json::Null)
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
