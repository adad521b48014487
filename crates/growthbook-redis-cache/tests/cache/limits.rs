//! Servers that send too much.

use std::error::Error;
use std::time::Duration;

use growthbook_core::cache::{FetchLease, PayloadCache};
use growthbook_redis_cache::{MAX_PAYLOAD_BYTES, RedisCache};
use test_server::redis::{EndlessRedis, RedisServer};

use crate::{LONG, PATIENCE, PLAIN, PYTHON_KEY, cache, in_time, key, own_key, payload};

/// Far more than the limits.
const HUGE: u64 = 1 << 40;
const DRIP: Duration = Duration::from_millis(20);

/// Each byte arrives before the deadline, but the reply never ends.
#[test]
fn dripping_reply_ends_at_the_deadline() {
    let replies = [
        (format!("${HUGE}\r\n"), "x"),
        (format!("*{HUGE}\r\n"), ":1\r\n"),
        (String::new(), "+"),
        (String::new(), ">2\r\n$7\r\nmessage\r\n+a\r\n"),
        ("*1\r\n$1000\r\n".to_owned(), "x"),
    ];
    for (start, more) in replies {
        let server = EndlessRedis::start(&start, more, DRIP);
        let cache = RedisCache::new(redis::Client::open(server.url()).unwrap());
        assert!(cache.get(&key()).is_err());
        assert!(server.wait_until_closed(PATIENCE / 4), "{start:?}");
        in_time("the end of the thread", move || assert!(cache.disconnect(PATIENCE)));
    }
}

/// The deadline is so long that only the limit can end the reply.
#[test]
fn oversize_reply_ends_at_the_limit() {
    let flood = ":1\r\n".repeat(10_000);
    let replies = [
        (format!("${HUGE}\r\n"), "x".repeat(100_000)),
        (format!("*{HUGE}\r\n"), flood),
        (String::new(), "+".repeat(100_000)),
    ];
    for (start, more) in replies {
        let server = EndlessRedis::start(&start, &more, Duration::ZERO);
        let cache = RedisCache::new(redis::Client::open(server.url()).unwrap()).deadline(LONG * 60);
        in_time("the error", move || {
            let error = cache.get(&key()).unwrap_err();
            let text = error.source().unwrap().to_string();
            assert!(text.contains("is larger than") || text.contains("protocol"), "{text}");
        });
        assert!(server.wait_until_closed(PATIENCE), "{start:?}");
    }
}

#[test]
fn endless_notification_ends() {
    let replies =
        [("$9999".to_owned(), "9"), (format!("*{HUGE}\r\n"), ":1\r\n"), (String::new(), "+")];
    for (start, more) in replies {
        let server = EndlessRedis::start(&start, more, DRIP);
        let cache = RedisCache::new(redis::Client::open(server.url()).unwrap());
        let watch = cache.watch(&key(), Box::new(|| {}));
        assert!(server.wait_until_closed(PATIENCE), "{start:?}");
        drop(watch);
        in_time("the end of the thread", move || assert!(cache.disconnect(PATIENCE)));
    }
}

#[test]
fn oversize_values_count_as_missing() {
    let server = RedisServer::start();
    let cache = cache(&server).deadline(LONG);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    let last = MAX_PAYLOAD_BYTES.to_string();
    // Redis fills the string with zeros up to this position.
    for oversize in [PYTHON_KEY, &own_key()] {
        server.command(&["SETRANGE", oversize, &last, "x"]);
    }
    assert_eq!(cache.get(&key()).unwrap(), None);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(cache.get(&key()).unwrap(), Some(payload(PLAIN)));
}

#[test]
fn oversize_payload_is_refused() {
    let server = RedisServer::start();
    let cache = cache(&server);
    let error = cache.put(&key(), &payload(&" ".repeat(MAX_PAYLOAD_BYTES + 1))).unwrap_err();
    let text = error.source().unwrap().to_string();
    let begin = format!("the payload is larger than {MAX_PAYLOAD_BYTES} bytes: ");
    assert!(text.starts_with(&begin), "{text}");
}
