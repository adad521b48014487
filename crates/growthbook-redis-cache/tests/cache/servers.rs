//! Clusters and Sentinels.

#![cfg(any(feature = "cluster", feature = "sentinel"))]

#[cfg(feature = "cluster")]
use std::sync::mpsc;
use std::time::Duration;

use growthbook_core::cache::PayloadCache;
#[cfg(feature = "cluster")]
use growthbook_core::cache::{FetchLease, LeaseOutcome, PayloadKey};
use growthbook_redis_cache::{RedisCache, RedisServers};
#[cfg(feature = "sentinel")]
use test_server::redis::{EndlessRedis, RedisSentinel, RedisServer};
#[cfg(feature = "cluster")]
use test_server::redis::{RedisCluster, RedisReply};
#[cfg(feature = "cluster")]
use test_server::{Gate, Relay};

use crate::{LONG, PATIENCE, PLAIN, eventually, in_time, key, payload};

#[cfg(feature = "cluster")]
fn in_cluster(urls: Vec<String>) -> RedisCache {
    RedisCache::new(RedisServers::cluster(urls).unwrap())
}

#[cfg(feature = "cluster")]
#[test]
fn cluster_shares_payloads_and_leases() {
    let cluster = RedisCluster::start();
    let open = || in_cluster(cluster.urls()).deadline(LONG);
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
}

/// Any node passes on what the others publish.
#[cfg(feature = "cluster")]
#[test]
fn cluster_notifies_of_changes() {
    let mut cluster = RedisCluster::start();
    let (one, other) = (in_cluster(cluster.urls()).deadline(LONG), in_cluster(cluster.urls()));
    let (sender, notified) = mpsc::channel();
    let key = |number| PayloadKey::new("https://cdn.growthbook.io", format!("sdk-{number}"));
    let watches: Vec<_> = (0..6)
        .map(|number| {
            let sender = sender.clone();
            other.watch(&key(number), Box::new(move || sender.send(number).unwrap())).unwrap()
        })
        .collect();
    let channels = |reply| match reply {
        RedisReply::Array(channels) => channels.len(),
        reply => unreachable!("{reply:?}"),
    };
    let subscribed = |cluster: &mut RedisCluster| -> usize {
        let nodes = cluster.nodes().iter();
        nodes.map(|node| channels(node.command(&["PUBSUB", "CHANNELS"]))).sum()
    };
    let start = std::time::Instant::now();
    while subscribed(&mut cluster) < 6 {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    for number in 0..6 {
        one.put(&key(number), &payload(PLAIN)).unwrap();
    }
    let mut numbers: Vec<i32> = (0..6).map(|_| notified.recv_timeout(PATIENCE).unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    drop(watches);
    assert!(other.disconnect(PATIENCE));
}

/// The first operations miss their deadline. Their connections serve the later ones.
#[cfg(feature = "cluster")]
#[test]
fn late_connection_to_a_cluster_is_kept() {
    let cluster = RedisCluster::start();
    let gate = Gate::closed();
    let first = cluster.urls()[0].rsplit_once(':').unwrap().1.parse().unwrap();
    let relay = Relay::start(first, "SLOTS", &gate);
    let cache = in_cluster(vec![format!("redis://127.0.0.1:{}", relay.port())]);
    assert!(cache.get(&key()).is_err());
    gate.open();
    eventually("a stored payload", || cache.put(&key(), &payload(PLAIN)).is_ok());
    assert_eq!(relay.connections(), 1);
}

#[cfg(feature = "sentinel")]
fn named_by(sentinels: Vec<String>) -> RedisCache {
    RedisCache::new(RedisServers::sentinel(sentinels, "redis://growthbook").unwrap())
}

#[cfg(feature = "sentinel")]
#[test]
fn sentinel_names_the_master() {
    let master = RedisServer::start();
    let sentinel = RedisSentinel::start(&master);
    let cache = named_by(vec![sentinel.url()]).deadline(LONG);
    cache.put(&key(), &payload(PLAIN)).unwrap();
    assert_eq!(master.command(&["GET", crate::PYTHON_KEY]).as_str(), Some(PLAIN));
}

/// One sentinel hangs, and another one never ends its reply.
#[cfg(feature = "sentinel")]
#[test]
fn broken_sentinels_leave_time_for_the_next() {
    let master = RedisServer::start();
    let (hanging, working) = (RedisSentinel::start(&master), RedisSentinel::start(&master));
    let endless = EndlessRedis::start("*2\r\n$9\r\n", "1", Duration::from_millis(20));
    hanging.pause();
    let cache = named_by(vec![hanging.url(), endless.url(), working.url()]);
    eventually("a stored payload", || cache.put(&key(), &payload(PLAIN)).is_ok());
}

/// Before, a request to a sentinel had no deadline, so that closing waited for it.
#[cfg(feature = "sentinel")]
#[test]
fn hanging_sentinel_does_not_delay_closing() {
    let master = RedisServer::start();
    let sentinel = RedisSentinel::start(&master);
    let cache = named_by(vec![sentinel.url()]);
    sentinel.pause();
    assert!(cache.get(&key()).is_err());
    in_time("the end of the thread", move || assert!(cache.disconnect(PATIENCE)));
}
