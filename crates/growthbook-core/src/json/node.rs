//! One view over every JSON value evaluation meets, whoever owns it.

use serde_json::Value;

use super::{Json, Object, array_index};

/// A borrowed JSON value: an attribute, a part of one, or a feature's value.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(&'a str),
    Array(&'a [Json<'a>]),
    Object(&'a Object<'a>),
}

/// The names `$type` knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The kind a `$type` operand names; `None` for a name no JSON value ever has.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Kind::Null,
            "boolean" => Kind::Bool,
            "number" => Kind::Number,
            "string" => Kind::String,
            "array" => Kind::Array,
            "object" => Kind::Object,
            _ => return None,
        })
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

impl<'a> Node<'a> {
    pub(crate) fn to_value(self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Bool(value) => value.into(),
            Node::Number(number) => {
                // A whole number is written as one; the cast saturates, and is checked.
                let whole = number as i64;
                if whole as f64 == number { whole.into() } else { number.into() }
            }
            Node::String(text) => text.into(),
            Node::Array(items) => items.iter().map(Json::to_value).collect(),
            Node::Object(object) => Value::Object(
                object.iter().map(|(name, value)| (name.into(), value.to_value())).collect(),
            ),
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Node::Null => Kind::Null,
            Node::Bool(_) => Kind::Bool,
            Node::Number(_) => Kind::Number,
            Node::String(_) => Kind::String,
            Node::Array(_) => Kind::Array,
            Node::Object(_) => Kind::Object,
        }
    }

    /// JavaScript truthiness.
    #[inline]
    pub(crate) fn is_truthy(self) -> bool {
        match self {
            Node::Null => false,
            Node::Bool(value) => value,
            Node::Number(value) => value != 0.0,
            Node::String(text) => !text.is_empty(),
            Node::Array(_) | Node::Object(_) => true,
        }
    }

    /// The own property `key`: a member of an object, a canonical index or `length` of an array.
    /// Null when there is none; strings have none.
    pub(crate) fn property(self, key: &str) -> Node<'a> {
        match self {
            Node::Object(object) => object.get(key).map_or(Node::Null, Node::from),
            Node::Array(items) if key == "length" => Node::Number(items.len() as f64),
            Node::Array(items) => array_index(key)
                .and_then(|index| items.get(usize::try_from(index).ok()?))
                .map_or(Node::Null, Node::from),
            _ => Node::Null,
        }
    }
}

impl<'a> From<&'a Json<'_>> for Node<'a> {
    #[inline]
    fn from(json: &'a Json<'_>) -> Self {
        match json {
            Json::Null => Node::Null,
            Json::Bool(value) => Node::Bool(*value),
            Json::Number(number) => Node::Number(number.as_f64()),
            Json::String(text) => Node::String(text),
            Json::Array(items) => Node::Array(items),
            Json::Object(object) => Node::Object(object),
        }
    }
}

impl<'a> Node<'a> {
    /// A view of a scalar; `None` for arrays and objects, which need their ordered twin.
    #[inline]
    pub(crate) fn from_scalar(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Null => Node::Null,
            Value::Bool(value) => Node::Bool(*value),
            Value::Number(number) => Node::Number(number.as_f64()?),
            Value::String(text) => Node::String(text),
            Value::Array(_) | Value::Object(_) => return None,
        })
    }
}
