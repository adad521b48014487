//! The dotted paths by which conditions name attributes.

use alloc::boxed::Box;

use super::fields::{Fields, PARENT_VALUE};
use crate::attributes::Node;
use crate::tag::{Name, Tag};

/// A dotted attribute path.
#[derive(Clone, Debug)]
pub(crate) enum Path {
    /// A name without a dot that is all in its tag, as most are.
    Short(Tag),
    Long(Box<LongPath>),
}

#[derive(Clone, Debug)]
pub(crate) struct LongPath {
    pub(super) text: Box<str>,
    /// The tag of what is before the first dot.
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

    /// What lies at the path; null when nothing does, `None` when nobody knows.
    pub(super) fn resolve<'a>(&self, fields: &Fields<'a>) -> Option<Node<'a>> {
        match self {
            Path::Short(name) => name.with_name(|name| fields.get(name)),
            Path::Long(path) => path.resolve(fields),
        }
    }

    /// Calls `read` with the path as it is written.
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
    /// Whether it is a name without a dot, and not a very long one.
    #[inline]
    pub(super) fn is_one_name(&self) -> bool {
        self.first.capped_length() == self.text.len()
    }

    /// Whoever knows an attribute may know only a part of it, so that nothing is known of what
    /// lies inside.
    fn resolve<'a>(&self, fields: &Fields<'a>) -> Option<Node<'a>> {
        let mut parts = self.text.split('.');
        let first = Name { text: parts.next()?, tag: self.first };
        let mut parts = parts.peekable();
        if parts.peek().is_some() && matches!(fields, Fields::Known(_)) {
            return None;
        }
        Some(parts.fold(fields.get(first)?, Node::property))
    }
}
