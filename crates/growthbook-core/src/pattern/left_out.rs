//! A build without the Cargo feature `regex` has no regular expressions.

use crate::budget::Budget;

/// A regular expression. No value of this type exists.
#[derive(Debug)]
pub(crate) enum LazyRegex {}

impl LazyRegex {
    pub(super) fn source(&self) -> &str {
        match *self {}
    }

    pub(super) fn identity(&self) -> (&str, bool) {
        match *self {}
    }

    pub(super) fn expanded_length(&self) -> usize {
        match *self {}
    }

    pub(super) fn has_reached_limit(&self) -> bool {
        match *self {}
    }

    pub(super) fn test(&self, _: &str, _: &Budget) -> Option<bool> {
        match *self {}
    }
}
