//! Clusters and Sentinels.

#![cfg(any(feature = "cluster", feature = "sentinel"))]

use growthbook_core::cache::PayloadCache;
#[cfg(feature = "cluster")]
use growthbook_core::cache::{FetchLease, LeaseOutcome, PayloadKey};
use growthbook_redis_cache::RedisCache;
#[cfg(feature = "sentinel")]
use test_server::redis::RedisServer;

#[cfg(feature = "sentinel")]
use crate::PYTHON_KEY;
use crate::{LONG, PLAIN, key, payload};

#[cfg(feature = "cluster")]
#[test]
fn cluster_works_without_notifications() {
    let cluster = test_server::redis::RedisCluster::start();
    let open = || {
        let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
        RedisCache::new(client).deadline(LONG)
    };
    let (one, other) = (open(), open());
    // These keys are on all nodes of the cluster.
    for number in 0..20 {
        let key = PayloadKey::new("https://cdn.growthbook.io", format!("sdk-{number}"));
        assert_eq!(one.acquire(&key, None, LONG).unwrap(), LeaseOutcome::Acquired);
        one.put(&key, &payload(PLAIN)).unwrap();
        assert_eq!(other.get(&key).unwrap(), Some(payload(PLAIN)));
        let outcome = other.acquire(&key, Some(&payload(PLAIN)), LONG).unwrap();
        assert!(matches!(outcome, LeaseOutcome::AlreadyFresh { payload: None, .. }), "{outcome:?}");
    }
    assert!(one.watch(&key(), Box::new(|| {})).is_none());
}

#[cfg(feature = "sentinel")]
#[test]
fn sentinel_finds_the_master() {
    let master = RedisServer::start();
    let sentinel = test_server::redis::RedisSentinel::start(&master);
    let client = redis::sentinel::SentinelClient::build(
        vec![sentinel.url()],
        "growthbook",
        None,
        redis::sentinel::SentinelServerType::Master,
    );
    let cache = RedisCache::new(client.unwrap()).deadline(LONG);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(master.command(&["GET", PYTHON_KEY]).as_str(), Some(PLAIN));
}
