//! The values that a condition tests, by name.

use crate::attributes::{AttributeLookup, Node};
use crate::tag::Name;

/// The name under which a condition tests a prerequisite's value.
pub(super) const PARENT_VALUE: &str = "value";

/// The values that a condition tests.
pub(crate) enum Fields<'a> {
    /// A user's attributes.
    Attributes(&'a AttributeLookup<'a>),
    /// The known part of a user's attributes. A missing attribute is unknown, not null.
    Known(&'a AttributeLookup<'a>),
    /// A prerequisite's value. Its name is `value`.
    ParentValue(Node<'a>),
    /// The properties of an array element.
    Properties(Node<'a>),
}

impl<'a> Fields<'a> {
    /// Returns the value of a name. Null if it does not exist, `None` if it is unknown.
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
