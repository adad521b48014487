//! Redis Cluster.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{
    RedisServers, RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreErrorKind,
};
use test_server::redis::{RedisCluster, RedisReply, RedisServer};
use test_server::{Gate, Relay};

use crate::support::{calls, document, eventually, key, kind, load, ok, patient};

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
    let mut cluster = RedisCluster::start();
    let store = store(&cluster, patient());
    let saved = document("id", "1", &[("a__0", "0")]);
    store.save(&saved).unwrap();
    // One of the nodes has the slot of the key. The others refuse the command.
    for command in [["HSET", "id||2", "a", "b"].as_slice(), &["SET", "id||3", "garbage"]] {
        let replies = cluster.nodes().iter().map(|node| node.command(command));
        let refused = replies.filter(|reply| matches!(reply, RedisReply::Error(_))).count();
        assert_eq!(refused, 2);
    }
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

/// Each node is reached through a relay that holds its replies. So connecting takes longer than the
/// deadline, and one connection to each node serves the later calls.
#[test]
fn late_connections_to_nodes_are_kept() {
    let mut cluster = RedisCluster::start();
    let gate = Gate::closed();
    let relays: Vec<Relay> =
        cluster.nodes().iter().map(|node| Relay::start(node.port(), "GET", &gate)).collect();
    for (node, relay) in cluster.nodes().iter().zip(&relays) {
        let port = relay.port().to_string();
        assert_eq!(node.command(&["CONFIG", "SET", "cluster-announce-port", &port]), ok());
    }
    let ports = |reply: &RedisReply| {
        let text = format!("{reply:?}");
        relays.iter().all(|relay| text.contains(&format!("Integer({})", relay.port())))
    };
    assert!(eventually(|| ports(&cluster.nodes()[0].command(&["CLUSTER", "SLOTS"]))));
    let seed = cluster.nodes()[0].url();
    let options = RedisStickyBucketOptions::new()
        .deadline(Duration::from_millis(200))
        .max_connections(NonZeroUsize::MIN);
    let servers = RedisServers::cluster([seed]).unwrap();
    let store = RedisStickyBucketStore::with_options(servers, options);
    let keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(|user| key("id", user));
    let error = store.get_all(&keys).unwrap_err();
    assert_eq!(kind(&error), RedisStoreErrorKind::TimedOut);
    gate.open();
    assert!(eventually(|| store.get_all(&keys).is_ok()));
    assert_eq!(relays.iter().map(Relay::connections).collect::<Vec<_>>(), [1, 1, 1]);
}

/// A slot moves to another node, while the store has the old slots.
#[test]
fn moved_slots_are_followed() {
    let mut cluster = RedisCluster::start();
    let store = store(&cluster, patient());
    let saved = document("id", "1", &[("a__0", "0")]);
    store.save(&saved).unwrap();
    let nodes = cluster.nodes();
    let RedisReply::Integer(slot) = nodes[0].command(&["CLUSTER", "KEYSLOT", "id||1"]) else {
        panic!("a slot is a number");
    };
    let slot = slot.to_string();
    let owner = nodes.iter().position(|node| {
        let reply = node.command(&["CLUSTER", "COUNTKEYSINSLOT", &slot]);
        reply == RedisReply::Integer(1)
    });
    let (from, to) = (owner.unwrap(), (owner.unwrap() + 1) % 3);
    let id = |node: &RedisServer| node.command(&["CLUSTER", "MYID"]).as_str().unwrap().to_owned();
    let (from_id, to_id) = (id(&nodes[from]), id(&nodes[to]));
    assert_eq!(nodes[to].command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]), ok());
    assert_eq!(nodes[from].command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]), ok());
    let port = nodes[to].port().to_string();
    nodes[from].command(&["MIGRATE", "127.0.0.1", &port, "id||1", "0", "10000"]);
    // The old node sends the request on once (ASK), and later for good (MOVED).
    assert_eq!(load(&store, "1"), Some(saved.clone()));
    for node in [to, from] {
        assert_eq!(nodes[node].command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]), ok());
    }
    assert_eq!(load(&store, "1"), Some(saved.clone()));
    store.save(&saved).unwrap();
}

fn store(cluster: &RedisCluster, options: RedisStickyBucketOptions) -> RedisStickyBucketStore {
    let servers = RedisServers::cluster(cluster.urls()).unwrap();
    RedisStickyBucketStore::with_options(servers, options)
}
