//! Redis hangs, stops, or refuses writes.

use std::error::Error;
use std::time::Duration;

use growthbook_core::cache::{FetchLease, PayloadCache};
use growthbook_redis_cache::RedisCache;
use test_server::redis::RedisServer;
use test_server::{Gate, Relay};

use crate::{ENCRYPTED, LONG, PLAIN, cache, eventually, key, payload};

/// The server hangs or is stopped until the operations have returned. So they did not wait for it.
#[test]
fn operations_do_not_wait_for_a_hanging_server() {
    let mut server = RedisServer::start();
    let cache = cache(&server);
    eventually("a stored payload", || cache.put(&key(), &payload(PLAIN)).is_ok());

    let all_fail = |what: &str| {
        for _ in 0..3 {
            assert!(cache.get(&key()).is_err(), "{what}");
            assert!(cache.put(&key(), &payload(PLAIN)).is_err(), "{what}");
            assert!(cache.confirm(&key(), &payload(PLAIN)).is_err(), "{what}");
            assert!(cache.acquire(&key(), None, LONG).is_err(), "{what}");
        }
    };
    server.pause();
    all_fail("paused");
    server.resume();
    eventually("recovery", || cache.get(&key()).is_ok_and(|got| got == Some(payload(PLAIN))));
    server.stop();
    all_fail("stopped");
    server.restart();
    eventually("recovery", || cache.put(&key(), &payload(PLAIN)).is_ok());
}

/// The first operation may miss its deadline because it connects. A distant server would never be
/// reached if the connection were closed then.
#[test]
fn late_connection_is_kept() {
    let server = RedisServer::start();
    // The last word of the commands with which the client connects, and the first of an operation.
    for held in ["SELECT", "EVALSHA"] {
        let gate = Gate::closed();
        let relay = Relay::start(server.port(), held, &gate);
        let url = format!("redis://127.0.0.1:{}/1", relay.port());
        let cache = RedisCache::new(redis::Client::open(url).unwrap());
        assert!(cache.get(&key()).is_err());
        gate.open();
        eventually("a stored payload", || cache.put(&key(), &payload(PLAIN)).is_ok());
        assert_eq!(relay.connections(), 1, "{held}");
    }
}

#[test]
fn pause_names_the_failure_before_it() {
    let server = RedisServer::start();
    server.command(&["ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", "-@scripting"]);
    let url = server.url().replace("redis://", "redis://app:pw@");
    let cache = RedisCache::new(redis::Client::open(url).unwrap()).deadline(LONG);
    for _ in 0..5 {
        let error = cache.get(&key()).unwrap_err();
        let text = error.source().unwrap().to_string();
        assert!(text.contains("NOPERM"), "{text}");
    }
}

#[test]
fn read_only_server_is_still_read() {
    let server = RedisServer::start();
    let cache = cache(&server);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    server.refuse_writes(true);
    eventually("a refused write", || cache.put(&key(), &payload(ENCRYPTED)).is_err());
    eventually("the stored payload", || {
        cache.get(&key()).is_ok_and(|got| got == Some(payload(PLAIN)))
    });
    assert!(cache.acquire(&key(), None, Duration::ZERO).is_err());
    server.refuse_writes(false);
    eventually("recovery", || cache.put(&key(), &payload(ENCRYPTED)).is_ok());
}

#[test]
fn errors_have_no_keys_or_addresses() {
    let server = RedisServer::start();
    let url = server.url().replace("redis://", "redis://user:password@");
    let cache = RedisCache::new(redis::Client::open(url).unwrap());
    let error = cache.get(&key()).unwrap_err();
    let mut text = format!("{error} {error:?} {cache:?} {:?}", key());
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(" {error} {error:?}");
        source = error.source();
    }
    for secret in ["password", "sdk-1"] {
        assert!(!text.contains(secret), "{text}");
    }
}
