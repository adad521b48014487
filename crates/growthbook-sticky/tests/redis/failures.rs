//! Redis that is down, halted, restarted, read-only or full.

use std::thread;
use std::time::Duration;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{
    RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreErrorKind, WriteBehind,
    WriteBehindOptions,
};
use test_server::redis::{RedisOptions, RedisServer};
use test_server::{Gate, Relay};

use crate::support::{PATIENCE, document, eventually, key, kind, load, patient, store, store_with};

/// A deadline that passes while a server is halted.
const SHORT: Duration = Duration::from_millis(200);

#[test]
fn calls_fail_while_the_server_is_down() {
    let mut server = RedisServer::start_with(RedisOptions::new().append_only());
    let store = store(&server);
    let saved = document("id", "1", &[("a__0", "0")]);
    store.save(&saved).unwrap();
    server.stop();
    let error = store.get_all(&[key("id", "1")]).unwrap_err();
    assert_eq!(kind(&error), RedisStoreErrorKind::Unreachable);
    // The pauses grow, so that a call meets one on a slow machine as well.
    assert!(eventually(|| kind(&store.save(&saved).unwrap_err()) == RedisStoreErrorKind::Pausing));
    server.restart();
    assert!(eventually(|| store.save(&saved).is_ok()));
    assert_eq!(load(&store, "1"), Some(saved));
}

#[test]
fn closed_idle_connection_is_not_an_error() {
    let server = RedisServer::start();
    let store = store(&server);
    for _ in 0..3 {
        store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
}

#[test]
fn halted_server_does_not_block_calls() {
    let server = RedisServer::start();
    let store = store_with(&server, RedisStickyBucketOptions::new().deadline(SHORT));
    assert!(eventually(|| store.save(&document("id", "1", &[("a__0", "0")])).is_ok()));
    server.pause();
    thread::scope(|scope| {
        let call = || kind(&store.get_all(&[key("id", "1")]).unwrap_err());
        let calls: Vec<_> = (0..32).map(|_| scope.spawn(call)).collect();
        let kinds: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        let number = |kind| kinds.iter().filter(|found| **found == kind).count();
        let timeouts = number(RedisStoreErrorKind::TimedOut);
        assert!(timeouts > 0, "{kinds:?}");
        assert_eq!(timeouts + number(RedisStoreErrorKind::Pausing), 32, "{kinds:?}");
    });
    let call = || kind(&store.get_all(&[key("id", "1")]).unwrap_err());
    assert!(eventually(|| call() == RedisStoreErrorKind::Pausing));

    server.resume();
    assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
}

#[test]
fn halted_server_does_not_block_the_first_call() {
    let server = RedisServer::start();
    server.pause();
    let store = store_with(&server, RedisStickyBucketOptions::new().deadline(SHORT));
    let error = store.get_all(&[key("id", "1")]).unwrap_err();
    assert_eq!(kind(&error), RedisStoreErrorKind::TimedOut);
    server.resume();
    assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
}

/// The first call may miss its deadline because it connects. Without this no call would succeed where
/// connecting takes longer than the deadline.
#[test]
fn late_connection_is_kept() {
    let server = RedisServer::start();
    // The last word of the commands with which the client connects, and the first of a load.
    for held in ["SELECT", "MGET"] {
        let gate = Gate::closed();
        let relay = Relay::start(server.port(), held, &gate);
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/1", relay.port())).unwrap();
        let options = RedisStickyBucketOptions::new().deadline(SHORT);
        let store = RedisStickyBucketStore::with_options(client, options);
        let error = store.get_all(&[key("id", "1")]).unwrap_err();
        assert_eq!(kind(&error), RedisStoreErrorKind::TimedOut);
        gate.open();
        assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
        assert_eq!(relay.connections(), 1, "{held}");
    }
}

#[test]
fn store_accepts_the_longest_deadline() {
    let mut server = RedisServer::start();
    let options = RedisStickyBucketOptions::new().deadline(Duration::MAX);
    let store = store_with(&server, options);
    store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
    server.stop();
    // The deadline is added to the time of the next attempt as well.
    assert!(eventually(|| {
        let error = store.get_all(&[key("id", "1")]).unwrap_err();
        kind(&error) == RedisStoreErrorKind::Pausing
    }));
    server.restart();
    assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
}

#[test]
fn unknown_host_name_is_an_error() {
    let client = redis::Client::open("redis://redis.invalid/").unwrap();
    let store = RedisStickyBucketStore::new(client);
    let error = store.get_all(&[key("id", "1")]).unwrap_err();
    assert!(matches!(
        kind(&error),
        RedisStoreErrorKind::Unreachable | RedisStoreErrorKind::TimedOut
    ));
}

#[test]
fn emptied_server_accepts_new_documents() {
    let server = RedisServer::start();
    let store = store_with(&server, patient().merge(true));
    store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
    server.command(&["FLUSHALL"]);
    server.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(load(&store, "1"), None);
    store.save(&document("id", "1", &[("b__0", "0")])).unwrap();
    assert_eq!(load(&store, "1"), Some(document("id", "1", &[("b__0", "0")])));
}

#[test]
fn server_that_refuses_writes_can_be_read() {
    let server = RedisServer::start();
    for merge in [false, true] {
        let store = store_with(&server, patient().merge(merge));
        let saved = document("id", "1", &[("a__0", "0")]);
        store.save(&saved).unwrap();
        let states: [fn(&RedisServer, bool); 3] = [
            RedisServer::refuse_writes,
            |server, refuse| {
                let bytes = if refuse { "1" } else { "0" };
                server.command(&["CONFIG", "SET", "maxmemory", bytes]);
            },
            RedisServer::be_replica,
        ];
        for set in states {
            set(&server, true);
            let error = store.save(&saved).unwrap_err();
            assert_eq!(kind(&error), RedisStoreErrorKind::Refused, "{error:?}");
            assert_eq!(load(&store, "1").as_ref(), Some(&saved));
            set(&server, false);
            store.save(&saved).unwrap();
        }
    }
}

#[test]
fn errors_hide_keys_and_passwords() {
    // Redis repeats the arguments of a command it does not know.
    let options = RedisOptions::new()
        .directive("rename-command", "SET xset")
        .directive("requirepass", "hunter2");
    let server = RedisServer::start_with(options);
    let url = format!("redis://:hunter2@127.0.0.1:{}", server.port());
    let right = RedisStickyBucketStore::new(redis::Client::open(url).unwrap());
    let url = format!("redis://:hunter3@127.0.0.1:{}", server.port());
    let wrong = RedisStickyBucketStore::new(redis::Client::open(url).unwrap());
    for store in [right, wrong] {
        let error = store.save(&document("id", "secret", &[("a__0", "secret")])).unwrap_err();
        let text = format!("{error} {error:?} {store:?}");
        assert!(!text.contains("secret") && !text.contains("hunter"), "{text}");
    }
}

#[test]
fn outage_loses_no_queued_document() {
    let mut server = RedisServer::start_with(RedisOptions::new().append_only());
    let options = WriteBehindOptions::new().retry_for(Duration::from_secs(3600));
    let store = WriteBehind::with_options(store(&server), options);
    let users: Vec<String> = (0..50).map(|user| user.to_string()).collect();
    store.save(&document("id", &users[0], &[("a__0", "0")])).unwrap();
    store.flush(PATIENCE).unwrap();
    server.stop();
    for user in &users {
        store.save(&document("id", user, &[("b__0", "0")])).unwrap();
    }
    assert_eq!(store.counters().queued, 50);
    // Queued documents are read although Redis is down.
    assert!(load(&store, &users[7]).is_some());
    assert!(store.flush(SHORT).is_err());
    assert!(eventually(|| store.counters().failed > 0));
    server.restart();
    store.close(PATIENCE).unwrap();
    assert!(users.iter().all(|user| load(&store, user).is_some()));
    let counters = store.counters();
    assert_eq!((counters.saved, counters.lost, counters.queued), (51, 0, 0));
}
