//! Redis Cluster.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreErrorKind};
use redis::cluster::ClusterClient;
use test_server::redis::{RedisCluster, RedisReply};

use crate::support::{calls, document, eventually, key, kind, patient};

#[test]
fn documents_of_a_user_are_on_several_nodes() {
    let mut cluster = RedisCluster::start();
    for merge in [false, true] {
        let store = store(&cluster, patient().merge(merge));
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
            for document in &saved {
                let found = buckets.get(&document.attribute_name, &user).unwrap();
                let expected = if merge { 3 } else { 2 };
                assert_eq!(found.assignments.len(), expected);
            }
        }
    }
    for node in cluster.nodes() {
        assert!(calls(node, "get") > 0 && calls(node, "mget") == 0);
    }
}

#[test]
fn garbage_on_a_cluster_is_ignored() {
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
fn halted_node_fails_only_its_own_documents() {
    let mut cluster = RedisCluster::start();
    let options = RedisStickyBucketOptions::new().deadline(Duration::from_secs(1));
    let store = store(&cluster, options);
    let users: Vec<String> = (0..60).map(|user| user.to_string()).collect();
    for user in &users {
        assert!(eventually(|| store.save(&document("id", user, &[("a__0", "0")])).is_ok()));
    }
    let mut slots_of_users = HashMap::new();
    for user in &users {
        let reply = cluster.nodes()[0].command(&["CLUSTER", "KEYSLOT", &format!("id||{user}")]);
        let RedisReply::Integer(slot) = reply else { panic!("{reply:?}") };
        slots_of_users.insert(user, slot);
    }
    let users_in = |slots: Range<i64>| -> Vec<&String> {
        users.iter().filter(|user| slots.contains(&slots_of_users[user])).collect()
    };
    // Each of the three nodes has a third of the 16384 slots. Neighbouring slots fail together, so
    // the test uses slots that are far from the end of a third.
    let (halted, running) = (users_in(6_000..10_000), users_in(0..4_000));
    assert!(halted.len() >= 3 && !running.is_empty());

    cluster.nodes()[1].pause();
    let load = |user: &String| store.get_all(&[key("id", user)]);
    assert!(eventually(|| running.iter().all(|user| load(user).is_ok())));
    for user in &halted[..3] {
        assert!(load(user).is_err());
    }
    // The pause after these failures does not concern the other nodes.
    let kind = load(running[0]).map_err(|error| kind(&error)).err();
    assert_ne!(kind, Some(RedisStoreErrorKind::Pausing));
    assert!(eventually(|| running.iter().all(|user| load(user).is_ok())));

    cluster.nodes()[1].resume();
    cluster.wait_until_whole();
    assert!(eventually(|| users.iter().all(|user| load(user).is_ok())));
}

fn store(cluster: &RedisCluster, options: RedisStickyBucketOptions) -> RedisStickyBucketStore {
    let client = ClusterClient::new(cluster.urls()).unwrap();
    RedisStickyBucketStore::with_options(client, options)
}
