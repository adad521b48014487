//! The address of Redis: a server, a cluster, or the master that sentinels name.

use std::fmt;
#[cfg(feature = "redis-cluster")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{ConnectionInfo, RedisResult};
#[cfg(any(feature = "redis-cluster", feature = "redis-sentinel"))]
use redis::{ErrorKind, IntoConnectionInfo};

#[cfg(feature = "redis-cluster")]
use super::cluster::{Cluster, Nodes};
use super::connection::Connection;
#[cfg(feature = "redis-sentinel")]
use super::sentinel::Sentinel;
use super::server::Server;
use super::subscriber::Messages;
use super::tls::Tls;

/// The address of Redis.
///
/// | address | how to make it | Cargo feature |
/// |---|---|---|
/// | a server | `From` a `redis::Client` | |
/// | a cluster | `RedisServers::cluster` | `cluster`, `redis-cluster` |
/// | the master that sentinels name | `RedisServers::sentinel` | `sentinel`, `redis-sentinel` |
///
/// The connections speak RESP2. The protocol and the TCP settings of a `redis::Client` have no
/// effect: deadlines make a keepalive unnecessary.
///
/// # TLS
///
/// With the Cargo feature `tls` (`redis-tls`), an address may start with `rediss://`. The system's
/// certificates are trusted. The environment variable `SSL_CERT_FILE` can name others. The option
/// `certificates` of the cache or store sets a private CA and a client certificate. Those inside a
/// `redis::Client` cannot be read, so each connection with such a client fails and says so.
///
/// TLS uses the cryptography provider that the program made the default of rustls, or else `ring`.
///
/// `Debug` does not print the address: it may contain a password.
pub struct RedisServers(Kind);

enum Kind {
    Server(Box<ConnectionInfo>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Arc<Nodes>),
    #[cfg(feature = "redis-sentinel")]
    Sentinel(Box<Sentinel>),
}

impl RedisServers {
    /// Makes the address of a cluster from those of some of its nodes, such as
    /// `redis://10.0.0.1:6379`. The user, the password and TLS of the first address are used for all
    /// nodes.
    ///
    /// # Errors
    ///
    /// When an address is invalid, or when there is not one.
    #[cfg(feature = "redis-cluster")]
    pub fn cluster<A: IntoConnectionInfo>(nodes: impl IntoIterator<Item = A>) -> RedisResult<Self> {
        Ok(RedisServers(Kind::Cluster(Arc::new(Nodes::new(infos(nodes)?)?))))
    }

    /// Makes the address of a master that sentinels know.
    ///
    /// The host of the master's address is its name for the sentinels. Its user, password, database
    /// and TLS are used for the connections to it:
    ///
    /// ```
    /// # use growthbook_support::redis::RedisServers;
    /// let sentinels = ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379"];
    /// let servers = RedisServers::sentinel(sentinels, "redis://user:password@mymaster/0")?;
    /// # Ok::<(), redis::RedisError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When an address is invalid, or when there is not a sentinel.
    #[cfg(feature = "redis-sentinel")]
    pub fn sentinel<A: IntoConnectionInfo>(
        sentinels: impl IntoIterator<Item = A>,
        master: impl IntoConnectionInfo,
    ) -> RedisResult<Self> {
        let master = master.into_connection_info()?;
        Ok(RedisServers(Kind::Sentinel(Box::new(Sentinel::new(infos(sentinels)?, master)?))))
    }

    /// Opens a connection for requests, until this deadline. A reply takes no more memory than
    /// `max_reply` bytes. A connection to a cluster connects to its nodes with the first requests.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or refuses the user or the database.
    pub fn connect(
        &self,
        tls: &Tls,
        deadline: Instant,
        max_reply: usize,
    ) -> RedisResult<Connection> {
        match &self.0 {
            Kind::Server(info) => {
                Server::open(info, tls, deadline, max_reply).map(Connection::server)
            }
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(nodes) => {
                let cluster = Cluster::new(nodes.clone(), tls.clone(), deadline, max_reply);
                Ok(Connection::cluster(cluster))
            }
            #[cfg(feature = "redis-sentinel")]
            Kind::Sentinel(sentinel) => {
                sentinel.connect(tls, deadline, max_reply).map(Connection::server)
            }
        }
    }

    /// Connects, subscribes to a channel, and passes its messages to the closure. Each step ends by
    /// the timeout. The nodes of a cluster pass messages on to each other, so one node is enough.
    ///
    /// # Errors
    ///
    /// Those of the connection and of the closure.
    pub fn subscribe(
        &self,
        tls: &Tls,
        channel: &str,
        timeout: Duration,
        follow: impl FnOnce(&mut Messages) -> RedisResult<()>,
    ) -> RedisResult<()> {
        let (deadline, limit) = (Instant::now() + timeout, Messages::MAX_BYTES);
        let server = match &self.0 {
            Kind::Server(info) => Server::open(info, tls, deadline, limit)?,
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(nodes) => Server::open(nodes.next_seed(), tls, deadline, limit)?,
            #[cfg(feature = "redis-sentinel")]
            Kind::Sentinel(sentinel) => sentinel.connect(tls, deadline, limit)?,
        };
        follow(&mut Messages::subscribe(server, channel, timeout)?)
    }

    /// Returns the hash slot of a key in a cluster; `None` if this is not a cluster.
    pub fn slot(&self, key: &str) -> Option<u16> {
        match &self.0 {
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(_) => Some(super::slot::of(key)),
            _ => {
                let _ = key;
                None
            }
        }
    }
}

impl From<redis::Client> for RedisServers {
    fn from(client: redis::Client) -> Self {
        RedisServers(Kind::Server(Box::new(client.get_connection_info().clone())))
    }
}

impl fmt::Debug for RedisServers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisServers").finish_non_exhaustive()
    }
}

/// Parses addresses. There has to be at least one.
#[cfg(any(feature = "redis-cluster", feature = "redis-sentinel"))]
fn infos<A: IntoConnectionInfo>(
    addresses: impl IntoIterator<Item = A>,
) -> RedisResult<Vec<ConnectionInfo>> {
    let infos: RedisResult<Vec<_>> =
        addresses.into_iter().map(IntoConnectionInfo::into_connection_info).collect();
    match infos {
        Ok(infos) if infos.is_empty() => {
            Err((ErrorKind::InvalidClientConfig, "there is not an address of Redis").into())
        }
        infos => infos,
    }
}

#[cfg(all(test, feature = "redis-cluster", feature = "redis-sentinel"))]
mod tests {
    use super::*;

    #[test]
    fn missing_and_invalid_addresses_are_refused() {
        assert!(RedisServers::cluster(Vec::<String>::new()).is_err());
        assert!(RedisServers::cluster(["http://a"]).is_err());
        assert!(RedisServers::cluster(["unix:///tmp/a"]).is_err());
        assert!(RedisServers::sentinel(Vec::<String>::new(), "redis://mymaster").is_err());
        assert!(RedisServers::sentinel(["redis://a"], "unix:///tmp/a").is_err());
        assert!(RedisServers::sentinel(["redis://a"], "redis://:password@mymaster/1").is_ok());
    }
}
