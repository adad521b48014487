//! A cache in the memory of this process.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use growthbook_core::cache::{CachedPayload, PayloadCache, PayloadCacheError, PayloadKey};
use growthbook_support::ForkSafeMutex;
use lru::LruCache;

/// The number of payloads that [`MemoryCache::shared`] keeps: more than a process has clients.
pub const DEFAULT_MEMORY_CACHE_ENTRIES: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Keeps payloads in the memory of this process. A client that starts after another one was closed
/// has its payload at once.
///
/// The cache is bounded: a new payload replaces the least recently used one. Clones share their
/// payloads.
///
/// No method blocks for longer than a fraction of a second, not even in the child of a `fork()`. A
/// lock that another thread of the parent held stays locked there forever. Then `get` finds nothing,
/// `put` is an error, and `confirm` does nothing.
#[derive(Clone)]
pub struct MemoryCache {
    entries: Arc<ForkSafeMutex<Entries>>,
}

impl MemoryCache {
    /// Returns a separate cache for this many payloads. Memory is reserved as they arrive.
    pub fn new(capacity: NonZeroUsize) -> Self {
        MemoryCache { entries: Arc::new(ForkSafeMutex::new(LruCache::sparse(capacity))) }
    }

    /// Returns the default cache of all clients in this process. It keeps
    /// [`DEFAULT_MEMORY_CACHE_ENTRIES`] payloads.
    pub fn shared() -> Self {
        // Not a `OnceLock`: in the child of a fork, it could wait forever.
        static SHARED: ForkSafeMutex<Option<MemoryCache>> = ForkSafeMutex::new(None);
        match SHARED.lock() {
            Ok(mut shared) => shared.get_or_insert_with(MemoryCache::of_default_size).clone(),
            Err(_) => MemoryCache::of_default_size(),
        }
    }

    fn of_default_size() -> Self {
        MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES)
    }
}

impl PayloadCache for MemoryCache {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        Ok(self.entries.lock().ok().and_then(|mut entries| entries.get(key).cloned()))
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let (key, payload) = (key.clone(), payload.clone());
        // An error, so that the caller does not confirm the payload that is still here.
        let mut entries = self.entries.lock().map_err(PayloadCacheError::new)?;
        let replaced = entries.push(key, payload);
        drop(entries);
        // After the lock is released: freeing a large document takes time.
        drop(replaced);
        Ok(())
    }

    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        if let Ok(mut entries) = self.entries.lock()
            && let Some(kept) = entries.get_mut(key)
        {
            kept.fetched_at = payload.fetched_at;
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MemoryCache").finish_non_exhaustive()
    }
}

type Entries = LruCache<PayloadKey, CachedPayload>;

#[cfg(test)]
mod tests {
    use std::thread;

    use growthbook_core::PayloadSource;

    use super::*;

    #[test]
    fn only_clones_share_payloads() {
        let cache = MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES);
        let other = MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES);
        cache.clone().put(&key("a"), &payload("one", 1)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 1)));
        assert_eq!(cache.get(&key("b")).unwrap(), None);
        assert_eq!(other.get(&key("a")).unwrap(), None);
        assert_eq!(cache.source(), PayloadSource::Cache);
    }

    #[test]
    fn shared_cache_is_one_cache() {
        MemoryCache::shared().put(&key("of this test"), &payload("one", 1)).unwrap();
        let kept = MemoryCache::shared().get(&key("of this test")).unwrap();
        assert_eq!(kept, Some(payload("one", 1)));
    }

    #[test]
    fn key_has_a_host_and_a_client_key() {
        let cache = MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES);
        cache.put(&PayloadKey::new("a", "bc"), &payload("one", 1)).unwrap();
        assert_eq!(cache.get(&PayloadKey::new("ab", "c")).unwrap(), None);
    }

    #[test]
    fn least_recently_used_payload_is_replaced() {
        let cache = MemoryCache::new(NonZeroUsize::new(3).unwrap());
        for name in ["a", "b", "c"] {
            cache.put(&key(name), &payload(name, 1)).unwrap();
        }
        cache.get(&key("a")).unwrap();
        cache.confirm(&key("b"), &payload("confirmed", 2)).unwrap();
        cache.put(&key("d"), &payload("d", 1)).unwrap();
        let kept = ["a", "b", "c", "d"]
            .map(|name| cache.get(&key(name)).unwrap().map(|kept| kept.fetched_at));
        assert_eq!(kept, [Some(1), Some(2), None, Some(1)]);
    }

    #[test]
    fn later_put_replaces() {
        let cache = MemoryCache::new(NonZeroUsize::MIN);
        cache.put(&key("a"), &payload("one", 5)).unwrap();
        cache.put(&key("a"), &payload("two", 3)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("two", 3)));
    }

    #[test]
    fn confirming_changes_only_the_age() {
        let cache = MemoryCache::new(NonZeroUsize::MIN);
        cache.confirm(&key("a"), &payload("confirmed", 1)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), None);
        cache.put(&key("a"), &payload("one", 1)).unwrap();
        cache.confirm(&key("a"), &payload("confirmed", 7)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 7)));
    }

    #[test]
    fn large_capacity_takes_no_memory() {
        let cache = MemoryCache::new(NonZeroUsize::MAX);
        cache.put(&key("a"), &payload("one", 1)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 1)));
    }

    #[test]
    fn stuck_lock_does_not_hang() {
        let cache = MemoryCache::new(NonZeroUsize::MIN);
        cache.put(&key("a"), &payload("one", 1)).unwrap();
        let held = cache.entries.lock().unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), None);
        assert!(cache.put(&key("a"), &payload("two", 2)).is_err());
        cache.confirm(&key("a"), &payload("confirmed", 3)).unwrap();
        drop(held);
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 1)));
    }

    #[test]
    fn concurrent_threads_lose_nothing() {
        let cache = MemoryCache::new(NonZeroUsize::new(8).unwrap());
        thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let cache = cache.clone();
                scope.spawn(move || {
                    for time in 0..10_000 {
                        cache.put(&key(name), &payload(name, time)).unwrap();
                        assert_eq!(cache.get(&key(name)).unwrap(), Some(payload(name, time)));
                    }
                });
            }
        });
    }

    #[test]
    fn debug_has_no_secret() {
        let cache = MemoryCache::new(NonZeroUsize::MIN);
        cache.put(&key("sdk-secret"), &payload("secret", 1)).unwrap();
        assert!(!format!("{cache:?}").contains("secret"));
    }

    fn key(client_key: &str) -> PayloadKey {
        PayloadKey::new("https://cdn.growthbook.io", client_key)
    }

    fn payload(document: &str, fetched_at: growthbook_core::cache::UnixMillis) -> CachedPayload {
        CachedPayload {
            document: document.into(),
            etag: Some("\"tag\"".into()),
            streaming: true,
            fetched_at,
        }
    }
}
