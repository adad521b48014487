//! Documents for programs on tokio.

use std::time::{Duration, Instant};

use growthbook_sticky::{
    DEFAULT_REDIS_DEADLINE, RedisLoader, RedisStickyBucketOptions, RedisStoreErrorKind,
};
use test_server::redis::RedisServer;

use crate::support::{SLACK, calls, document, key, patient, stored};

fn loader(server: &RedisServer, merge: bool) -> RedisLoader {
    let client = redis::Client::open(server.url()).unwrap();
    RedisLoader::with_options(client, patient().merge(merge))
}

#[tokio::test]
async fn documents_are_loaded_and_saved() {
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
async fn a_halted_server_holds_nobody_and_recovery_is_automatic() {
    let server = RedisServer::start();
    let loader = RedisLoader::new(redis::Client::open(server.url()).unwrap());
    wait_for(&loader).await;
    server.pause();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let loader = loader.clone();
            tokio::spawn(async move { loader.load(&[key("id", "1")]).await.unwrap_err().kind() })
        })
        .collect();
    for task in tasks {
        let kind = task.await.unwrap();
        assert!(matches!(kind, RedisStoreErrorKind::TimedOut | RedisStoreErrorKind::Pausing));
    }
    assert!(begun.elapsed() < DEFAULT_REDIS_DEADLINE + SLACK);
    server.resume();
    wait_for(&loader).await;
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again() {
    let mut server = RedisServer::start();
    let loader = loader(&server, true);
    loader.save(&[document("id", "1", &[("a__0", "0")])]).await.unwrap();
    server.stop();
    let error = loader.load(&[key("id", "1")]).await.unwrap_err();
    assert_eq!(error.kind(), RedisStoreErrorKind::Unreachable);
    let error = loader.load(&[key("id", "1")]).await.unwrap_err();
    assert_eq!(error.kind(), RedisStoreErrorKind::Pausing);
    server.restart();
    wait_for(&loader).await;
    loader.save(&[document("id", "1", &[("a__0", "0")])]).await.unwrap();
}

#[tokio::test]
async fn a_deadline_that_no_clock_can_express_is_as_good_as_any() {
    let mut server = RedisServer::start();
    let options = RedisStickyBucketOptions::new().deadline(Duration::MAX);
    let client = redis::Client::open(server.url()).unwrap();
    let loader = RedisLoader::with_options(client, options);
    wait_for(&loader).await;
    server.stop();
    loader.load(&[key("id", "1")]).await.unwrap_err();
    server.restart();
    // It is asked again, after a pause.
    wait_for(&loader).await;
}

async fn wait_for(loader: &RedisLoader) {
    let begun = Instant::now();
    while loader.load(&[key("id", "1")]).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
