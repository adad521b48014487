//! Requests of one user, before and after the weights of an experiment change.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use growthbook::Client;
use growthbook_sticky::{RedisLoader, RedisStickyBucketOptions};
use sticky_documents::{cookies, redis};
use test_server::redis::RedisServer;

const USER: &str = "user-123";

/// A client on an experiment in which all users get this value, if they have no assignment yet.
fn everyone_gets(value: &str) -> Client {
    let weights = if value == "new" { "[0, 1]" } else { "[1, 0]" };
    Client::from_json(format!(
        r#"{{"features": {{"checkout": {{"rules": [{{
            "key": "checkout", "variations": ["old", "new"], "weights": {weights},
            "meta": [{{"key": "0"}}, {{"key": "1"}}]
        }}]}}}}}}"#
    ))
    .unwrap()
}

/// A deadline that even a slow machine keeps.
fn loader(server: &RedisServer) -> RedisLoader {
    let options = RedisStickyBucketOptions::new().deadline(Duration::from_secs(60));
    RedisLoader::with_options(::redis::Client::open(server.url()).unwrap(), options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assignment_in_redis_is_kept() {
    let server = RedisServer::start();
    // A server needs a future that can move between threads.
    let request = |client: Client| {
        let redis = loader(&server);
        tokio::spawn(async move { redis::checkout(&client, &redis, USER).await.unwrap() })
    };
    assert_eq!(request(everyone_gets("new")).await.unwrap(), "new");
    assert_eq!(request(everyone_gets("old")).await.unwrap(), "new");
    let sets = || {
        server.command(&["INFO", "commandstats"]).as_str().unwrap().contains("cmdstat_set:calls=1,")
    };
    assert!(sets(), "the second request has nothing to save");
}

#[test]
fn assignment_in_a_cookie_is_kept() {
    let (value, headers) = cookies::checkout(&everyone_gets("new"), "", USER).unwrap();
    assert_eq!((value.as_str(), headers.len()), ("new", 1));
    // A browser returns the name and the value only.
    let cookie = headers[0].split(';').next().unwrap();
    let header = format!("theme=dark; {cookie}");
    let (value, headers) = cookies::checkout(&everyone_gets("old"), &header, USER).unwrap();
    assert_eq!((value.as_str(), headers.len()), ("new", 0));
}

#[test]
fn guide_shows_both_files() {
    let guide = include_str!("../../../crates/growthbook/docs/sticky-buckets.md");
    for file in [include_str!("../src/redis.rs"), include_str!("../src/cookies.rs")] {
        let (_, code) = file.split_once("\n\n").unwrap();
        assert!(guide.contains(code), "sticky-buckets.md lacks:\n{code}");
    }
}
