//! Storing, reading and confirming payloads.

use std::sync::mpsc;
use std::time::Duration;

use growthbook_core::cache::{CachedPayload, FetchLease, LeaseOutcome, PayloadCache, PayloadKey};
use test_server::redis::{RedisReply, RedisServer};

use crate::{
    ENCRYPTED, PATIENCE, PLAIN, PYTHON_KEY, cache, dated, eventually, key, own_key, payload,
};

#[test]
fn payload_is_shared_between_caches() {
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
fn copy_is_shared_with_the_python_sdk() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), Some(PLAIN));

    // The Python SDK puts a different document. The ETag and the time do not belong to it.
    let theirs = r#"{"features": {"flag": {"defaultValue": 2}}}"#;
    server.command(&["SET", PYTHON_KEY, theirs]);
    let expected =
        CachedPayload { document: theirs.into(), etag: None, streaming: false, fetched_at: 0 };
    assert_eq!(cache.get(&key()).unwrap(), Some(expected));
}

#[cfg(feature = "encryption")]
#[test]
fn clear_copy_of_encrypted_payload_is_opt_in() {
    let server = RedisServer::start();
    let secret = cache(&server);
    secret.put(&key(), &payload(ENCRYPTED)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), None);
    assert_eq!(server.command(&["GET", &own_key()]).as_str(), Some(ENCRYPTED));
    assert_eq!(secret.get(&key()).unwrap(), Some(payload(ENCRYPTED)));

    let open = cache(&server).share_in_clear("Zvwv/+uhpFDznZ6SX28Yjg==".parse().unwrap());
    open.put(&key(), &payload(ENCRYPTED)).unwrap();
    let clear = r#"{"features":{"feature":{"defaultValue":true}}}"#;
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), Some(clear));
    assert_eq!(secret.get(&key()).unwrap(), Some(payload(ENCRYPTED)));

    // Encryption is switched off: the encrypted payload must not come back.
    secret.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(open.get(&key()).unwrap(), Some(payload(PLAIN)));
}

#[test]
fn older_payload_is_ignored() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &dated(5)).unwrap();
    cache.put(&key(), &dated(4)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(dated(5)));
    cache.put(&key(), &dated(6)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(dated(6)));
    // A payload without a date may be newer.
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
}

#[test]
fn payload_from_the_future_is_replaced() {
    let server = RedisServer::start();
    let cache = cache(&server);
    let future = |year: u32| {
        let date = format!("{year}-01-01T00:00:00.000Z");
        payload(&format!(r#"{{"features":{{}},"dateUpdated":"{date}"}}"#))
    };
    cache.put(&key(), &future(2099)).unwrap();
    // Among wrong dates, the order holds.
    cache.put(&key(), &future(2098)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(future(2099)));
    cache.put(&key(), &dated(5)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(dated(5)));
    cache.put(&key(), &dated(4)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(dated(5)));
}

/// Returns the seconds until an entry expires, or -1 if it never does.
fn seconds_left(server: &RedisServer, key: &str) -> i64 {
    let left = format!("{:?}", server.command(&["TTL", key]));
    let digits: String = left.chars().filter(|it| it.is_ascii_digit() || *it == '-').collect();
    digits.parse().unwrap()
}

#[test]
fn payload_lives_forever_by_default() {
    let server = RedisServer::start();
    cache(&server).put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(seconds_left(&server, &own_key()), -1);
}

#[test]
fn each_refresh_renews_the_time_to_live() {
    let server = RedisServer::start();
    let cache = cache(&server).time_to_live(Duration::from_secs(1000));
    cache.put(&key(), &payload(PLAIN)).unwrap();
    server.command(&["EXPIRE", &own_key(), "5"]);
    cache.confirm(&key(), &payload(PLAIN)).unwrap();
    assert!((500..=1000).contains(&seconds_left(&server, &own_key())));
}

/// The Python SDK asks the server only when there is no copy.
#[test]
fn each_refresh_renews_the_copy() {
    let server = RedisServer::start();
    let cache = cache(&server);
    let is_renewed = || (300..=600).contains(&seconds_left(&server, PYTHON_KEY));
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert!(is_renewed());
    server.command(&["EXPIRE", PYTHON_KEY, "5"]);
    cache.confirm(&key(), &payload(PLAIN)).unwrap();
    assert!(is_renewed());
    server.command(&["DEL", PYTHON_KEY]);
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
    cache.confirm(&key(), &payload(PLAIN)).unwrap();
    assert!(is_renewed());
}

#[test]
fn endless_durations_are_accepted() {
    let server = RedisServer::start();
    let endless = Duration::MAX;
    let cache = cache(&server).time_to_live(endless).lease(endless).deadline(endless);
    assert_eq!(cache.acquire(&key(), None, Duration::ZERO).unwrap(), LeaseOutcome::Acquired);
    cache.put(&key(), &payload(PLAIN)).unwrap();
}

#[test]
fn own_copy_is_deleted_for_encrypted_payload() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    cache.put(&key(), &payload(ENCRYPTED)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), None);
    // A copy of another SDK stays.
    server.command(&["SET", PYTHON_KEY, PLAIN]);
    cache.put(&key(), &payload(ENCRYPTED)).unwrap();
    assert_eq!(server.command(&["GET", PYTHON_KEY]).as_str(), Some(PLAIN));
}

#[test]
fn same_document_keeps_its_etag() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    cache.put(&key(), &CachedPayload { etag: None, ..payload(PLAIN) }).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
    cache.put(&key(), &CachedPayload { etag: None, ..dated(1) }).unwrap();
    assert_eq!(cache.get(&key()).unwrap().unwrap().etag, None);
}

#[test]
fn older_payload_that_the_server_insists_on_is_stored() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    one.put(&key(), &dated(2)).unwrap();
    one.put(&key(), &dated(1)).unwrap();
    assert_eq!(other.get(&key()).unwrap(), Some(dated(2)));
    let (sender, notified) = mpsc::channel();
    let watch = other.watch(&key(), Box::new(move || sender.send(()).unwrap())).unwrap();
    eventually("a subscription", || {
        server.command(&["PUBSUB", "CHANNELS"]) != RedisReply::Array(Vec::new())
    });
    one.replace(&key(), &dated(1)).unwrap();
    notified.recv_timeout(PATIENCE).unwrap();
    assert_eq!(other.get(&key()).unwrap(), Some(dated(1)));
    one.put(&key(), &dated(2)).unwrap();
    assert_eq!(other.get(&key()).unwrap(), Some(dated(2)));
    drop(watch);
}

#[test]
fn confirm_keeps_a_different_payload() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    other.put(&key(), &payload(ENCRYPTED)).unwrap();
    one.confirm(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(one.get(&key()).unwrap(), Some(payload(ENCRYPTED)));
}

#[test]
fn garbage_in_redis_is_replaced() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    let meta = format!("growthbook:meta:{{{PYTHON_KEY}}}");
    let lease = format!("growthbook:lease:{{{PYTHON_KEY}}}");
    let own = own_key();
    let garbage: [&[&[u8]]; 10] = [
        &[b"FLUSHALL"],
        &[b"SET", PYTHON_KEY.as_bytes(), b"\xff\xfe"],
        &[b"RPUSH", PYTHON_KEY.as_bytes(), b"1"],
        &[b"SET", meta.as_bytes(), b"not a hash"],
        &[b"HSET", meta.as_bytes(), b"digest", b"\xff", b"begun", b"soon", b"date", b"\xff"],
        &[b"RPUSH", lease.as_bytes(), b"1"],
        &[b"SET", lease.as_bytes(), b"forever"],
        &[b"SADD", own.as_bytes(), b"1"],
        &[b"SET", own.as_bytes(), b"\xff\xfe"],
        &[b"HSET", meta.as_bytes(), b"begun", b"99999999999999999999999999", b"fetched_at", b"-1"],
    ];
    for command in garbage {
        if command.len() > 1 {
            server.command(&[b"DEL".as_slice(), command[1]]);
        }
        server.command(command);
        // Each operation must succeed, whatever its result is.
        cache.get(&key()).unwrap();
        cache.acquire(&key(), None, Duration::from_secs(60)).unwrap();
        cache.acquire(&key(), Some(&payload(PLAIN)), Duration::from_secs(60)).unwrap();
        cache.confirm(&key(), &payload(PLAIN)).unwrap();
        cache.put(&key(), &payload(PLAIN)).unwrap();
        assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)), "{command:?}");
    }
}

#[test]
fn confirm_restores_payload_after_a_flush() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    server.command(&["FLUSHALL"]);
    cache.confirm(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
}
