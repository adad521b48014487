//! The address of Redis: a server, a cluster, or the master that a Sentinel names.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionLike, RedisResult};

/// The address of Redis, made `From` a client of the crate [`redis`].
///
/// | client | Cargo feature |
/// |---|---|
/// | `redis::Client` | |
/// | `redis::cluster::ClusterClient` | `cluster` |
/// | `redis::sentinel::SentinelClient` | `sentinel` |
///
/// `Debug` does not print the address: it may contain a password.
pub struct RedisServers(Kind);

enum Kind {
    Server(redis::Client),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster::ClusterClient),
    #[cfg(feature = "sentinel")]
    Sentinel(std::sync::Mutex<redis::sentinel::SentinelClient>),
}

/// A connection for requests.
pub(crate) type Connection = Box<dyn ConnectionLike + Send>;

impl RedisServers {
    /// Opens a connection for requests. Each read and each write on it ends by the deadline.
    pub(crate) fn connect(&self, deadline: Duration) -> RedisResult<Connection> {
        match &self.0 {
            Kind::Server(client) => {
                let connection = client.get_connection_with_timeout(deadline)?;
                set_timeouts(&connection, deadline)?;
                Ok(Box::new(connection))
            }
            #[cfg(feature = "cluster")]
            Kind::Cluster(client) => {
                let connection = client.get_connection()?;
                connection.set_read_timeout(Some(deadline))?;
                connection.set_write_timeout(Some(deadline))?;
                Ok(Box::new(connection))
            }
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(client) => {
                let connection = lock(client).get_connection()?;
                set_timeouts(&connection, deadline)?;
                Ok(Box::new(connection))
            }
        }
    }

    /// Opens a connection for notifications; `None` for a cluster, whose client has none.
    pub(crate) fn subscriber(&self, deadline: Duration) -> RedisResult<Option<redis::Connection>> {
        match &self.0 {
            Kind::Server(client) => client.get_connection_with_timeout(deadline).map(Some),
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => Ok(None),
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(client) => lock(client).get_connection().map(Some),
        }
    }

    /// Whether [`subscriber`](Self::subscriber) can open a connection.
    pub(crate) fn can_subscribe(&self) -> bool {
        match &self.0 {
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => false,
            _ => true,
        }
    }
}

fn set_timeouts(connection: &redis::Connection, deadline: Duration) -> RedisResult<()> {
    connection.set_read_timeout(Some(deadline))?;
    connection.set_write_timeout(Some(deadline))
}

#[cfg(feature = "sentinel")]
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
        RedisServers(Kind::Sentinel(std::sync::Mutex::new(client)))
    }
}

impl fmt::Debug for RedisServers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisServers").finish_non_exhaustive()
    }
}
