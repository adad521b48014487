//! The view of a value during evaluation: an attribute, a literal or a feature's value.

use core::ops::Range;
use core::slice;

use serde_json::{Map, Value};

use super::{AttributeList, AttributeSource};
use crate::json::{Json, Object, Scalar, array_index};
use crate::limits::MAX_JSON_DEPTH;

/// A borrowed JSON value: an attribute, a part of one, or a feature's value.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(&'a str),
    Array(&'a [Json<'a>]),
    Object(&'a Object<'a>),
    /// A list in a type of the caller.
    List(&'a dyn AttributeList),
    /// An object in a type of the caller.
    Source(&'a dyn AttributeSource),
}

/// The items of an array or list.
#[derive(Clone)]
pub(crate) enum Items<'a> {
    Array(slice::Iter<'a, Json<'a>>),
    List { list: &'a dyn AttributeList, rest: Range<usize> },
}

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Items::Array(items) => items.next().map(Node::from),
            Items::List { list, rest } => rest.next().map(|index| list.item(index).node()),
        }
    }

    fn nth(&mut self, count: usize) -> Option<Self::Item> {
        match self {
            Items::Array(items) => items.nth(count).map(Node::from),
            Items::List { list, rest } => rest.nth(count).map(|index| list.item(index).node()),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Items::Array(items) => items.size_hint(),
            Items::List { rest, .. } => rest.size_hint(),
        }
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The type of a value, as `$type` names it.
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
    /// Returns the kind that a `$type` operand names; `None` for any other name.
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
    /// Returns the value as JSON. Lists and objects of the caller that nest too deep become null.
    pub(crate) fn to_value(self) -> Value {
        self.to_value_within(MAX_JSON_DEPTH)
    }

    fn to_value_within(self, depth: usize) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Bool(value) => value.into(),
            Node::Number(number) => {
                // A whole number is written without a fraction. The cast saturates, so the result
                // is compared.
                let whole = number as i64;
                if whole as f64 == number { whole.into() } else { number.into() }
            }
            Node::String(text) => text.into(),
            Node::Array(items) => items.iter().map(Json::to_value).collect(),
            Node::Object(object) => Value::Object(
                object.iter().map(|(name, value)| (name.into(), value.to_value())).collect(),
            ),
            Node::List(_) | Node::Source(_) if depth == 0 => Value::Null,
            Node::List(list) => (0..list.len())
                .map(|index| list.item(index).node().to_value_within(depth - 1))
                .collect(),
            Node::Source(source) => {
                let mut members = Map::new();
                source.visit(&mut |name, value| {
                    members.insert(name.into(), value.node().to_value_within(depth - 1));
                });
                members.into()
            }
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Node::Null => Kind::Null,
            Node::Bool(_) => Kind::Bool,
            Node::Number(_) => Kind::Number,
            Node::String(_) => Kind::String,
            Node::Array(_) | Node::List(_) => Kind::Array,
            Node::Object(_) | Node::Source(_) => Kind::Object,
        }
    }

    #[inline]
    pub(crate) fn is_truthy(self) -> bool {
        self.scalar().is_none_or(Scalar::is_truthy)
    }

    #[inline]
    fn scalar(self) -> Option<Scalar<'a>> {
        Some(match self {
            Node::Null => Scalar::Null,
            Node::Bool(value) => Scalar::Bool(value),
            Node::Number(number) => Scalar::Number(number),
            Node::String(text) => Scalar::String(text),
            Node::Array(_) | Node::Object(_) | Node::List(_) | Node::Source(_) => return None,
        })
    }

    /// Returns the property `key`: a member of an object, or an item or the `length` of an array.
    /// Null when the value does not have it. Strings do not have properties here.
    pub(crate) fn property(self, key: &str) -> Node<'a> {
        match self {
            Node::Object(object) => object.get(key).map_or(Node::Null, Node::from),
            Node::Source(source) => source.attribute(key).map_or(Node::Null, |it| it.node()),
            _ => self.items().and_then(|items| element(items, key)).unwrap_or(Node::Null),
        }
    }

    /// Returns the number of members that [`property`](Self::property) may compare.
    pub(crate) fn member_count(self) -> usize {
        match self {
            Node::Object(object) => object.len(),
            _ => 0,
        }
    }

    /// Returns the items of an array or list.
    #[inline]
    pub(crate) fn items(&self) -> Option<Items<'a>> {
        match self {
            Node::Array(items) => Some(Items::Array(items.iter())),
            Node::List(list) => Some(Items::List { list: *list, rest: 0..list.len() }),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> Option<&'a str> {
        match self {
            Node::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Returns the item at a canonical index, or the `length`.
fn element<'a>(mut items: Items<'a>, key: &str) -> Option<Node<'a>> {
    if key == "length" {
        return Some(Node::Number(items.len() as f64));
    }
    items.nth(array_index(key)?.try_into().ok()?)
}

impl<'a> From<&'a Json<'_>> for Node<'a> {
    #[inline(always)]
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
    /// Views a scalar. `None` for arrays and objects: their view needs a [`Json`] with their order.
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
