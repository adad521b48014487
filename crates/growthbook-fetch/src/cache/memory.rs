//! Payloads kept in the memory of this process.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use growthbook_core::cache::{CachedPayload, PayloadCache, PayloadCacheError, PayloadKey};
use growthbook_support::ForkSafeMutex;
use lru::LruCache;

/// How many payloads [`MemoryCache::shared`] keeps: more than a process has clients.
pub const DEFAULT_MEMORY_CACHE_ENTRIES: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Keeps payloads in the memory of this process: a client made after another one was closed starts
/// with its payload at once.
///
/// It is bounded: the payload that was not used for longest makes room for a new one. Clones share
/// their payloads.
///
/// No method blocks for longer than a fraction of a second, not even in the child of a `fork()`,
/// where a lock that another thread of the parent held stays locked for ever. There, `get` finds
/// nothing, `put` is an error, and `confirm` does nothing.
#[derive(Clone)]
pub struct MemoryCache {
    entries: Arc<ForkSafeMutex<Entries>>,
}

impl MemoryCache {
    /// A cache of its own for this many payloads. The memory is taken as they come.
    pub fn new(capacity: NonZeroUsize) -> Self {
        MemoryCache { entries: Arc::new(ForkSafeMutex::new(LruCache::sparse(capacity))) }
    }

    /// The cache that every client of this process uses unless told otherwise. It keeps
    /// [`DEFAULT_MEMORY_CACHE_ENTRIES`] payloads.
    pub fn shared() -> Self {
        // No `OnceLock`: in the child of a fork, it could wait for ever as well.
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
        // An error, not silence: the caller would otherwise confirm the payload before this one.
        let mut entries = self.entries.lock().map_err(PayloadCacheError::new)?;
        let replaced = entries.push(key, payload);
        drop(entries);
        // A large document is freed when nobody waits.
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
    fn clones_share_and_others_do_not() {
        let cache = MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES);
        let other = MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES);
        cache.clone().put(&key("a"), &payload("one", 1)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 1)));
        assert_eq!(cache.get(&key("b")).unwrap(), None);
        assert_eq!(other.get(&key("a")).unwrap(), None);
        assert_eq!(cache.source(), PayloadSource::Cache);
    }

    #[test]
    fn the_shared_cache_is_one() {
        MemoryCache::shared().put(&key("of this test"), &payload("one", 1)).unwrap();
        let kept = MemoryCache::shared().get(&key("of this test")).unwrap();
        assert_eq!(kept, Some(payload("one", 1)));
    }

    #[test]
    fn a_key_is_a_host_and_a_client_key() {
        let cache = MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES);
        cache.put(&PayloadKey::new("a", "bc"), &payload("one", 1)).unwrap();
        assert_eq!(cache.get(&PayloadKey::new("ab", "c")).unwrap(), None);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
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
    fn a_later_put_replaces() {
        let cache = MemoryCache::new(NonZeroUsize::MIN);
        cache.put(&key("a"), &payload("one", 5)).unwrap();
        cache.put(&key("a"), &payload("two", 3)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("two", 3)));
    }

    #[test]
    fn confirming_changes_the_age_only() {
        let cache = MemoryCache::new(NonZeroUsize::MIN);
        cache.confirm(&key("a"), &payload("confirmed", 1)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), None);
        cache.put(&key("a"), &payload("one", 1)).unwrap();
        cache.confirm(&key("a"), &payload("confirmed", 7)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 7)));
    }

    #[test]
    fn room_for_any_number_takes_no_memory() {
        let cache = MemoryCache::new(NonZeroUsize::MAX);
        cache.put(&key("a"), &payload("one", 1)).unwrap();
        assert_eq!(cache.get(&key("a")).unwrap(), Some(payload("one", 1)));
    }

    #[test]
    fn a_lock_that_stays_locked_hangs_nobody() {
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
    fn threads_that_crowd_lose_nothing() {
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
    fn debug_tells_no_secret() {
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
