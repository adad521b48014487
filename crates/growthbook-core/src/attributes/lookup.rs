//! The lookup of attributes: first those of the user, then the global ones.

use core::fmt;

use super::{AttributeRef, AttributeSource, AttributeValue, Attributes, Node};
use crate::hash_value::HashValue;
use crate::json::{Json, Number};
use crate::tag::{Name, Tag};

/// The places where attributes are looked up, in this order.
#[derive(Clone, Copy)]
pub(crate) struct AttributeLookup<'a> {
    pub(crate) source: Option<&'a dyn AttributeSource>,
    pub(crate) user: &'a Attributes,
    pub(crate) global: Option<&'a Attributes>,
}

impl<'a> AttributeLookup<'a> {
    /// Returns an attribute.
    #[inline]
    pub(crate) fn node(&self, name: Name<'_>) -> Option<Node<'a>> {
        if self.source.is_some()
            && let Some(found) = self.sourced(name.text)
        {
            return Some(found.node());
        }
        self.built(name).map(AttributeValue::node)
    }

    /// Returns the value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as
    /// missing.
    #[inline(always)]
    pub(crate) fn hash_value(&self, name: Name<'_>) -> HashValue<'a> {
        if self.source.is_some()
            && let Some(found) = self.sourced(name.text)
        {
            return match found {
                AttributeRef::String(text) => hashed_text(text),
                AttributeRef::Number(number) => hashed_number(number),
                AttributeRef::Value(value) => value.hash_value(),
                _ => HashValue::Missing,
            };
        }
        let is_short = name.tag.is_whole_text();
        let found = if is_short { self.built_short(name.tag) } else { self.built(name) };
        found.map_or(HashValue::Missing, AttributeValue::hash_value)
    }

    /// Whether all attributes are in [`Attributes`], because there is no source.
    #[inline]
    pub(crate) fn are_built(&self) -> bool {
        self.source.is_none()
    }

    /// Returns an attribute of the caller's source.
    pub(crate) fn sourced(&self, name: &str) -> Option<AttributeRef<'a>> {
        self.source?.attribute(name)
    }

    /// Returns an attribute that does not come from the source: the user's, else the global one.
    #[inline]
    pub(crate) fn built(&self, name: Name<'_>) -> Option<&'a AttributeValue> {
        match self.user.find(name) {
            None => self.global(name),
            found => found,
        }
    }

    /// Like [`built`](Self::built), for a name that fits in its tag.
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
    fn global(&self, name: Name<'_>) -> Option<&'a AttributeValue> {
        self.global?.find(name)
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

/// Prints whether there is a source, and names of attributes; never values.
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
