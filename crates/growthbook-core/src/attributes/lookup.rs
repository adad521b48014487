//! Where an evaluation finds attributes: what the user lacks, the global ones may have.

use core::fmt;

use super::{AttributeRef, AttributeSource, AttributeValue, Attributes};
use crate::hash_value::HashValue;
use crate::json::{Json, Node, Number};
use crate::tag::Tag;

/// The places attributes are looked for, in this order.
#[derive(Clone, Copy)]
pub(crate) struct AttributeLookup<'a> {
    pub(crate) source: Option<&'a dyn AttributeSource>,
    pub(crate) user: &'a Attributes,
    pub(crate) global: Option<&'a Attributes>,
}

impl<'a> AttributeLookup<'a> {
    /// An attribute, with its name's tag.
    #[inline]
    pub(crate) fn node(&self, name: &str, tag: Tag) -> Option<Node<'a>> {
        if self.source.is_some()
            && let Some(found) = self.sourced(name)
        {
            return Some(found.node());
        }
        self.built(name, tag).map(AttributeValue::node)
    }

    /// The value of a hash attribute, with its name's tag. Booleans, arrays, objects, 0, "" and
    /// null count as missing.
    #[inline(always)]
    pub(crate) fn hash_value(&self, name: &str, tag: Tag) -> HashValue<'a> {
        if self.source.is_some()
            && let Some(found) = self.sourced(name)
        {
            return match found {
                AttributeRef::String(text) => hashed_text(text),
                AttributeRef::Number(number) => hashed_number(number),
                AttributeRef::Value(value) => value.hash_value(),
                _ => HashValue::Missing,
            };
        }
        let found = if tag.is_whole_text() { self.built_short(tag) } else { self.built(name, tag) };
        found.map_or(HashValue::Missing, AttributeValue::hash_value)
    }

    /// Whether there is no source to be asked first.
    #[inline]
    pub(crate) fn are_built(&self) -> bool {
        self.source.is_none()
    }

    /// An attribute of the caller's source.
    pub(crate) fn sourced(&self, name: &str) -> Option<AttributeRef<'a>> {
        self.source?.attribute(name)
    }

    /// An attribute that was built, with its name's tag.
    #[inline]
    pub(crate) fn built(&self, name: &str, tag: Tag) -> Option<&'a AttributeValue> {
        match self.user.find(name, tag) {
            None => self.global(name, tag),
            found => found,
        }
    }

    /// An attribute that was built, of the name that is all in this tag.
    #[inline]
    pub(crate) fn built_short(&self, name: Tag) -> Option<&'a AttributeValue> {
        match self.user.find_short(name) {
            None => self.global_short(name),
            found => found,
        }
    }

    #[inline(never)]
    fn global_short(&self, name: Tag) -> Option<&'a AttributeValue> {
        self.global?.find_short(name)
    }

    #[inline(never)]
    fn global(&self, name: &str, tag: Tag) -> Option<&'a AttributeValue> {
        self.global?.find(name, tag)
    }
}

impl AttributeValue {
    #[inline(always)]
    fn hash_value(&self) -> HashValue<'_> {
        match self.json() {
            Json::String(text) => hashed_text(text),
            Json::Number(number) => hashed_number(*number),
            _ => HashValue::Missing,
        }
    }
}

#[inline]
fn hashed_text(text: &str) -> HashValue<'_> {
    if text.is_empty() { HashValue::Missing } else { HashValue::String(text) }
}

#[inline]
fn hashed_number(number: Number) -> HashValue<'static> {
    if number.as_f64() == 0.0 { HashValue::Missing } else { HashValue::Number(number) }
}

/// Whether there is a source, and the names that were built; never values.
impl fmt::Debug for AttributeLookup<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AttributeLookup")
            .field("source", &self.source.is_some())
            .field("user", self.user)
            .field("global", &self.global)
            .finish()
    }
}
