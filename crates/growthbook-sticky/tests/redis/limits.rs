//! Servers that send too much.

use std::time::Duration;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{
    MAX_REDIS_REPLY_BYTES, RedisLoader, RedisStickyBucketOptions, RedisStickyBucketStore,
    RedisStoreErrorKind,
};
use test_server::redis::{EndlessRedis, RedisServer};

use tokio::task::spawn_blocking;

use crate::support::{PATIENCE, document, key, kind, load, store};

/// Far more than the limits.
const HUGE: u64 = 1 << 40;
const DRIP: Duration = Duration::from_millis(20);

/// Each byte arrives before the deadline, but the reply never ends.
#[test]
fn dripping_reply_ends_at_the_deadline() {
    for (start, more) in endless_replies("x", ":1\r\n") {
        let server = EndlessRedis::start(&start, &more, DRIP);
        let client = redis::Client::open(server.url()).unwrap();
        let store = RedisStickyBucketStore::new(client);
        assert!(store.get_all(&[key("id", "1")]).is_err());
        assert!(server.wait_until_closed(PATIENCE / 4), "{start:?}");
    }
}

/// The deadline is so long that only the limit can end the reply.
#[test]
fn oversize_reply_ends_at_the_limit() {
    for (start, more) in endless_replies(&"x".repeat(100_000), &":1\r\n".repeat(10_000)) {
        let server = EndlessRedis::start(&start, &more, Duration::ZERO);
        let client = redis::Client::open(server.url()).unwrap();
        let options = RedisStickyBucketOptions::new().deadline(PATIENCE * 60);
        let store = RedisStickyBucketStore::with_options(client, options);
        let error = store.get_all(&[key("id", "1")]).unwrap_err();
        assert_eq!(kind(&error), RedisStoreErrorKind::TooLarge);
        assert!(server.wait_until_closed(PATIENCE), "{start:?}");
    }
}

/// The starts of replies, and what follows without end.
fn endless_replies(text: &str, values: &str) -> [(String, String); 2] {
    [(format!("*1\r\n${HUGE}\r\n"), text.to_owned()), (format!("*{HUGE}\r\n"), values.to_owned())]
}

/// The reply that never ends is to a load, or to the two commands with which the client connects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loader_disconnects_after_an_endless_reply() {
    for connecting in ["+OK\r\n+OK\r\n", ""] {
        for (start, more) in endless_replies("x", ":1\r\n") {
            let start = format!("{connecting}{start}");
            let server = EndlessRedis::start(&start, &more, DRIP);
            let loader = RedisLoader::new(redis::Client::open(server.url()).unwrap());
            assert!(loader.load(&[key("id", "1")]).await.is_err());
            let closed = spawn_blocking(move || server.wait_until_closed(PATIENCE / 4));
            assert!(closed.await.unwrap(), "{start:?}");
        }
    }
}

/// One user's document must not stop the store for all.
#[test]
fn oversize_document_fails_its_load_only() {
    let server = RedisServer::start();
    let store = store(&server);
    store.save(&document("id", "2", &[("a__0", "0")])).unwrap();
    server.command(&["SETRANGE", "id||1", &MAX_REDIS_REPLY_BYTES.to_string(), "x"]);
    for _ in 0..3 {
        let error = store.get_all(&[key("id", "1")]).unwrap_err();
        assert_eq!(kind(&error), RedisStoreErrorKind::TooLarge);
        assert!(load(&store, "2").is_some());
    }
    let loads_both = store.get_all(&[key("id", "1"), key("id", "2")]);
    assert_eq!(kind(&loads_both.unwrap_err()), RedisStoreErrorKind::TooLarge);
}
