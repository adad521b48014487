//! Several processes that take turns. Which process a cache is in can be set here only; everything
//! else is in `tests/cache.rs`.

use std::thread;

use test_server::redis::RedisServer;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
const PLAIN: &str = r#"{"features": {"flag": {"defaultValue": "ü"}}}"#;
const LONG: Duration = Duration::from_secs(60);

#[test]
fn one_process_asks_and_the_others_use_what_it_got() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    // Its own turn is still its own.
    assert_eq!(one.clone().acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    let LeaseOutcome::HeldElsewhere { retry_in } = other.acquire(&key(), None, LONG).unwrap()
    else {
        unreachable!("the other has the lease");
    };
    assert!(retry_in <= Duration::from_millis(500));

    one.put(&key(), &payload(PLAIN)).unwrap();
    let LeaseOutcome::AlreadyFresh { payload: got, age } =
        other.acquire(&key(), None, LONG).unwrap()
    else {
        unreachable!("it is fresh");
    };
    assert_eq!(got, Some(payload(PLAIN)));
    assert!(age < Duration::from_secs(5), "{age:?}");
    let LeaseOutcome::AlreadyFresh { payload: got, .. } =
        other.acquire(&key(), Some(&payload(PLAIN)), LONG).unwrap()
    else {
        unreachable!("it is fresh");
    };
    assert_eq!(got, None);
    // Too old for somebody else: the next turn.
    thread::sleep(Duration::from_millis(20));
    let age = Duration::from_millis(10);
    assert_eq!(other.acquire(&key(), Some(&payload(PLAIN)), age).unwrap(), LeaseOutcome::Acquired);
}

#[test]
fn a_payload_is_as_old_as_the_question_that_it_answers() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    thread::sleep(Duration::from_millis(100));
    one.put(&key(), &payload(PLAIN)).unwrap();
    let LeaseOutcome::AlreadyFresh { age, .. } = other.acquire(&key(), None, LONG).unwrap() else {
        unreachable!("it is fresh");
    };
    assert!(age >= Duration::from_millis(95), "{age:?}");
}

#[test]
fn a_process_that_dies_holds_the_others_up_no_longer_than_its_lease() {
    let server = RedisServer::start();
    let [dead, other] = processes(&server);
    let dead = dead.lease(Duration::from_millis(200));
    assert_eq!(dead.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    let start = Instant::now();
    while other.acquire(&key(), None, LONG).unwrap() != LeaseOutcome::Acquired {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(5));
    }
    assert!(start.elapsed() > Duration::from_millis(100), "{:?}", start.elapsed());
}

/// Or else many processes would tell one another for ever that somebody has just asked.
#[test]
fn only_who_asked_says_when() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    one.put(&key(), &payload(PLAIN)).unwrap();
    thread::sleep(Duration::from_millis(100));
    other.confirm(&key(), &payload(PLAIN)).unwrap();
    other.put(&key(), &payload(PLAIN)).unwrap();
    let turn = other.acquire(&key(), Some(&payload(PLAIN)), LONG).unwrap();
    assert!(
        matches!(turn, LeaseOutcome::AlreadyFresh { age, .. } if age >= Duration::from_millis(95)),
        "{turn:?}"
    );
}

#[test]
fn a_turn_without_a_payload_is_over_in_a_moment() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    let start = Instant::now();
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    // Of another process, it is not to be given up.
    other.release(&key()).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(matches!(
        other.acquire(&key(), None, LONG).unwrap(),
        LeaseOutcome::HeldElsewhere { .. }
    ));
    one.release(&key()).unwrap();
    eventually("a turn", || other.acquire(&key(), None, LONG).unwrap() == LeaseOutcome::Acquired);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn trying_again_does_not_make_a_turn_longer() {
    let server = RedisServer::start();
    let [one, other] = processes(&server);
    let one = one.lease(Duration::from_millis(200));
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    let start = Instant::now();
    while other.acquire(&key(), None, LONG).unwrap() != LeaseOutcome::Acquired {
        assert!(start.elapsed() < PATIENCE);
        one.acquire(&key(), None, LONG).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn putting_ends_ones_own_turn_only() {
    let server = RedisServer::start();
    let [one, other, third] = processes(&server);
    assert_eq!(one.acquire(&key(), None, Duration::ZERO).unwrap(), LeaseOutcome::Acquired);
    // Asked by its application, say.
    other.put(&key(), &payload(PLAIN)).unwrap();
    thread::sleep(Duration::from_millis(5));
    let turn = third.acquire(&key(), None, Duration::ZERO).unwrap();
    assert!(matches!(turn, LeaseOutcome::HeldElsewhere { .. }), "{turn:?}");
}

/// A cache in each of several processes.
fn processes<const N: usize>(server: &RedisServer) -> [RedisCache; N] {
    core::array::from_fn(|nth| {
        let cache = RedisCache::new(redis::Client::open(server.url()).unwrap());
        let token = PROCESS.wrapping_add(u64::try_from(nth).unwrap());
        let shared = Shared { token, ..Shared::new(&cache.servers, DEFAULT_DEADLINE) };
        RedisCache { shared: Arc::new(shared), ..cache }
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
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
