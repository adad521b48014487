//! The values that a condition tests, by name.

use super::eval::Outcome;
use crate::attributes::{AttributeLookup, Node};
use crate::budget::{Budget, ITEMS_PER_STEP};
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
    /// Returns the value of a name. Null if it does not exist.
    ///
    /// # Errors
    ///
    /// The outcome of a test on the value, if the value is unknown or the budget is spent.
    #[inline]
    pub(super) fn get(&self, name: Name<'_>, budget: &Budget) -> Result<Node<'a>, Outcome> {
        match self {
            Fields::Attributes(attributes) => Ok(attributes.node(name).unwrap_or(Node::Null)),
            Fields::Known(attributes) => attributes.node(name).ok_or(Outcome::Unknown),
            Fields::ParentValue(value) if name.text == PARENT_VALUE => Ok(*value),
            Fields::ParentValue(_) => Ok(Node::Null),
            Fields::Properties(node) => property(*node, name.text, budget),
        }
    }
}

/// Returns a property. It counts, since the members of an object are compared one by one.
pub(super) fn property<'a>(
    node: Node<'a>,
    key: &str,
    budget: &Budget,
) -> Result<Node<'a>, Outcome> {
    let members = node.member_count();
    if budget.take(members / ITEMS_PER_STEP) { Ok(node.property(key)) } else { Err(Outcome::Abort) }
}
