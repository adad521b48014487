//! Redis down, slow, restarted, read-only, full.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{
    DEFAULT_REDIS_DEADLINE, RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreErrorKind,
    WriteBehind,
};
use test_server::redis::{RedisOptions, RedisServer};

use crate::support::{
    SLACK, document, eventually, hasty_store, key, kind, load, patient, store, store_with,
};

#[test]
fn a_server_that_is_down_is_an_error_until_it_is_back() {
    let mut server = RedisServer::start_with(RedisOptions::new().append_only());
    let store = store(&server);
    let saved = document("id", "1", &[("a__0", "0")]);
    store.save(&saved).unwrap();
    server.stop();
    let error = store.get_all(&[key("id", "1")]).unwrap_err();
    assert_eq!(kind(&error), RedisStoreErrorKind::Unreachable);
    // It is not asked again at once.
    let error = store.save(&saved).unwrap_err();
    assert_eq!(kind(&error), RedisStoreErrorKind::Pausing);
    server.restart();
    assert!(eventually(|| store.get_all(&[]).is_ok() && store.save(&saved).is_ok()));
    assert_eq!(load(&store, "1"), Some(saved));
}

#[test]
fn a_connection_that_was_closed_meanwhile_costs_no_error() {
    let server = RedisServer::start();
    let store = store(&server);
    for _ in 0..3 {
        store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
}

#[test]
fn a_halted_server_holds_nobody_longer_than_the_deadline() {
    let server = RedisServer::start();
    let store = hasty_store(&server);
    assert!(eventually(|| store.save(&document("id", "1", &[("a__0", "0")])).is_ok()));
    server.pause();
    let longest = Mutex::new(Duration::ZERO);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let begun = Instant::now();
                let error = store.get_all(&[key("id", "1")]).unwrap_err();
                assert!(matches!(
                    kind(&error),
                    RedisStoreErrorKind::TimedOut | RedisStoreErrorKind::Pausing
                ));
                let mut longest = longest.lock().unwrap();
                *longest = begun.elapsed().max(*longest);
            });
        }
    });
    let longest = longest.into_inner().unwrap();
    println!(
        "32 threads, a halted server, deadline {DEFAULT_REDIS_DEADLINE:?}: {longest:?} at most"
    );
    assert!(longest < DEFAULT_REDIS_DEADLINE + SLACK, "{longest:?}");

    let begun = Instant::now();
    let refused = (0..1000).filter(|_| store.get_all(&[key("id", "1")]).is_err()).count();
    println!("the next 1000 calls: {refused} errors in {:?}", begun.elapsed());
    assert_eq!(refused, 1000);
    assert!(begun.elapsed() < DEFAULT_REDIS_DEADLINE + SLACK);

    server.resume();
    assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
}

#[test]
fn a_server_that_never_answers_a_first_connection_is_no_different() {
    let server = RedisServer::start();
    server.pause();
    let options = RedisStickyBucketOptions::new().deadline(Duration::from_millis(50));
    let store = store_with(&server, options);
    let begun = Instant::now();
    let error = store.get_all(&[key("id", "1")]).unwrap_err();
    assert_eq!(kind(&error), RedisStoreErrorKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_millis(50) + SLACK);
    server.resume();
    assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
}

#[test]
fn a_deadline_that_no_clock_can_express_is_as_good_as_any() {
    let mut server = RedisServer::start();
    let options = RedisStickyBucketOptions::new().deadline(Duration::MAX);
    let store = store_with(&server, options);
    store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
    server.stop();
    // Also when it is asked again, after a pause.
    assert!(eventually(|| {
        let error = store.get_all(&[key("id", "1")]).unwrap_err();
        kind(&error) == RedisStoreErrorKind::Pausing
    }));
    server.restart();
    assert!(eventually(|| store.get_all(&[key("id", "1")]).is_ok()));
}

#[test]
fn a_name_that_does_not_resolve_is_an_error() {
    let client = redis::Client::open("redis://redis.invalid/").unwrap();
    let store = RedisStickyBucketStore::new(client);
    let begun = Instant::now();
    let error = store.get_all(&[key("id", "secret")]).unwrap_err();
    assert!(matches!(
        kind(&error),
        RedisStoreErrorKind::Unreachable | RedisStoreErrorKind::TimedOut
    ));
    assert!(begun.elapsed() < DEFAULT_REDIS_DEADLINE + SLACK);
}

#[test]
fn a_flushed_server_has_no_documents_and_takes_new_ones() {
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
fn a_server_that_refuses_writes_can_be_read() {
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
fn no_error_tells_a_key_or_a_password() {
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
fn an_outage_loses_no_queued_write() {
    let mut server = RedisServer::start_with(RedisOptions::new().append_only());
    let store = WriteBehind::new(store(&server));
    let users: Vec<String> = (0..50).map(|user| user.to_string()).collect();
    store.save(&document("id", &users[0], &[("a__0", "0")])).unwrap();
    store.flush(Duration::from_secs(10)).unwrap();
    server.stop();
    let begun = Instant::now();
    for user in &users {
        store.save(&document("id", user, &[("b__0", "0")])).unwrap();
    }
    assert!(begun.elapsed() < SLACK);
    // What waits is read, though Redis is down.
    assert!(load(&store, &users[7]).is_some());
    assert!(store.flush(Duration::from_millis(50)).is_err());
    server.restart();
    store.close(Duration::from_secs(20)).unwrap();
    assert!(users.iter().all(|user| load(&store, user).is_some()));
    let counters = store.counters();
    assert_eq!((counters.saved, counters.lost, counters.queued), (51, 0, 0));
    assert!(counters.failed > 0);
}
