//! Sticky bucketing in a user scope: documents are loaded once, and changes are saved after each
//! evaluation. Neither happens during an evaluation.

use std::sync::{Mutex, MutexGuard, PoisonError};

use growthbook_core::sticky::{StickyBucketKey, StickyBucketStore, StickyBuckets};

/// A user's documents.
pub(crate) struct ScopeBuckets {
    state: Mutex<State>,
}

struct State {
    buckets: StickyBuckets,
    /// The keys that were looked up, with or without a document.
    asked: Vec<StickyBucketKey>,
    /// Those of them that could not be loaded. Saving a document over the stored one could lose
    /// assignments.
    unreadable: Vec<StickyBucketKey>,
}

impl ScopeBuckets {
    /// Begins with these documents, which need not be loaded.
    pub(crate) fn new(buckets: StickyBuckets) -> Self {
        let asked = buckets.iter().map(|document| document.key()).collect();
        ScopeBuckets { state: Mutex::new(State { buckets, asked, unreadable: Vec::new() }) }
    }

    /// Loads the documents of these keys that were not looked up yet.
    pub(crate) fn load(&self, store: Option<&dyn StickyBucketStore>, keys: Vec<StickyBucketKey>) {
        let Some(store) = store else { return };
        let missing: Vec<StickyBucketKey> = {
            let state = self.lock();
            keys.into_iter().filter(|key| !state.asked.contains(key)).collect()
        };
        if missing.is_empty() {
            return;
        }
        let loaded = store.get_all(&missing);
        let mut state = self.lock();
        match loaded {
            Ok(buckets) => state.buckets.merge(buckets.iter().cloned()),
            // The store has logged the error.
            Err(_) => state.unreadable.extend(missing.iter().cloned()),
        }
        state.asked.extend(missing);
    }

    /// Evaluates on a copy of the documents, so that no lock is held meanwhile. Then keeps and saves
    /// the changed ones.
    pub(crate) fn evaluate<R>(
        &self,
        store: Option<&dyn StickyBucketStore>,
        evaluate: impl FnOnce(&mut StickyBuckets) -> R,
    ) -> R {
        let mut buckets = self.lock().buckets.clone();
        let result = evaluate(&mut buckets);
        for document in buckets.take_changed() {
            let key = document.key();
            let merged = {
                let mut state = self.lock();
                state.buckets.merge([document]);
                let may_save = !state.unreadable.contains(&key);
                let merged = state.buckets.get(&key.attribute_name, &key.attribute_value);
                merged.filter(|_| may_save).cloned()
            };
            if let (Some(store), Some(document)) = (store, merged) {
                // The store has logged an error.
                let _ = store.save(&document);
            }
        }
        result
    }

    /// Returns the current documents.
    pub(crate) fn snapshot(&self) -> StickyBuckets {
        self.lock().buckets.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
