//! Sticky bucketing in a user scope: documents are loaded once, and changes are saved after each
//! evaluation. Neither happens during an evaluation.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBuckets,
};

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
    /// The keys of documents that changed since the application last took the changed ones.
    changed: Vec<StickyBucketKey>,
}

impl ScopeBuckets {
    /// Begins with these documents, which need not be loaded.
    pub(crate) fn new(mut buckets: StickyBuckets) -> Self {
        let changed = buckets.take_changed().iter().map(StickyBucketDocument::key).collect();
        let asked = buckets.iter().map(StickyBucketDocument::key).collect();
        let state = State { buckets, asked, unreadable: Vec::new(), changed };
        ScopeBuckets { state: Mutex::new(state) }
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
            let merged = self.lock().keep(document);
            if let (Some(store), Some(document)) = (store, merged) {
                // The store has logged an error.
                let _ = store.save(&document);
            }
        }
        result
    }

    /// Returns a copy of the current documents, which also knows the changed ones.
    pub(crate) fn snapshot(&self) -> StickyBuckets {
        let state = self.lock();
        let mut copy = state.buckets.clone();
        state.changed.iter().for_each(|key| copy.mark_changed(key));
        copy
    }

    /// Returns the documents that changed since the last call, each once.
    pub(crate) fn take_changed(&self) -> Vec<StickyBucketDocument> {
        let mut state = self.lock();
        let keys = mem::take(&mut state.changed);
        keys.iter().filter_map(|key| state.document(key)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a document that an evaluation changed. Returns it together with the assignments of
    /// concurrent evaluations, if it may be saved.
    fn keep(&mut self, document: StickyBucketDocument) -> Option<StickyBucketDocument> {
        let key = document.key();
        self.buckets.merge([document]);
        if self.unreadable.contains(&key) {
            return None;
        }
        let merged = self.document(&key);
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
        merged
    }

    fn document(&self, key: &StickyBucketKey) -> Option<StickyBucketDocument> {
        self.buckets.get(&key.attribute_name, &key.attribute_value).cloned()
    }
}
