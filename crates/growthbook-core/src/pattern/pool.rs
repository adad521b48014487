//! The pool of regular expressions: one for each different pattern of a payload.

use alloc::sync::Arc;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::LazyRegex;

/// Regular expressions by their source. The next snapshot reuses those that it needs, so that they
/// are not built again.
#[derive(Clone, Default)]
pub(crate) struct PatternPool {
    regexes: HashTable<Arc<LazyRegex>>,
    hasher: DefaultHashBuilder,
    /// The part of the budget that was spent, at least: refused and dropped patterns count too.
    pub(super) spent: usize,
    is_exhausted: bool,
}

impl PatternPool {
    /// Returns a pool with the expressions that are in use outside of this one. As much of the
    /// budget is spent.
    pub(super) fn in_use(&self) -> Self {
        let mut used = PatternPool { spent: self.spent, ..PatternPool::default() };
        let regexes = self.regexes.iter().filter(|regex| Arc::strong_count(regex) > 1);
        regexes.for_each(|regex| used.insert(regex.clone()));
        used
    }

    /// Whether a pattern was refused because the expressions were too long together.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    pub(super) fn set_exhausted(&mut self) {
        self.is_exhausted = true;
    }

    pub(super) fn get(&self, source: &str, ignore_case: bool) -> Option<Arc<LazyRegex>> {
        let hash = self.hasher.hash_one((source, ignore_case));
        self.regexes.find(hash, |regex| regex.identity() == (source, ignore_case)).cloned()
    }

    pub(super) fn insert(&mut self, regex: Arc<LazyRegex>) {
        let hash = |regex: &Arc<LazyRegex>| self.hasher.hash_one(regex.identity());
        self.regexes.insert_unique(hash(&regex), regex, hash);
    }
}
