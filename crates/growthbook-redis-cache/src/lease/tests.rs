//! Tests with several processes. Only tests in this crate can set the process of a cache; the
//! other tests are in `tests/cache.rs`.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use growthbook_core::cache::PayloadCache;
use test_server::redis::RedisServer;

use super::*;
use crate::cache::{DEFAULT_DEADLINE, Shared};

/// No test waits this long, unless something is broken. It is shorter than [`LONG`].
const PATIENCE: Duration = Duration::from_secs(45);
const PLAIN: &str = r#"{"features": {"flag": {"defaultValue": "ü"}}}"#;
const LONG: Duration = Duration::from_secs(60);

#[test]
fn one_process_fetches_for_all() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    let start = Instant::now();
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    // The holder may acquire again.
    assert_eq!(one.clone().acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    let outcome = other.acquire(&key(), None, LONG).unwrap();
    let LeaseOutcome::HeldElsewhere { retry_in } = outcome else {
        unreachable!("the first process holds the lease");
    };
    assert!(retry_in <= Duration::from_millis(500));

    one.put(&key(), &payload(PLAIN)).unwrap();
    let (got, age) = fresh(other.acquire(&key(), None, LONG).unwrap());
    assert_eq!(got, Some(payload(PLAIN)));
    assert!(age < start.elapsed() + Duration::from_millis(5), "{age:?}");
    let (got, _) = fresh(other.acquire(&key(), Some(&payload(PLAIN)), LONG).unwrap());
    assert_eq!(got, None);

    // The payload gets too old for the other process.
    thread::sleep(Duration::from_millis(20));
    let max_age = Duration::from_millis(10);
    let outcome = other.acquire(&key(), Some(&payload(PLAIN)), max_age).unwrap();
    assert_eq!(outcome, LeaseOutcome::Acquired);
}

#[test]
fn age_counts_from_the_start_of_the_fetch() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    thread::sleep(Duration::from_millis(100));
    one.put(&key(), &payload(PLAIN)).unwrap();
    let (_, age) = fresh(other.acquire(&key(), None, LONG).unwrap());
    assert!(age >= Duration::from_millis(95), "{age:?}");
}

#[test]
fn lease_expires_when_holder_dies() {
    let server = RedisServer::start();
    let [dead, other] = processes(&server);
    let lease = Duration::from_millis(200);
    let start = Instant::now();
    assert_eq!(dead.lease(lease).acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    eventually("an expired lease", || {
        other.acquire(&key(), None, LONG).unwrap() == LeaseOutcome::Acquired
    });
    // Redis counts whole milliseconds, by its own clock.
    assert!(start.elapsed() > lease / 2, "{:?}", start.elapsed());
}

/// Otherwise a busy fleet would always find that another process has just fetched.
#[test]
fn only_the_holder_records_the_fetch_time() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    one.put(&key(), &payload(PLAIN)).unwrap();
    thread::sleep(Duration::from_millis(100));
    other.confirm(&key(), &payload(PLAIN)).unwrap();
    other.put(&key(), &payload(PLAIN)).unwrap();
    let (_, age) = fresh(other.acquire(&key(), Some(&payload(PLAIN)), LONG).unwrap());
    assert!(age >= Duration::from_millis(95), "{age:?}");
}

#[test]
fn released_lease_is_free_after_a_pause() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    let one = one.lease(LONG);
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    // A process cannot release the lease of another process.
    other.release(&key()).unwrap();
    // The pause after a release is shorter.
    thread::sleep(Duration::from_millis(300));
    assert_held_elsewhere(&other.acquire(&key(), None, LONG).unwrap());
    one.release(&key()).unwrap();
    eventually("a free lease", || {
        other.acquire(&key(), None, LONG).unwrap() == LeaseOutcome::Acquired
    });
}

#[test]
fn acquiring_again_does_not_extend_the_lease() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    let one = one.lease(Duration::from_millis(200));
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    eventually("an expired lease", || {
        one.acquire(&key(), None, LONG).unwrap();
        other.acquire(&key(), None, LONG).unwrap() == LeaseOutcome::Acquired
    });
}

#[test]
fn put_keeps_the_lease_of_another_process() {
    let server = RedisServer::start();
    let [one, other, third] = processes(&server);
    assert_eq!(one.acquire(&key(), None, Duration::ZERO).unwrap(), LeaseOutcome::Acquired);
    // The application of another process may order a refresh, which needs no lease.
    other.put(&key(), &payload(PLAIN)).unwrap();
    thread::sleep(Duration::from_millis(5));
    assert_held_elsewhere(&third.acquire(&key(), None, Duration::ZERO).unwrap());
}

fn fresh(outcome: LeaseOutcome) -> (Option<CachedPayload>, Duration) {
    let LeaseOutcome::AlreadyFresh { payload, age } = outcome else {
        unreachable!("expected a fresh payload, got {outcome:?}");
    };
    (payload, age)
}

fn assert_held_elsewhere(outcome: &LeaseOutcome) {
    assert!(matches!(outcome, LeaseOutcome::HeldElsewhere { .. }), "{outcome:?}");
}

/// Makes one cache in each of several processes.
fn processes<const N: usize>(server: &RedisServer) -> [RedisCache; N] {
    core::array::from_fn(|nth| {
        let mut cache = RedisCache::new(redis::Client::open(server.url()).unwrap());
        let mut shared = Shared::new(&cache.address, DEFAULT_DEADLINE);
        shared.process = shared.process.wrapping_add(u64::try_from(nth).unwrap());
        cache.shared = Arc::new(shared);
        cache
    })
}

fn key() -> PayloadKey {
    PayloadKey::new("https://cdn.growthbook.io", "sdk-1")
}

fn payload(document: &str) -> CachedPayload {
    CachedPayload { document: document.into(), etag: None, streaming: true, fetched_at: 1 }
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
