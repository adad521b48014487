//! The values that a condition tests, by name.

use crate::attributes::{AttributeLookup, Node};
use crate::tag::Name;

/// What a prerequisite's value is called.
pub(super) const PARENT_VALUE: &str = "value";

/// What a condition tests.
pub(crate) enum Fields<'a> {
    /// A user's attributes.
    Attributes(&'a AttributeLookup<'a>),
    /// The same, where the attributes that are missing may still turn up elsewhere.
    Known(&'a AttributeLookup<'a>),
    /// A prerequisite's value, as the field `value`.
    ParentValue(Node<'a>),
    /// The properties of an array element.
    Properties(Node<'a>),
}

impl<'a> Fields<'a> {
    /// Returns a field: null when it does not exist, `None` when that is not known.
    #[inline]
    pub(super) fn get(&self, name: Name<'_>) -> Option<Node<'a>> {
        match self {
            Fields::Attributes(attributes) => Some(attributes.node(name).unwrap_or(Node::Null)),
            Fields::Known(attributes) => attributes.node(name),
            Fields::ParentValue(value) if name.text == PARENT_VALUE => Some(*value),
            Fields::ParentValue(_) => Some(Node::Null),
            Fields::Properties(node) => Some(node.property(name.text)),
        }
    }
}
