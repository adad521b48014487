//! The lease, and notifications of new payloads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use growthbook_core::cache::{CacheWatch, FetchLease, LeaseOutcome, PayloadCache};
use growthbook_redis_cache::RedisCache;
use test_server::redis::{RedisReply, RedisServer};

use crate::{LONG, PLAIN, PYTHON_KEY, cache, eventually, in_time, key, payload};

#[test]
fn caches_of_one_process_share_the_lease() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    assert_eq!(other.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    // Either cache ends the lease for both.
    other.put(&key(), &payload(PLAIN)).unwrap();
    let outcome = one.acquire(&key(), Some(&payload(PLAIN)), LONG).unwrap();
    assert!(matches!(outcome, LeaseOutcome::AlreadyFresh { payload: None, .. }), "{outcome:?}");
}

/// A user of Redis that may use these keys only needs no others.
#[test]
fn prefix_separates_caches() {
    let server = RedisServer::start();
    server.command(&["ACL", "SETUSER", "app", "on", ">pw", "~shop:*", "&shop:*", "+@all"]);
    let url = server.url().replace("redis://", "redis://app:pw@");
    let shop = || {
        let client = redis::Client::open(&*url).unwrap();
        RedisCache::new(client).deadline(LONG).prefix("shop:").unwrap()
    };
    let (one, other, plain) = (shop(), shop(), cache(&server).deadline(LONG));
    let notified = Arc::new(AtomicUsize::new(0));
    let count = notified.clone();
    let changed = Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let _watch = other.watch(&key(), changed).unwrap();
    eventually("a subscription", || {
        server.command(&["PUBSUB", "CHANNELS", "shop:*"]) != RedisReply::Array(Vec::new())
    });
    assert_eq!(one.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    one.put(&key(), &payload(PLAIN)).unwrap();
    eventually("a notification", || notified.load(Ordering::SeqCst) == 1);
    assert_eq!(other.get(&key()).unwrap(), Some(payload(PLAIN)));
    assert_eq!(plain.get(&key()).unwrap(), None);
    assert_eq!(server.command(&["KEYS", "[^s]*"]), RedisReply::Array(Vec::new()));
}

/// Processes of different versions of this crate share the entries.
#[test]
fn lease_and_facts_have_a_stable_format() {
    let server = RedisServer::start();
    let cache = cache(&server);
    assert_eq!(cache.acquire(&key(), None, LONG).unwrap(), LeaseOutcome::Acquired);
    let lease = format!("growthbook:lease:{{{PYTHON_KEY}}}");
    let holder = server.command(&["GET", &lease]);
    let (id, hash) = holder.as_str().unwrap().split_once('-').unwrap();
    assert_eq!(id, std::process::id().to_string());
    assert!(hash.len() == 16 && u64::from_str_radix(hash, 16).is_ok(), "{hash}");

    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(server.command(&["GET", &lease]).as_str(), None);
    let meta = format!("growthbook:meta:{{{PYTHON_KEY}}}");
    let facts = [
        ("digest", "7a4ad966cce0327344dd71e154417868"),
        ("etag", "W/\"1\""),
        ("streaming", "1"),
        ("fetched_at", "1700000000123"),
        ("date", ""),
        ("plain", "b3d42c6195e7ce0f326271b8040678df89f8f8ff"),
    ];
    for (name, expected) in facts {
        assert_eq!(server.command(&["HGET", &meta, name]).as_str(), Some(expected), "{name}");
    }
    let begun = server.command(&["HGET", &meta, "begun"]);
    assert!(begun.as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000_000);
}

/// Returns how many connections are subscribed to a channel.
fn subscribers(server: &RedisServer) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]);
    clients.as_str().unwrap().matches(" sub=1 ").count()
}

/// Watches for payloads, and counts the notifications.
fn count_notifications(cache: &RedisCache) -> (Arc<AtomicUsize>, CacheWatch) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let changed = Box::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    (count, cache.watch(&key(), changed).unwrap())
}

#[test]
fn other_caches_are_notified_of_a_payload() {
    let server = RedisServer::start();
    let (one, other) = (cache(&server), cache(&server));
    let (count_of_one, _watch) = count_notifications(&one);
    let (count_of_other, watch) = count_notifications(&other);
    eventually("two subscribers", || subscribers(&server) == 2);
    one.put(&key(), &payload(PLAIN)).unwrap();
    eventually("a notification", || count_of_other.load(Ordering::SeqCst) == 1);
    assert_eq!(count_of_one.load(Ordering::SeqCst), 0);
    // A document that a cache has already causes no notification.
    assert_eq!(other.get(&key()).unwrap(), Some(payload(PLAIN)));
    one.put(&key(), &payload(PLAIN)).unwrap();

    // The end of the watch does not wait for a notification: there is none.
    in_time("the end of the watch", move || drop(watch));
    assert_eq!(count_of_other.load(Ordering::SeqCst), 1);
}

#[test]
fn watch_notifies_after_a_reconnect() {
    let mut server = RedisServer::start();
    let cache = cache(&server);
    let (count, _watch) = count_notifications(&cache);
    eventually("a subscriber", || subscribers(&server) == 1);
    server.restart();
    eventually("a notification", || count.load(Ordering::SeqCst) >= 1);
    assert_eq!(subscribers(&server), 1);
}
