//! The value of a feature or variation.

mod reader;

use alloc::boxed::Box;
use core::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::attributes::Node;
use crate::json::Json;
use reader::ValueReader;

/// A value in the form that callers get, and in the form that conditions on prerequisites read.
/// Most values are true or false. They do not allocate.
#[derive(Clone)]
pub(crate) enum FeatureValue {
    /// Null, true or false.
    Static(&'static Value),
    /// A number or a string.
    Scalar(Box<Value>),
    /// An array or an object: the value for callers, and the same value with the order of members.
    Container(Box<(Value, Json<'static>)>),
}

impl FeatureValue {
    pub(crate) const NULL: &'static Self = &FeatureValue::Static(&Value::Null);

    fn bool(value: bool) -> &'static Value {
        if value { &Value::Bool(true) } else { &Value::Bool(false) }
    }

    /// Whether the value is null, true or false.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(self, FeatureValue::Static(_))
    }

    #[inline]
    pub(crate) fn value(&self) -> &Value {
        match self {
            FeatureValue::Static(value) => value,
            FeatureValue::Scalar(value) => value,
            FeatureValue::Container(value) => &value.0,
        }
    }

    /// Whether JavaScript treats the value as true.
    #[inline]
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            FeatureValue::Static(Value::Bool(value)) => *value,
            _ => self.node().is_truthy(),
        }
    }

    #[inline]
    pub(crate) fn is_bool(&self, expected: bool) -> bool {
        matches!(self, FeatureValue::Static(Value::Bool(value)) if *value == expected)
    }

    /// Reads the value as the caller's type.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        T::deserialize(ValueReader(self.value()))
    }

    /// Returns the value as the caller's type; the fallback if the value is null or of another
    /// type.
    pub(crate) fn value_or<'a, T: Deserialize<'a>>(&'a self, fallback: T) -> T {
        if self.value().is_null() { fallback } else { self.read().unwrap_or(fallback) }
    }

    #[inline]
    pub(crate) fn node(&self) -> Node<'_> {
        match self {
            FeatureValue::Container(value) => Node::from(&value.1),
            _ => Node::from_scalar(self.value()).unwrap_or(Node::Null),
        }
    }
}

impl From<&Json<'_>> for FeatureValue {
    fn from(json: &Json<'_>) -> Self {
        match json {
            Json::Null => FeatureValue::NULL.clone(),
            Json::Bool(value) => FeatureValue::Static(FeatureValue::bool(*value)),
            Json::Number(_) | Json::String(_) => FeatureValue::Scalar(Box::new(json.to_value())),
            Json::Array(_) | Json::Object(_) => {
                FeatureValue::Container(Box::new((json.to_value(), json.clone().into_owned())))
            }
        }
    }
}

impl From<Value> for FeatureValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => FeatureValue::NULL.clone(),
            Value::Bool(value) => FeatureValue::Static(FeatureValue::bool(value)),
            Value::Number(_) | Value::String(_) => FeatureValue::Scalar(Box::new(value)),
            Value::Array(_) | Value::Object(_) => {
                // The conversion turns values that nest too deep into null.
                let ordered = Json::from(&value);
                FeatureValue::Container(Box::new((ordered.to_value(), ordered)))
            }
        }
    }
}

impl fmt::Debug for FeatureValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(formatter)
    }
}
