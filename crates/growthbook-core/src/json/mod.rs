//! JSON values. Objects keep their order, and numbers are read the same way with every Cargo
//! feature of `serde_json`.
//!
//! `serde_json` parses all text. [`raw`] finds the members of an object as text, without reading
//! their values. [`Json`] is a value that was read.

mod convert;
mod js_number;
mod number;
mod order;
mod parse;
mod raw;
mod text;

use alloc::{string::String, vec::Vec};

pub(crate) use js_number::js_number_string;
pub use number::Number;
pub(crate) use number::number_of_digits;
pub(crate) use order::{array_index, property_order};
pub(crate) use raw::{Key, RawMembers, items, members};
pub(crate) use text::Text;

/// A JSON value with ordered objects. Strings borrow from the text where they can.
#[derive(Clone)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Text<'a>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The members of a JSON object in JavaScript's property order: integer-like keys ascending,
/// then the others as written. A repeated key keeps its first place and its last value.
#[derive(Clone, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(Text<'a>, Json<'a>)>,
    /// False for an object that was made from a [`serde_json::Map`]. Its order depends on
    /// `serde_json`'s Cargo features and means nothing.
    pub(crate) is_ordered: bool,
}

/// A JSON value that is neither an array nor an object.
#[derive(Clone, Copy)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(&'a str),
}

impl Scalar<'_> {
    /// Whether JavaScript treats the value as true: all values except null, false, 0 and "".
    #[inline]
    pub(crate) fn is_truthy(self) -> bool {
        match self {
            Scalar::Null => false,
            Scalar::Bool(value) => value,
            Scalar::Number(number) => number != 0.0,
            Scalar::String(text) => !text.is_empty(),
        }
    }
}

impl<'a> Object<'a> {
    /// Makes an object of members that are in the order of their text.
    pub(crate) fn ordered(members: Vec<(Text<'a>, Json<'a>)>) -> Self {
        Object { members: property_order(members), is_ordered: true }
    }

    /// Makes an object of members whose order means nothing. No name may be repeated.
    pub(crate) fn unordered(members: Vec<(Text<'a>, Json<'a>)>) -> Self {
        Object { members, is_ordered: false }
    }

    /// Makes an object of some of this object's members, in its order.
    pub(crate) fn subset(&self, members: Vec<(Text<'a>, Json<'a>)>) -> Self {
        Object { members, is_ordered: self.is_ordered }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.members.iter().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        self.members.iter_mut().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    /// Replaces a member, or adds it at the end. The key must not be an array index, which would
    /// come first.
    pub(crate) fn set(&mut self, key: &'static str, value: Json<'a>) {
        match self.get_mut(key) {
            Some(member) => *member = value,
            None => self.members.push((key.into(), value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.members.retain(|(name, _)| **name != *key);
    }

    pub(crate) fn members(&self) -> &[(Text<'a>, Json<'a>)] {
        &self.members
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.members.iter().map(|(name, value)| (&**name, value))
    }

    pub(crate) fn into_members(self) -> impl Iterator<Item = (Text<'a>, Json<'a>)> {
        self.members.into_iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }
}

impl<'a> Json<'a> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json<'a>]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the value, unless it is an array or an object.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        Some(match self {
            Json::Null => Scalar::Null,
            Json::Bool(value) => Scalar::Bool(*value),
            Json::Number(number) => Scalar::Number(number.as_f64()),
            Json::String(text) => Scalar::String(text),
            Json::Array(_) | Json::Object(_) => return None,
        })
    }

    fn is_scalar(&self) -> bool {
        !matches!(self, Json::Array(_) | Json::Object(_))
    }

    /// Whether JavaScript treats the value as true. Arrays and objects always count as true.
    pub(crate) fn is_truthy(&self) -> bool {
        self.scalar().is_none_or(Scalar::is_truthy)
    }

    /// Returns the value as JSON text.
    pub(crate) fn to_text(&self) -> String {
        // Writing to a string cannot fail, and every key is a string.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the value, with null for arrays and objects below `depth` levels.
    pub(crate) fn cut(self, depth: usize) -> Self {
        match self {
            Json::Array(_) | Json::Object(_) if depth == 0 => Json::Null,
            Json::Array(ref items) if items.iter().all(Json::is_scalar) => self,
            Json::Array(items) => {
                Json::Array(items.into_iter().map(|item| item.cut(depth - 1)).collect())
            }
            Json::Object(ref object) if object.iter().all(|(_, value)| value.is_scalar()) => self,
            Json::Object(Object { members, is_ordered }) => {
                let members =
                    members.into_iter().map(|(name, value)| (name, value.cut(depth - 1))).collect();
                Json::Object(Object { members, is_ordered })
            }
            scalar => scalar,
        }
    }

    pub(crate) fn into_owned(self) -> Json<'static> {
        match self {
            Json::Null => Json::Null,
            Json::Bool(value) => Json::Bool(value),
            Json::Number(number) => Json::Number(number),
            Json::String(text) => Json::String(text.into_owned()),
            Json::Array(items) => Json::Array(items.into_iter().map(Json::into_owned).collect()),
            Json::Object(object) => Json::Object(Object {
                members: object
                    .members
                    .into_iter()
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect(),
                is_ordered: object.is_ordered,
            }),
        }
    }
}
