//! The pool of regular expressions: one for each different pattern of a payload.

use alloc::{sync::Arc, vec::Vec};
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::LazyRegex;
use super::reports::{self, LimitReports};
use crate::warning::Warning;

/// Regular expressions by their source. The next snapshot reuses those that it needs, so that they
/// are not built again.
#[derive(Clone, Default)]
pub(crate) struct PatternPool {
    regexes: HashTable<Arc<LazyRegex>>,
    hasher: DefaultHashBuilder,
    /// The part of the budget that was spent, at least: refused and dropped patterns count too.
    pub(super) spent: usize,
    is_exhausted: bool,
    reports: Arc<LimitReports>,
}

impl PatternPool {
    /// Returns a pool with the expressions that are in use outside of this one. As much of the
    /// budget is spent.
    pub(super) fn in_use(&self) -> Self {
        let mut used = PatternPool { spent: self.spent, ..self.successor() };
        self.used().for_each(|regex| used.insert(regex.clone()));
        used
    }

    /// Iterates over the expressions that are in use outside of this pool.
    fn used(&self) -> impl Iterator<Item = &Arc<LazyRegex>> {
        self.regexes.iter().filter(|regex| Arc::strong_count(regex) > 1)
    }

    /// Returns an empty pool that reports to the same function.
    pub(super) fn successor(&self) -> Self {
        PatternPool { reports: self.reports.clone(), ..PatternPool::default() }
    }

    pub(crate) fn reports(&self) -> &Arc<LimitReports> {
        &self.reports
    }

    /// Returns a warning for each expression in use whose search reached its limit, sorted by
    /// source.
    pub(crate) fn limit_warnings(&self) -> Vec<Warning> {
        let slow = self.used().filter(|regex| regex.has_reached_limit());
        let mut sources: Vec<&str> = slow.map(|regex| regex.source()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources.into_iter().map(reports::warning).collect()
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
