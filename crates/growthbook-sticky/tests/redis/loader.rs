//! `RedisLoader`, for programs on tokio.

use std::time::{Duration, Instant};

use growthbook_sticky::{RedisLoader, RedisStickyBucketOptions, RedisStoreErrorKind};
use test_server::redis::RedisServer;
use test_server::{Gate, Relay};

use crate::support::{PATIENCE, calls, document, key, patient, stored};

fn loader(server: &RedisServer, merge: bool) -> RedisLoader {
    let client = redis::Client::open(server.url()).unwrap();
    RedisLoader::with_options(client, patient().merge(merge))
}

#[tokio::test]
async fn loader_loads_and_saves_documents() {
    let server = RedisServer::start();
    for merge in [false, true] {
        let loader = loader(&server, merge);
        assert_eq!(loader.load(&[]).await.unwrap().iter().len(), 0);
        loader.save(&[]).await.unwrap();
        let saved = [document("id", "ü", &[("a__0", "0")]), document("x", "1", &[("b__0", "1")])];
        loader.save(&saved).await.unwrap();
        loader.save(&[document("id", "ü", &[("c__0", "0")])]).await.unwrap();
        let buckets = loader.load(&[key("id", "ü"), key("x", "1"), key("y", "1")]).await.unwrap();
        assert_eq!(buckets.iter().len(), 2);
        let expected = if merge { 2 } else { 1 };
        assert_eq!(buckets.get("id", "ü").unwrap().assignments.len(), expected);
        assert_eq!(
            stored(&server, "x||1"),
            r#"{"attributeName":"x","attributeValue":"1","assignments":{"b__0":"1"}}"#
        );
        server.command(&["FLUSHALL"]);
    }
    assert_eq!(calls(&server, "mget"), 2);
    assert_eq!(calls(&server, "eval"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halted_server_does_not_block_the_loader() {
    let server = RedisServer::start();
    let loader = RedisLoader::new(redis::Client::open(server.url()).unwrap());
    wait_for(&loader).await;
    server.pause();
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let loader = loader.clone();
            tokio::spawn(async move { loader.load(&[key("id", "1")]).await.unwrap_err().kind() })
        })
        .collect();
    let mut timeouts = 0;
    for task in tasks {
        match task.await.unwrap() {
            RedisStoreErrorKind::TimedOut => timeouts += 1,
            kind => assert_eq!(kind, RedisStoreErrorKind::Pausing),
        }
    }
    assert!(timeouts > 0);
    server.resume();
    wait_for(&loader).await;
}

#[tokio::test]
async fn loader_keeps_a_late_connection() {
    let server = RedisServer::start();
    for held in ["LIB-VER", "MGET"] {
        let gate = Gate::closed();
        let relay = Relay::start(server.port(), held, &gate);
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", relay.port())).unwrap();
        let options = RedisStickyBucketOptions::new().deadline(Duration::from_millis(200));
        let loader = RedisLoader::with_options(client, options);
        let error = loader.load(&[key("id", "1")]).await.unwrap_err();
        assert_eq!(error.kind(), RedisStoreErrorKind::TimedOut);
        gate.open();
        wait_for(&loader).await;
        assert_eq!(relay.connections(), 1, "{held}");
    }
}

#[tokio::test]
async fn loader_finds_a_restarted_server() {
    let mut server = RedisServer::start();
    let loader = loader(&server, true);
    loader.save(&[document("id", "1", &[("a__0", "0")])]).await.unwrap();
    server.stop();
    let error = loader.load(&[key("id", "1")]).await.unwrap_err();
    assert_eq!(error.kind(), RedisStoreErrorKind::Unreachable);
    wait_for_pause(&loader).await;
    server.restart();
    wait_for(&loader).await;
    loader.save(&[document("id", "1", &[("a__0", "0")])]).await.unwrap();
}

#[tokio::test]
async fn loader_accepts_the_longest_deadline() {
    let mut server = RedisServer::start();
    let options = RedisStickyBucketOptions::new().deadline(Duration::MAX);
    let client = redis::Client::open(server.url()).unwrap();
    let loader = RedisLoader::with_options(client, options);
    wait_for(&loader).await;
    server.stop();
    loader.load(&[key("id", "1")]).await.unwrap_err();
    server.restart();
    // The loader asks again after a pause.
    wait_for(&loader).await;
}

/// Waits until the loader reaches Redis.
async fn wait_for(loader: &RedisLoader) {
    let start = Instant::now();
    while loader.load(&[key("id", "1")]).await.is_err() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a load fails at once because of a pause. The pauses grow, so that this happens on a
/// slow machine as well.
async fn wait_for_pause(loader: &RedisLoader) {
    let start = Instant::now();
    while loader.load(&[key("id", "1")]).await.unwrap_err().kind() != RedisStoreErrorKind::Pausing {
        assert!(start.elapsed() < PATIENCE);
    }
}
