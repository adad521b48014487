//! Clients whose caches are shared with other processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use growthbook::{
    CachedPayload, MemoryCache, PayloadCache, PayloadCacheError, PayloadKey, Refresh, Turn,
};
use test_server::FeaturesServer;

use crate::support::{OFTEN, builder, dated, eventually, flag, memory, payload, ready};

/// A cache in memory in which another process may be asking.
#[derive(Clone)]
struct Turns {
    cache: MemoryCache,
    is_theirs: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    given_up: Arc<AtomicUsize>,
}

impl Turns {
    fn new(is_theirs: bool) -> Self {
        Turns {
            cache: memory(),
            is_theirs: Arc::new(AtomicBool::new(is_theirs)),
            taken: Arc::default(),
            given_up: Arc::default(),
        }
    }
}

impl PayloadCache for Turns {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        self.cache.get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.cache.put(key, payload)
    }

    fn take_turn(
        &self,
        _: &PayloadKey,
        _: Option<&CachedPayload>,
        _: Duration,
    ) -> Result<Turn, PayloadCacheError> {
        if self.is_theirs.load(Ordering::Relaxed) {
            return Ok(Turn::Theirs { retry_in: Duration::from_millis(1) });
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(Turn::Ours)
    }

    fn give_up_turn(&self, _: &PayloadKey) -> Result<(), PayloadCacheError> {
        self.given_up.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Or else the processes that share the first cache would wait for this one in vain.
#[test]
fn who_waits_for_another_process_keeps_no_turn() {
    let server = FeaturesServer::start(&payload(1));
    let (ours, theirs) = (Turns::new(false), Turns::new(true));
    let first = ready(builder(&server).cache(ours.clone()).refresh(Refresh::Manual));
    let second = ready(builder(&server).cache(theirs.clone()).refresh(OFTEN));
    let before = server.counts().features;
    eventually("turns", || ours.taken.load(Ordering::Relaxed) >= 3);
    assert_eq!(server.counts().features, before);
    assert!(ours.given_up.load(Ordering::Relaxed) >= 2);

    theirs.is_theirs.store(false, Ordering::Relaxed);
    server.set_payload_quietly(&payload(2));
    eventually("the change", || flag(&first) == 2 && flag(&second) == 2);
}

#[test]
fn a_turn_that_brought_nothing_to_keep_is_given_up() {
    let server = FeaturesServer::start(&dated(1, 10));
    let turns = Turns::new(false);
    let client = ready(builder(&server).cache(turns.clone()).refresh(OFTEN));
    eventually("turns", || turns.taken.load(Ordering::Relaxed) >= 3);
    // What was kept or confirmed has ended them.
    assert_eq!(turns.given_up.load(Ordering::Relaxed), 0);
    server.set_payload_quietly(&dated(2, 5));
    eventually("older ones", || client.status().counters.older_ignored >= 2);
    eventually("the end of a turn", || turns.given_up.load(Ordering::Relaxed) >= 1);
    assert_eq!(flag(&client), 1);
}
