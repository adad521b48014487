//! The value of a feature or variation.

use alloc::boxed::Box;
use core::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::json::{Json, Node, View};

/// A value handed through untouched, with what conditions on prerequisites need of it.
#[derive(Clone)]
pub(crate) struct FeatureValue {
    value: Value,
    /// Arrays and objects once more, with their order.
    ordered: Option<Box<Json<'static>>>,
}

impl FeatureValue {
    pub(crate) const NULL: &'static Self = &FeatureValue { value: Value::Null, ordered: None };

    #[inline]
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// The value as a type of the caller's; the fallback when it is null or of another type.
    pub(crate) fn value_or<'a, T: Deserialize<'a>>(&'a self, fallback: T) -> T {
        match &self.value {
            Value::Null => fallback,
            value => T::deserialize(value).unwrap_or(fallback),
        }
    }

    #[inline]
    pub(crate) fn node(&self) -> Node<'_> {
        match &self.ordered {
            Some(json) => Node::from(&**json),
            None => Node::from_scalar(&self.value).unwrap_or(Node::Null),
        }
    }
}

impl From<View<'_>> for FeatureValue {
    fn from(view: View<'_>) -> Self {
        let ordered = matches!(view, View::Array(_) | View::Object(_));
        let ordered = ordered.then(|| Box::new(view.to_json().into_owned()));
        FeatureValue { value: view.to_value(), ordered }
    }
}

impl From<Value> for FeatureValue {
    fn from(value: Value) -> Self {
        if !(value.is_array() || value.is_object()) {
            return FeatureValue { value, ordered: None };
        }
        // Cut where it nests too deep.
        let ordered = Json::from(&value);
        FeatureValue { value: ordered.to_value(), ordered: Some(Box::new(ordered)) }
    }
}

impl fmt::Debug for FeatureValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}
