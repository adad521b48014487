//! The store in the memory of this process.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use lru::LruCache;

use growthbook_support::ForkSafeMutex;

/// The default number of documents that a [`MemoryStickyBucketStore`] keeps. They take about 30 MB
/// with a few assignments each.
pub const DEFAULT_MEMORY_DOCUMENTS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// A store in the memory of this process.
///
/// - Assignments stick until the process ends.
/// - It is bounded: a new document replaces the least recently used one.
/// - A save merges its assignments into the stored document. So two scopes of one user that
///   enroll in different experiments at the same time lose nothing.
/// - Clones share their documents.
/// - No call blocks. A call fails only in the child of a `fork()`, if another thread of the parent
///   held the store's lock at that moment.
///
/// ```
/// use growthbook_core::sticky::StickyBucketStore;
/// use growthbook_sticky::MemoryStickyBucketStore;
///
/// let store = MemoryStickyBucketStore::default();
/// assert_eq!(store.get_all(&[])?.iter().len(), 0);
/// # Ok::<(), growthbook_core::sticky::StickyBucketStoreError>(())
/// ```
#[derive(Clone)]
pub struct MemoryStickyBucketStore {
    documents: Arc<ForkSafeMutex<LruCache<StickyBucketKey, StickyBucketDocument>>>,
}

impl MemoryStickyBucketStore {
    /// Creates a store for this many documents. Memory is allocated as documents are saved.
    pub fn new(capacity: NonZeroUsize) -> Self {
        MemoryStickyBucketStore {
            documents: Arc::new(ForkSafeMutex::new(LruCache::sparse(capacity))),
        }
    }
}

/// Creates a store for [`DEFAULT_MEMORY_DOCUMENTS`] documents.
impl Default for MemoryStickyBucketStore {
    fn default() -> Self {
        MemoryStickyBucketStore::new(DEFAULT_MEMORY_DOCUMENTS)
    }
}

impl StickyBucketStore for MemoryStickyBucketStore {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        let mut documents = self.documents.lock().map_err(StickyBucketStoreError::new)?;
        Ok(keys.iter().filter_map(|key| documents.get(key).cloned()).collect())
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        let key = document.key();
        let document = document.clone();
        let mut documents = self.documents.lock().map_err(StickyBucketStoreError::new)?;
        if let Some(existing) = documents.get_mut(&key) {
            existing.assignments.extend(document.assignments);
        } else {
            documents.push(key, document);
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryStickyBucketStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MemoryStickyBucketStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::test_documents::{document, key};

    #[test]
    fn only_clones_share_documents() {
        let store = MemoryStickyBucketStore::default();
        store.clone().save(&document("id", "1", &[("a__0", "0")])).unwrap();
        let other = MemoryStickyBucketStore::default();
        assert_eq!(store.get_all(&[key("id", "1")]).unwrap().iter().len(), 1);
        assert_eq!(store.get_all(&[key("id", "2"), key("x", "1")]).unwrap().iter().len(), 0);
        assert_eq!(other.get_all(&[key("id", "1")]).unwrap().iter().len(), 0);
    }

    #[test]
    fn least_recently_used_document_is_replaced() {
        let store = MemoryStickyBucketStore::new(NonZeroUsize::new(2).unwrap());
        for value in ["1", "2"] {
            store.save(&document("id", value, &[])).unwrap();
        }
        store.get_all(&[key("id", "1")]).unwrap();
        store.save(&document("id", "3", &[])).unwrap();
        let kept = ["1", "2", "3"]
            .map(|value| store.get_all(&[key("id", value)]).unwrap().get("id", value).is_some());
        assert_eq!(kept, [true, false, true]);
    }

    #[test]
    fn concurrent_saves_lose_nothing() {
        let store = MemoryStickyBucketStore::default();
        thread::scope(|scope| {
            for thread in 0..8 {
                let store = store.clone();
                scope.spawn(move || {
                    for experiment in 0..100 {
                        let name = format!("{thread}-{experiment}__0");
                        store.save(&document("id", "1", &[(&name, "0")])).unwrap();
                    }
                });
            }
        });
        let buckets = store.get_all(&[key("id", "1")]).unwrap();
        assert_eq!(buckets.get("id", "1").unwrap().assignments.len(), 800);
    }

    #[test]
    fn debug_hides_attribute_values() {
        let store = MemoryStickyBucketStore::default();
        store.save(&document("id", "secret", &[])).unwrap();
        assert!(!format!("{store:?}").contains("secret"));
    }
}
