//! Redis Cluster.

use std::time::{Duration, Instant};

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{DEFAULT_REDIS_DEADLINE, RedisStickyBucketOptions, RedisStickyBucketStore};
use redis::cluster::ClusterClient;
use test_server::redis::RedisCluster;

use crate::support::{SLACK, calls, document, eventually, key, patient};

#[test]
fn users_whose_documents_are_on_different_nodes() {
    let mut cluster = RedisCluster::start();
    for merge in [false, true] {
        let store = store(&cluster, patient().merge(merge));
        let mut gets = 0;
        for user in 0..30 {
            let user = user.to_string();
            let saved = ["id", "deviceId", "company"].map(|name| {
                document(name, &user, &[("a__0", "0"), (if merge { "c__0" } else { "b__0" }, "1")])
            });
            for document in &saved {
                store.save(document).unwrap();
            }
            let keys = saved.each_ref().map(growthbook_core::sticky::StickyBucketDocument::key);
            let buckets = store.get_all(&keys).unwrap();
            assert_eq!(buckets.iter().len(), 3);
            gets += 3;
            for document in &saved {
                let found = buckets.get(&document.attribute_name, &user).unwrap();
                let expected = if merge { 3 } else { 2 };
                assert_eq!(found.assignments.len(), expected);
            }
        }
        println!("{gets} documents in {} nodes", cluster.nodes().len());
    }
    for node in cluster.nodes() {
        assert!(calls(node, "get") > 0 && calls(node, "mget") == 0);
    }
}

#[test]
fn garbage_on_one_node_is_none() {
    let cluster = RedisCluster::start();
    let client = ClusterClient::new(cluster.urls()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let store = store(&cluster, patient());
    let saved = document("id", "1", &[("a__0", "0")]);
    store.save(&saved).unwrap();
    let _: () = redis::cmd("HSET").arg("id||2").arg("a").arg("b").query(&mut connection).unwrap();
    let _: () = redis::cmd("SET").arg("id||3").arg("garbage").query(&mut connection).unwrap();
    let buckets = store.get_all(&[key("id", "1"), key("id", "2"), key("id", "3")]).unwrap();
    assert_eq!(buckets.iter().collect::<Vec<_>>(), [&saved]);
}

#[test]
fn a_dead_node_fails_its_own_documents_only_and_comes_back() {
    let mut cluster = RedisCluster::start();
    let store = store(&cluster, RedisStickyBucketOptions::new());
    let users: Vec<String> = (0..60).map(|user| user.to_string()).collect();
    for user in &users {
        assert!(eventually(|| store.save(&document("id", user, &[("a__0", "0")])).is_ok()));
    }
    cluster.nodes()[1].pause();
    let mut longest = Duration::ZERO;
    let mut found = 0;
    for user in &users {
        let begun = Instant::now();
        found += usize::from(store.get_all(&[key("id", user)]).is_ok());
        longest = longest.max(begun.elapsed());
    }
    println!(
        "one of three nodes halted: {found} of {} users found, {longest:?} at most",
        users.len()
    );
    // About forty; where the machine is busy, a few are too late.
    assert!(found >= users.len() / 3, "{found}");
    assert!(longest < DEFAULT_REDIS_DEADLINE + SLACK, "{longest:?}");
    cluster.nodes()[1].resume();
    cluster.wait_until_whole();
    assert!(eventually(|| users.iter().all(|user| store.get_all(&[key("id", user)]).is_ok())));
}

fn store(cluster: &RedisCluster, options: RedisStickyBucketOptions) -> RedisStickyBucketStore {
    let client = ClusterClient::new(cluster.urls()).unwrap();
    RedisStickyBucketStore::with_options(client, options)
}
