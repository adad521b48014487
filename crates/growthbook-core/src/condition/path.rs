//! Dotted paths to attributes.

use alloc::boxed::Box;

use super::eval::Outcome;
use super::fields::{Fields, PARENT_VALUE, property};
use crate::attributes::Node;
use crate::budget::Budget;
use crate::tag::{Name, Tag};

/// A dotted attribute path.
#[derive(Clone, Debug)]
pub(crate) enum Path {
    /// A name without a dot that fits in its tag. Most paths are such names.
    Short(Tag),
    Long(Box<LongPath>),
}

#[derive(Clone, Debug)]
pub(crate) struct LongPath {
    pub(super) text: Box<str>,
    /// The tag of the text before the first dot.
    pub(super) first: Tag,
}

impl Path {
    pub(super) fn new(path: &str) -> Self {
        let dot = path.bytes().position(|byte| byte == b'.');
        let first = dot.and_then(|dot| path.get(..dot)).unwrap_or(path);
        let tag = Tag::new(first);
        if dot.is_none() && tag.is_whole_text() {
            return Path::Short(tag);
        }
        Path::Long(Box::new(LongPath { text: path.into(), first: tag }))
    }

    /// Returns the value at the path. Null if it does not exist.
    ///
    /// # Errors
    ///
    /// The outcome of a test on the value, if the value is unknown or the budget is spent.
    pub(super) fn resolve<'a>(
        &self,
        fields: &Fields<'a>,
        budget: &Budget,
    ) -> Result<Node<'a>, Outcome> {
        match self {
            Path::Short(name) => name.with_name(|name| fields.get(name, budget)),
            Path::Long(path) => path.resolve(fields, budget),
        }
    }

    /// Calls `read` with the path as written.
    pub(super) fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        match self {
            Path::Short(name) => name.with_text(read),
            Path::Long(path) => read(&path.text),
        }
    }

    pub(super) fn is_parent_value(&self) -> bool {
        const VALUE: Tag = Tag::new(PARENT_VALUE);
        matches!(self, Path::Short(name) if *name == VALUE)
    }
}

impl LongPath {
    /// Whether the path is a name without a dot, of at most 255 bytes.
    #[inline]
    pub(super) fn is_one_name(&self) -> bool {
        self.first.capped_length() == self.text.len()
    }

    /// Returns the value at the path. Inside an attribute of a user who is known in part, every
    /// value is unknown, since the attribute may be incomplete.
    fn resolve<'a>(&self, fields: &Fields<'a>, budget: &Budget) -> Result<Node<'a>, Outcome> {
        if !budget.take_text(self.text.len()) {
            return Err(Outcome::Abort);
        }
        let mut parts = self.text.split('.');
        let first = Name { text: parts.next().unwrap_or_default(), tag: self.first };
        let mut parts = parts.peekable();
        if parts.peek().is_some() && matches!(fields, Fields::Known(_)) {
            return Err(Outcome::Unknown);
        }
        parts.try_fold(fields.get(first, budget)?, |node, part| property(node, part, budget))
    }
}
