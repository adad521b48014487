//! The kinds of Redis that a store connects to.

use std::time::{Duration, Instant};

use growthbook_support::redis as limited;
use redis::RedisResult;

use super::connection::Connection;
use super::options::MAX_REDIS_REPLY_BYTES;

/// The least time that connecting to a server may take. It takes several round trips: TCP, TLS and
/// the first commands. So even a network on which one request just keeps its deadline connects.
const LEAST_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns how long connecting to a server may take, for requests with this deadline.
pub(super) fn connect_timeout(deadline: Duration) -> Duration {
    deadline.max(LEAST_CONNECT_TIMEOUT)
}

/// The number of neighbouring cluster slots that are one part.
#[cfg(feature = "redis-cluster")]
const SLOTS_PER_PART: u16 = 512;

/// The Redis that a store connects to: a `redis::Client`. With their Cargo features, also a
/// `redis::cluster::ClusterClient` or a `redis::sentinel::SentinelClient`.
///
/// The application builds the client, with its TLS settings, user and password. With TLS the system's
/// certificates are trusted, or those that the environment variable `SSL_CERT_FILE` names. Give a
/// private CA to the client, with `redis::Client::build_with_tls` or `certs` of the other builders:
///
/// ```no_run
/// # #[cfg(feature = "redis-tls")] {
/// use growthbook_sticky::{RedisStickyBucketStore, redis};
///
/// let ca = std::fs::read("ca.pem")?;
/// let certificates = redis::TlsCertificates { client_tls: None, root_cert: Some(ca) };
/// let client = redis::Client::build_with_tls("rediss://redis.internal/", certificates)?;
/// let store = RedisStickyBucketStore::new(client);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// If the program has not chosen a default cryptography provider of rustls before the first TLS
/// connection, `ring` becomes the default.
///
/// The deadline of the store bounds each call, whatever timeouts and retries the client has.
/// Connecting to one node of a cluster may take a quarter of the deadline, so that a node that hangs
/// leaves time for the others.
///
/// The protocol and the TCP settings of a `redis::Client` have no effect on connections without TLS.
///
/// A request to a sentinel has no timeout. It runs on a thread that no call waits for beyond the
/// deadline. Set a TCP keepalive or user timeout if that thread should give up on a sentinel that
/// hangs.
pub struct RedisTarget(Target);

enum Target {
    Single(Box<redis::Client>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<redis::cluster::ClusterClient>),
    #[cfg(feature = "redis-sentinel")]
    Sentinel(limited::Sentinel),
}

impl From<redis::Client> for RedisTarget {
    fn from(client: redis::Client) -> Self {
        RedisTarget(Target::Single(Box::new(client)))
    }
}

#[cfg(feature = "redis-cluster")]
impl From<redis::cluster::ClusterClient> for RedisTarget {
    fn from(client: redis::cluster::ClusterClient) -> Self {
        RedisTarget(Target::Cluster(Box::new(client)))
    }
}

#[cfg(feature = "redis-sentinel")]
impl From<redis::sentinel::SentinelClient> for RedisTarget {
    fn from(client: redis::sentinel::SentinelClient) -> Self {
        RedisTarget(Target::Sentinel(limited::Sentinel::new(client)))
    }
}

impl RedisTarget {
    /// Returns the part of Redis that holds this key. Parts fail independently: a single server is
    /// one part, a cluster has several.
    #[cfg_attr(not(feature = "redis-cluster"), expect(unused_variables, reason = "one part"))]
    pub(super) fn part(&self, key: &str) -> u16 {
        match &self.0 {
            #[cfg(feature = "redis-cluster")]
            Target::Cluster(_) => super::cluster_slot::of(key) / SLOTS_PER_PART,
            _ => 0,
        }
    }

    /// Connects, for requests with this deadline. Connecting may take longer than the deadline;
    /// then a later request uses the connection.
    pub(super) fn connect(&self, deadline: Duration) -> RedisResult<Connection> {
        let timeout = connect_timeout(deadline);
        match &self.0 {
            Target::Single(client) => open(client, timeout),
            #[cfg(feature = "redis-cluster")]
            Target::Cluster(client) => {
                // The client does not say whether its addresses use TLS.
                limited::choose_provider();
                // The timeout is for each node, so a node that hangs leaves time for the others.
                let timeout = deadline / 4;
                let config = redis::cluster::ClusterConfig::new()
                    .set_connection_timeout(timeout)
                    .set_response_timeout(timeout);
                client.get_connection_with_config(config).map(Box::new).map(Connection::Cluster)
            }
            #[cfg(feature = "redis-sentinel")]
            Target::Sentinel(sentinel) => open(&sentinel.master()?, timeout),
        }
    }
}

fn open(client: &redis::Client, timeout: Duration) -> RedisResult<Connection> {
    limited::Connection::open(client, Instant::now() + timeout, MAX_REDIS_REPLY_BYTES)
        .map(Connection::Single)
}
