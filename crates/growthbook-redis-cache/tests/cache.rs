//! The cache against real Redis servers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use growthbook_core::{CachedPayload, FetchLease, LeaseOutcome, PayloadCache, PayloadKey};
use growthbook_redis_cache::{DEFAULT_DEADLINE, RedisCache};
use test_server::redis::RedisServer;

const PATIENCE: Duration = Duration::from_secs(20);
const PLAIN: &str = r#"{"features": {"flag": {"defaultValue": "ü"}}}"#;
const ENCRYPTED: &str = concat!(
    r#"{"features":{},"encryptedFeatures":"m5ylFM6ndyOJA2OPadubkw==."#,
    r#"Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj"}"#
);
const PYTHON_KEY: &str = "gb:https://cdn.growthbook.io::sdk-1";

fn key() -> PayloadKey {
    PayloadKey::new("https://cdn.growthbook.io", "sdk-1")
}

fn payload(document: &str) -> CachedPayload {
    CachedPayload {
        document: document.into(),
        etag: Some("W/\"1\"".into()),
        streaming: true,
        fetched_at: 1_700_000_000_123,
    }
}

fn dated(second: u32) -> CachedPayload {
    payload(&format!(r#"{{"features":{{}},"dateUpdated":"2026-01-01T00:00:{second:02}.000Z"}}"#))
}

fn cache(server: &RedisServer) -> RedisCache {
    RedisCache::new(redis::Client::open(server.url()).unwrap())
}

/// How many connections listen for announcements.
fn listeners(server: &RedisServer) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]);
    clients.as_str().unwrap().matches(" sub=1 ").count()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

// Keeping payloads.

#[test]
fn what_one_process_puts_another_gets() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    assert_eq!(other.get(&key()).unwrap(), None);
    for document in
        [PLAIN, ENCRYPTED, &format!("{{\"features\":{{}},\"x\":{:?}}}", "é".repeat(500_000))]
    {
        one.put(&key(), &payload(document)).unwrap();
        assert_eq!(other.get(&key()).unwrap(), Some(payload(document)));
        let confirmed = CachedPayload { fetched_at: 1_800_000_000_000, ..payload(document) };
        one.confirm(&key(), &confirmed).unwrap();
        assert_eq!(other.get(&key()).unwrap(), Some(confirmed));
    }
    let elsewhere = PayloadKey::new("https://cdn.growthbook.io", "sdk-2");
    assert_eq!(other.get(&elsewhere).unwrap(), None);
}

#[test]
fn a_plain_payload_is_where_other_sdks_look_for_it() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), Some(PLAIN));

    // What they put is used, but for what is known of another document.
    let theirs = r#"{"features": {"flag": {"defaultValue": 2}}}"#;
    server.command(&["SET", PYTHON_KEY, theirs]);
    let expected =
        CachedPayload { document: theirs.into(), etag: None, streaming: false, fetched_at: 0 };
    assert_eq!(cache.get(&key()).unwrap(), Some(expected));
}

#[cfg(feature = "encryption")]
#[test]
fn an_encrypted_payload_is_in_clear_only_where_asked_for() {
    let server = RedisServer::start();
    let secret = cache(&server);
    secret.put(&key(), &payload(ENCRYPTED)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), None);
    let own = format!("growthbook:payload:{{{PYTHON_KEY}}}");
    assert_eq!(server.command(&["GET", &own]).as_str(), Some(ENCRYPTED));
    assert_eq!(secret.get(&key()).unwrap(), Some(payload(ENCRYPTED)));

    let open = cache(&server).share_in_clear("Zvwv/+uhpFDznZ6SX28Yjg==".parse().unwrap());
    open.put(&key(), &payload(ENCRYPTED)).unwrap();
    let clear = r#"{"features":{"feature":{"defaultValue":true}}}"#;
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), Some(clear));
    assert_eq!(secret.get(&key()).unwrap(), Some(payload(ENCRYPTED)));

    // Encryption is switched off: the encrypted payload is not the newest any more.
    secret.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(open.get(&key()).unwrap(), Some(payload(PLAIN)));
}

#[test]
fn an_older_payload_never_replaces_a_newer_one() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &dated(5)).unwrap();
    cache.put(&key(), &dated(4)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(dated(5)));
    cache.put(&key(), &dated(6)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(dated(6)));
    // Without a date nobody knows.
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
}

#[test]
fn payloads_live_as_long_as_is_said() {
    let server = RedisServer::start();
    let seconds = |key: &str| {
        let left = format!("{:?}", server.command(&["TTL", key]));
        let digits: String = left.chars().filter(|it| it.is_ascii_digit() || *it == '-').collect();
        digits.parse::<i64>().unwrap()
    };
    let own = format!("growthbook:payload:{{{PYTHON_KEY}}}");
    cache(&server).put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(seconds(&own), -1);
    // Whoever looks there asks the server only when there is nothing.
    assert!((590..=600).contains(&seconds(PYTHON_KEY)));
    server.command(&["EXPIRE", PYTHON_KEY, "5"]);
    cache(&server).confirm(&key(), &payload(PLAIN)).unwrap();
    assert!((590..=600).contains(&seconds(PYTHON_KEY)));
    server.command(&["DEL", PYTHON_KEY]);
    assert_eq!(cache(&server).get(&key()).unwrap(), Some(payload(PLAIN)));
    cache(&server).confirm(&key(), &payload(PLAIN)).unwrap();
    assert!((590..=600).contains(&seconds(PYTHON_KEY)));

    let mortal = cache(&server).time_to_live(Duration::from_secs(1000));
    mortal.put(&key(), &payload(PLAIN)).unwrap();
    server.command(&["EXPIRE", &own, "5"]);
    mortal.confirm(&key(), &payload(PLAIN)).unwrap();
    assert!((990..=1000).contains(&seconds(&own)));
    // What no clock can express is as good as for ever.
    let odd =
        cache(&server).time_to_live(Duration::MAX).lease(Duration::MAX).deadline(Duration::MAX);
    assert_eq!(odd.acquire(&key(), None, Duration::ZERO).unwrap(), LeaseOutcome::Acquired);
    odd.put(&key(), &payload(PLAIN)).unwrap();
}

#[test]
fn what_was_in_clear_goes_when_it_comes_encrypted() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    cache.put(&key(), &payload(ENCRYPTED)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), None);
    // What others have put there is theirs.
    server.command(&["SET", PYTHON_KEY, PLAIN]);
    cache.put(&key(), &payload(ENCRYPTED)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), Some(PLAIN));
}

#[test]
fn a_document_without_a_tag_keeps_that_of_the_same_document() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    cache.put(&key(), &CachedPayload { etag: None, ..payload(PLAIN) }).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
    cache.put(&key(), &CachedPayload { etag: None, ..dated(1) }).unwrap();
    assert_eq!(cache.get(&key()).unwrap().unwrap().etag, None);
}

#[test]
fn confirming_one_document_says_nothing_of_another() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    other.put(&key(), &payload(ENCRYPTED)).unwrap();
    one.confirm(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(one.get(&key()).unwrap(), Some(payload(ENCRYPTED)));
}

#[test]
fn whatever_is_in_redis_is_survived() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    let meta = format!("growthbook:meta:{{{PYTHON_KEY}}}");
    let lease = format!("growthbook:lease:{{{PYTHON_KEY}}}");
    let own = format!("growthbook:payload:{{{PYTHON_KEY}}}");
    let rubbish: [&[&[u8]]; 10] = [
        &[b"FLUSHALL"],
        &[b"SET", PYTHON_KEY.as_bytes(), b"\xff\xfe"],
        &[b"RPUSH", PYTHON_KEY.as_bytes(), b"1"],
        &[b"SET", meta.as_bytes(), b"no hash"],
        &[b"HSET", meta.as_bytes(), b"digest", b"\xff", b"begun", b"soon", b"date", b"\xff"],
        &[b"RPUSH", lease.as_bytes(), b"1"],
        &[b"SET", lease.as_bytes(), b"for ever"],
        &[b"SADD", own.as_bytes(), b"1"],
        &[b"SET", own.as_bytes(), b"\xff\xfe"],
        &[b"HSET", meta.as_bytes(), b"begun", b"99999999999999999999999999", b"fetched_at", b"-1"],
    ];
    for command in rubbish {
        if command.len() > 1 {
            server.command(&[b"DEL".as_slice(), command[1]]);
        }
        server.command(command);
        // None, or what is there.
        cache.get(&key()).unwrap();
        cache.acquire(&key(), None, Duration::from_secs(60)).unwrap();
        cache.acquire(&key(), Some(&payload(PLAIN)), Duration::from_secs(60)).unwrap();
        cache.confirm(&key(), &payload(PLAIN)).unwrap();
        cache.put(&key(), &payload(PLAIN)).unwrap();
        assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)), "{command:?}");
    }
}

#[test]
fn what_was_confirmed_is_there_also_after_a_flush() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    server.command(&["FLUSHALL"]);
    cache.confirm(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
}

// Taking turns; those of several processes are in `src/cache/tests.rs`.

const LONG: Duration = Duration::from_secs(60);

#[test]
fn the_caches_of_a_process_have_its_turn_in_common() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    assert_eq!(other.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    // The one ends it for both.
    other.put(&key(), &payload(PLAIN)).unwrap();
    let turn = one.acquire(&key(), Some(&payload(PLAIN)), LONG).unwrap();
    assert!(matches!(turn, LeaseOutcome::AlreadyFresh { payload: None, .. }), "{turn:?}");
}

// Hearing of one another.

#[test]
fn the_others_hear_of_a_payload_and_oneself_does_not() {
    let server = RedisServer::start();
    let listen = |cache: &RedisCache| {
        let heard = Arc::new(AtomicUsize::new(0));
        let counter = heard.clone();
        let changed = Box::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        (heard, cache.watch(&key(), changed).unwrap())
    };
    let (one, other) = (cache(&server), cache(&server));
    let (heard_by_one, _watch) = listen(&one);
    let (heard_by_other, watch) = listen(&other);
    eventually("two listeners", || listeners(&server) == 2);
    one.put(&key(), &payload(PLAIN)).unwrap();
    eventually("news", || heard_by_other.load(Ordering::SeqCst) == 1);
    assert_eq!(heard_by_one.load(Ordering::SeqCst), 0);
    // The same document is no news to whoever has got it.
    assert_eq!(other.get(&key()).unwrap(), Some(payload(PLAIN)));
    one.put(&key(), &payload(PLAIN)).unwrap();

    let start = Instant::now();
    drop(watch);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(heard_by_other.load(Ordering::SeqCst), 1);
}

#[test]
fn a_listener_that_was_cut_off_looks_again() {
    let mut server = RedisServer::start();
    let cache = cache(&server);
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = heard.clone();
    let changed = Box::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let _watch = cache.watch(&key(), changed).unwrap();
    eventually("a listener", || listeners(&server) == 1);
    server.restart();
    eventually("another look", || heard.load(Ordering::SeqCst) >= 1);
    assert_eq!(listeners(&server), 1);
}

// When Redis fails.

#[test]
fn nothing_takes_longer_than_the_deadline() {
    let mut server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();

    let all_fail_in_time = |what: &str| {
        for _ in 0..3 {
            let operations: [&dyn Fn() -> bool; 4] = [
                &|| cache.get(&key()).is_err(),
                &|| cache.put(&key(), &payload(PLAIN)).is_err(),
                &|| cache.confirm(&key(), &payload(PLAIN)).is_err(),
                &|| cache.acquire(&key(), None, LONG).is_err(),
            ];
            for operation in operations {
                let start = Instant::now();
                assert!(operation(), "{what}");
                let took = start.elapsed();
                assert!(took < DEFAULT_DEADLINE + Duration::from_millis(250), "{what}: {took:?}");
            }
        }
    };
    server.pause();
    all_fail_in_time("paused");
    server.resume();
    eventually("recovery", || cache.get(&key()).is_ok_and(|got| got == Some(payload(PLAIN))));
    server.stop();
    all_fail_in_time("stopped");
    server.restart();
    eventually("recovery", || cache.put(&key(), &payload(PLAIN)).is_ok());
}

#[test]
fn a_server_that_refuses_writes_is_still_read() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    server.refuse_writes(true);
    eventually("a refusal", || cache.put(&key(), &payload(ENCRYPTED)).is_err());
    eventually("what is there", || cache.get(&key()).is_ok_and(|got| got == Some(payload(PLAIN))));
    assert!(cache.acquire(&key(), None, Duration::ZERO).is_err());
    server.refuse_writes(false);
    eventually("recovery", || cache.put(&key(), &payload(ENCRYPTED)).is_ok());
}

#[test]
fn errors_name_neither_keys_nor_addresses() {
    let server = RedisServer::start();
    let url = server.url().replace("redis://", "redis://user:password@");
    let cache = RedisCache::new(redis::Client::open(url).unwrap());
    let error = cache.get(&key()).unwrap_err();
    let mut text = format!("{error} {error:?} {cache:?} {:?}", key());
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        text += &format!(" {error} {error:?}");
        source = error.source();
    }
    for secret in ["password", "sdk-1"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[cfg(feature = "cluster")]
#[test]
fn a_cluster_serves_as_well() {
    let cluster = test_server::redis::RedisCluster::start();
    let open = || {
        let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
        RedisCache::new(client).deadline(Duration::from_secs(2))
    };
    let (one, other) = (open(), open());
    // Keys in all parts of the cluster.
    for number in 0..20 {
        let key = PayloadKey::new("https://cdn.growthbook.io", format!("sdk-{number}"));
        assert_eq!(one.acquire(&key, None, LONG).unwrap(), LeaseOutcome::Acquired);
        one.put(&key, &payload(PLAIN)).unwrap();
        assert_eq!(other.get(&key).unwrap(), Some(payload(PLAIN)));
        let turn = other.acquire(&key, Some(&payload(PLAIN)), LONG).unwrap();
        assert!(matches!(turn, LeaseOutcome::AlreadyFresh { payload: None, .. }), "{turn:?}");
    }
    assert!(one.watch(&key(), Box::new(|| {})).is_none());
}

#[cfg(feature = "sentinel")]
#[test]
fn sentinel_leads_to_the_master() {
    let master = RedisServer::start();
    let sentinel = test_server::redis::RedisSentinel::start(&master);
    let client = redis::sentinel::SentinelClient::build(
        vec![sentinel.url()],
        "growthbook",
        None,
        redis::sentinel::SentinelServerType::Master,
    );
    let cache = RedisCache::new(client.unwrap()).deadline(Duration::from_secs(2));
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(master.command(&["GET", PYTHON_KEY]).as_str(), Some(PLAIN));
}
