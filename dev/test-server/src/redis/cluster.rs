//! A Redis Cluster.

use std::thread;
use std::time::{Duration, Instant};

use super::server::free_port;
use super::{RedisOptions, RedisReply, RedisServer};

/// The number of hash slots in a cluster.
const SLOTS: u32 = 16_384;

/// A cluster on loopback: three masters without replicas. Each has a third of the slots.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts a cluster. Waits until every node knows the others and all slots.
    ///
    /// # Panics
    ///
    /// When neither `redis-server` nor `valkey-server` is found, or when the nodes do not agree
    /// within twenty seconds.
    #[must_use]
    pub fn start() -> Self {
        let nodes: Vec<(RedisServer, u16)> = (0..3).map(|_| start_node()).collect();
        for (index, (node, _)) in (0..).zip(&nodes) {
            expect_ok(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            let slots = (SLOTS * index / 3)..(SLOTS * (index + 1) / 3);
            let mut command = vec!["CLUSTER".to_owned(), "ADDSLOTS".to_owned()];
            command.extend(slots.map(|slot| slot.to_string()));
            expect_ok(node, &command);
        }
        let (first, _) = nodes.first().expect("the cluster should have three nodes");
        for (node, bus) in nodes.iter().skip(1) {
            let (port, bus) = (node.port().to_string(), bus.to_string());
            expect_ok(first, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = RedisCluster { nodes: nodes.into_iter().map(|(node, _)| node).collect() };
        cluster.wait_until_whole();
        cluster
    }

    /// Returns the nodes, in the order of their slots.
    pub fn nodes(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// Returns the addresses of all nodes, for `RedisServers::cluster`.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// Waits until every node knows the others and all slots.
    ///
    /// # Panics
    ///
    /// When that takes more than twenty seconds.
    pub fn wait_until_whole(&self) {
        let start = Instant::now();
        while !self.nodes.iter().all(is_whole) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "the nodes should agree on the slots"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn start_node() -> (RedisServer, u16) {
    // Another process may take the free port for the bus before the server does.
    let node = (0..5).find_map(|_| {
        let bus = free_port();
        let options = RedisOptions::new()
            .directive("cluster-enabled", "yes")
            .directive("cluster-port", &bus.to_string())
            .directive("cluster-node-timeout", "2000")
            .directive("cluster-require-full-coverage", "no");
        Some((RedisServer::try_start_with(options)?, bus))
    });
    node.expect("a node should start")
}

fn expect_ok<W: AsRef<[u8]>>(node: &RedisServer, command: &[W]) {
    assert_eq!(node.command(command), RedisReply::Text(b"OK".to_vec()));
}

fn is_whole(node: &RedisServer) -> bool {
    let reply = node.command(&["CLUSTER", "INFO"]);
    let info = reply.as_str().unwrap_or_default();
    ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"]
        .iter()
        .all(|line| info.lines().any(|found| found == *line))
}
