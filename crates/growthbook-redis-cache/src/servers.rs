//! The address of Redis: a server, a cluster, or the master that a Sentinel names.

use std::fmt;
use std::time::{Duration, Instant};

#[cfg(feature = "sentinel")]
use growthbook_support::redis::Sentinel;
use growthbook_support::redis::{self as limited, Messages};
use redis::{ConnectionLike, RedisResult};

/// The address of Redis, made `From` a client of the crate [`redis`].
///
/// | client | Cargo feature |
/// |---|---|
/// | `redis::Client` | |
/// | `redis::cluster::ClusterClient` | `cluster` |
/// | `redis::sentinel::SentinelClient` | `sentinel` |
///
/// # TLS
///
/// With the Cargo feature `tls`, an address may start with `rediss://`. The system's certificates are
/// trusted; the environment variable `SSL_CERT_FILE` can name others. Give a private CA to the client:
///
/// ```no_run
/// # #[cfg(feature = "tls")] {
/// # use growthbook_redis_cache::{RedisCache, redis};
/// use redis::{Client, TlsCertificates};
///
/// let ca = std::fs::read("ca.pem")?;
/// let certificates = TlsCertificates { client_tls: None, root_cert: Some(ca) };
/// let cache = RedisCache::new(Client::build_with_tls("rediss://redis.internal/", certificates)?);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The builders of the other two clients have a method `certs` and parameters for it.
///
/// TLS uses the cryptography provider that the program made the default of rustls. If the program
/// has not chosen one before the first connection, `ring` becomes the default.
///
/// The protocol and the TCP settings of a client have no effect on connections without TLS, except on
/// a cluster.
///
/// `Debug` does not print the address: it may contain a password.
pub struct RedisServers(Kind);

enum Kind {
    Server(redis::Client),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster::ClusterClient),
    #[cfg(feature = "sentinel")]
    Sentinel(Sentinel),
}

/// A connection for requests.
pub(crate) enum Connection {
    Server(limited::Connection),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterConnection>),
}

impl RedisServers {
    /// Opens a connection for requests, until this deadline. Its replies are limited.
    pub(crate) fn connect(&self, deadline: Instant, max_reply: usize) -> RedisResult<Connection> {
        match &self.0 {
            Kind::Server(client) => {
                limited::Connection::open(client, deadline, max_reply).map(Connection::Server)
            }
            #[cfg(feature = "cluster")]
            Kind::Cluster(client) => {
                // The client does not say whether its addresses use TLS.
                limited::choose_provider();
                client.get_connection().map(Box::new).map(Connection::Cluster)
            }
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(sentinel) => {
                let master = sentinel.master()?;
                limited::Connection::open(&master, deadline, max_reply).map(Connection::Server)
            }
        }
    }

    /// Subscribes to a channel and passes its messages to the closure. Does nothing on a cluster,
    /// whose client cannot subscribe. Each step ends by the timeout.
    pub(crate) fn subscribe(
        &self,
        channel: &str,
        timeout: Duration,
        follow: impl FnOnce(&mut dyn Messages) -> RedisResult<()>,
    ) -> RedisResult<()> {
        match &self.0 {
            Kind::Server(client) => limited::subscribe(client, channel, timeout, follow),
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => Ok(()),
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(sentinel) => {
                limited::subscribe(&sentinel.master()?, channel, timeout, follow)
            }
        }
    }

    /// Whether [`subscribe`](Self::subscribe) can subscribe.
    pub(crate) fn can_subscribe(&self) -> bool {
        match &self.0 {
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => false,
            _ => true,
        }
    }
}

impl Connection {
    /// Sets the deadline of the next requests. On a cluster and with TLS, it bounds each wait for
    /// bytes only.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) -> RedisResult<()> {
        match self {
            Connection::Server(connection) => connection.set_deadline(deadline),
            #[cfg(feature = "cluster")]
            Connection::Cluster(connection) => {
                // The client refuses a timeout of zero.
                const SHORTEST: Duration = Duration::from_millis(1);
                let left = deadline.saturating_duration_since(Instant::now()).max(SHORTEST);
                connection.set_read_timeout(Some(left))?;
                connection.set_write_timeout(Some(left))
            }
        }
    }

    pub(crate) fn requests(&mut self) -> &mut dyn ConnectionLike {
        match self {
            Connection::Server(connection) => connection,
            #[cfg(feature = "cluster")]
            Connection::Cluster(connection) => &mut **connection,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        match self {
            Connection::Server(connection) => connection.is_open(),
            #[cfg(feature = "cluster")]
            Connection::Cluster(connection) => connection.is_open(),
        }
    }
}

impl From<redis::Client> for RedisServers {
    fn from(client: redis::Client) -> Self {
        RedisServers(Kind::Server(client))
    }
}

#[cfg(feature = "cluster")]
impl From<redis::cluster::ClusterClient> for RedisServers {
    fn from(client: redis::cluster::ClusterClient) -> Self {
        RedisServers(Kind::Cluster(client))
    }
}

#[cfg(feature = "sentinel")]
impl From<redis::sentinel::SentinelClient> for RedisServers {
    fn from(client: redis::sentinel::SentinelClient) -> Self {
        RedisServers(Kind::Sentinel(Sentinel::new(client)))
    }
}

impl fmt::Debug for RedisServers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisServers").finish_non_exhaustive()
    }
}
