//! The regular expressions of a payload, each once.

use alloc::sync::Arc;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::LazyRegex;

/// Regular expressions by what they were written as. The payload that comes next takes over those
/// it has as well, with what was built of them.
#[derive(Clone, Default)]
pub(crate) struct PatternPool {
    regexes: HashTable<Arc<LazyRegex>>,
    hasher: DefaultHashBuilder,
}

impl PatternPool {
    pub(super) fn get(&self, source: &str, ignore_case: bool) -> Option<Arc<LazyRegex>> {
        let hash = self.hasher.hash_one((source, ignore_case));
        self.regexes.find(hash, |regex| regex.identity() == (source, ignore_case)).cloned()
    }

    pub(super) fn insert(&mut self, regex: Arc<LazyRegex>) {
        let hash = |regex: &Arc<LazyRegex>| self.hasher.hash_one(regex.identity());
        self.regexes.insert_unique(hash(&regex), regex, hash);
    }
}
