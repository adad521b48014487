//! Servers that send too much.

use std::time::Duration;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{
    MAX_REDIS_REPLY_BYTES, RedisLoader, RedisStickyBucketOptions, RedisStickyBucketStore,
    RedisStoreErrorKind,
};
use test_server::Resources;
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

/// A loader, and over TLS both the store and the loader. The deadline is so long that only the limit
/// can end the reply. The figure is the growth of this process, with the server in it.
#[cfg(feature = "redis-tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_has_the_limit() {
    let connecting = "+OK\r\n+OK\r\n";
    for (start, more) in endless_replies(&"x".repeat(100_000), &":1\r\n".repeat(10_000)) {
        for (tls, for_loader) in [(false, true), (true, true), (true, false)] {
            let start = if for_loader { format!("{connecting}{start}") } else { start.clone() };
            let listen = if tls { EndlessRedis::start_tls } else { EndlessRedis::start };
            let server = listen(&start, &more, Duration::ZERO);
            let root_cert = server.root_pem().map(|pem| pem.as_bytes().to_vec());
            let certificates = redis::TlsCertificates { client_tls: None, root_cert };
            let options = RedisStickyBucketOptions::new().deadline(PATIENCE * 60);
            let options = options.certificates(&certificates).unwrap();
            let client = redis::Client::open(server.url()).unwrap();
            let before = Resources::now().memory.unwrap_or_default();
            let kind = if for_loader {
                let loader = RedisLoader::with_options(client, options);
                loader.load(&[key("id", "1")]).await.unwrap_err().kind()
            } else {
                let store = RedisStickyBucketStore::with_options(client, options);
                let load = move || kind(&store.get_all(&[key("id", "1")]).unwrap_err());
                spawn_blocking(load).await.unwrap()
            };
            assert_eq!(kind, RedisStoreErrorKind::TooLarge, "TLS: {tls}, loader: {for_loader}");
            let grown = Resources::now().memory.unwrap_or_default().saturating_sub(before);
            println!("TLS: {tls}, loader: {for_loader}: {} KiB more memory", grown / 1024);
            assert!(grown < 64 * 1024 * 1024);
            assert!(spawn_blocking(move || server.wait_until_closed(PATIENCE)).await.unwrap());
        }
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
