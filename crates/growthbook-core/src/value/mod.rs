//! The value of a feature or variation.

mod reader;

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use once_cell::race::OnceBox;
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
    /// An array or an object.
    Container(Arc<Container>),
}

/// An array or an object, with the order of members, and as the value for callers.
///
/// The value for callers is made when it is first used. It can take 20 times the memory of its
/// text, and most values of a payload are never used.
pub(crate) struct Container {
    ordered: Json<'static>,
    value: OnceBox<Value>,
}

/// Reads a value as the caller's type.
pub(crate) fn read<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, serde_json::Error> {
    T::deserialize(ValueReader(value))
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
            FeatureValue::Container(container) => container.value(),
        }
    }

    /// Returns a member of an object.
    pub(crate) fn member(&self, name: &str) -> Option<&Json<'static>> {
        match self {
            FeatureValue::Container(container) => container.ordered.as_object()?.get(name),
            _ => None,
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
        read(self.value())
    }

    /// Returns the value as the caller's type; the fallback if the value is null or of another
    /// type.
    pub(crate) fn value_or<'a, T: Deserialize<'a>>(&'a self, fallback: T) -> T {
        match self.value() {
            Value::Null => fallback,
            value => read(value).unwrap_or(fallback),
        }
    }

    #[inline]
    pub(crate) fn node(&self) -> Node<'_> {
        match self {
            FeatureValue::Container(container) => Node::from(&container.ordered),
            _ => Node::from_scalar(self.value()).unwrap_or(Node::Null),
        }
    }
}

impl Container {
    #[inline(never)]
    fn value(&self) -> &Value {
        self.value.get_or_init(|| Box::new(self.ordered.to_value()))
    }
}

impl From<&Json<'_>> for FeatureValue {
    fn from(json: &Json<'_>) -> Self {
        match json {
            Json::Null => FeatureValue::NULL.clone(),
            Json::Bool(value) => FeatureValue::Static(FeatureValue::bool(*value)),
            Json::Number(_) | Json::String(_) => FeatureValue::Scalar(Box::new(json.to_value())),
            Json::Array(_) | Json::Object(_) => FeatureValue::Container(Arc::new(Container {
                ordered: json.clone().into_owned(),
                value: OnceBox::new(),
            })),
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
                FeatureValue::Container(Arc::new(Container { ordered, value: OnceBox::new() }))
            }
        }
    }
}

impl fmt::Debug for FeatureValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(formatter)
    }
}
