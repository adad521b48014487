//! Documents in the memory of this process.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use lru::LruCache;

use crate::lock::lock_patiently;

/// How many documents a [`MemoryStickyBucketStore`] keeps by default: about 30 MB with a few
/// assignments each.
pub const DEFAULT_MEMORY_DOCUMENTS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// Keeps documents in the memory of this process: assignments stick until it ends.
///
/// It is bounded: the document that was not used for longest makes room for a new one. Clones
/// share their documents. Two scopes of one user that are assigned different experiments at the
/// same time lose nothing: what is saved is laid over what is there.
///
/// Nothing blocks, and nothing fails but in the child of a `fork()` during which another thread
/// held the store's lock.
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
    documents: Arc<Mutex<LruCache<StickyBucketKey, StickyBucketDocument>>>,
}

impl MemoryStickyBucketStore {
    /// A store for this many documents. The memory is taken as they come.
    pub fn new(capacity: NonZeroUsize) -> Self {
        MemoryStickyBucketStore { documents: Arc::new(Mutex::new(LruCache::sparse(capacity))) }
    }
}

/// A store for [`DEFAULT_MEMORY_DOCUMENTS`].
impl Default for MemoryStickyBucketStore {
    fn default() -> Self {
        MemoryStickyBucketStore::new(DEFAULT_MEMORY_DOCUMENTS)
    }
}

impl StickyBucketStore for MemoryStickyBucketStore {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        let mut documents = lock_patiently(&self.documents).map_err(StickyBucketStoreError::new)?;
        Ok(keys.iter().filter_map(|key| documents.get(key).cloned()).collect())
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        let key = document.key();
        let document = document.clone();
        let mut documents = lock_patiently(&self.documents).map_err(StickyBucketStoreError::new)?;
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
    use crate::testing::{document, key};

    #[test]
    fn clones_share_and_others_do_not() {
        let store = MemoryStickyBucketStore::default();
        store.clone().save(&document("id", "1", &[("a__0", "0")])).unwrap();
        let other = MemoryStickyBucketStore::default();
        assert_eq!(store.get_all(&[key("id", "1")]).unwrap().iter().len(), 1);
        assert_eq!(store.get_all(&[key("id", "2"), key("x", "1")]).unwrap().iter().len(), 0);
        assert_eq!(other.get_all(&[key("id", "1")]).unwrap().iter().len(), 0);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
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
    fn threads_that_assign_at_once_lose_nothing() {
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
    fn debug_tells_no_attribute_value() {
        let store = MemoryStickyBucketStore::default();
        store.save(&document("id", "secret", &[])).unwrap();
        assert!(!format!("{store:?}").contains("secret"));
    }
}
