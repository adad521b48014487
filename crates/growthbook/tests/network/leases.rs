//! Clients whose cache offers a lease: many processes, one of which fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use growthbook::Refresh;
use growthbook::cache::{
    CachedPayload, FetchLease, LeaseOutcome, MemoryCache, PayloadCache, PayloadCacheError,
    PayloadKey,
};
use test_server::FeaturesServer;

use crate::support::{OFTEN, builder, dated, eventually, flag, memory, payload, ready};

/// A cache in memory whose lease another process may hold.
#[derive(Clone)]
struct LeasedCache {
    cache: MemoryCache,
    is_held_elsewhere: Arc<AtomicBool>,
    acquired: Arc<AtomicUsize>,
    released: Arc<AtomicUsize>,
}

impl LeasedCache {
    fn new(is_held_elsewhere: bool) -> Self {
        LeasedCache {
            cache: memory(),
            is_held_elsewhere: Arc::new(AtomicBool::new(is_held_elsewhere)),
            acquired: Arc::default(),
            released: Arc::default(),
        }
    }
}

impl PayloadCache for LeasedCache {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        self.cache.get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.cache.put(key, payload)
    }

    fn fetch_lease(&self) -> Option<&dyn FetchLease> {
        Some(self)
    }
}

impl FetchLease for LeasedCache {
    fn acquire(
        &self,
        _: &PayloadKey,
        _: Option<&CachedPayload>,
        _: Duration,
    ) -> Result<LeaseOutcome, PayloadCacheError> {
        if self.is_held_elsewhere.load(Ordering::Relaxed) {
            return Ok(LeaseOutcome::HeldElsewhere { retry_in: Duration::from_millis(1) });
        }
        self.acquired.fetch_add(1, Ordering::Relaxed);
        Ok(LeaseOutcome::Acquired)
    }

    fn release(&self, _: &PayloadKey) -> Result<(), PayloadCacheError> {
        self.released.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Otherwise the processes that share the first cache would wait for this process in vain.
#[test]
fn waiting_process_releases_its_other_leases() {
    let server = FeaturesServer::start(&payload(1));
    let (ours, theirs) = (LeasedCache::new(false), LeasedCache::new(true));
    let first = ready(builder(&server).cache(ours.clone()).refresh(Refresh::Manual));
    let second = ready(builder(&server).cache(theirs.clone()).refresh(OFTEN));
    let before = server.counts().features;
    eventually("acquired leases", || ours.acquired.load(Ordering::Relaxed) >= 3);
    assert_eq!(server.counts().features, before);
    assert!(ours.released.load(Ordering::Relaxed) >= 2);

    theirs.is_held_elsewhere.store(false, Ordering::Relaxed);
    server.set_payload_quietly(&payload(2));
    eventually("the change", || flag(&first) == 2 && flag(&second) == 2);
}

#[test]
fn lease_is_released_after_an_older_payload() {
    let server = FeaturesServer::start(&dated(1, 10));
    let cache = LeasedCache::new(false);
    let client = ready(builder(&server).cache(cache.clone()).refresh(OFTEN));
    eventually("acquired leases", || cache.acquired.load(Ordering::Relaxed) >= 3);
    // A payload that was put or confirmed has ended each of them.
    assert_eq!(cache.released.load(Ordering::Relaxed), 0);
    server.set_payload_quietly(&dated(2, 5));
    eventually("older payloads", || client.status().counters.older_ignored >= 2);
    eventually("a released lease", || cache.released.load(Ordering::Relaxed) >= 1);
    assert_eq!(flag(&client), 1);
}
