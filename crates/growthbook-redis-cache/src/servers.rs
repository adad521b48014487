//! Where Redis is: a server, a cluster, or what Sentinel says.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionLike, RedisResult};

/// Where Redis is: a [`redis::Client`]; with the Cargo feature `cluster` a
/// [`redis::cluster::ClusterClient`], with `sentinel` a [`redis::sentinel::SentinelClient`].
///
/// `Debug` prints no address: it may hold a password.
pub struct RedisServers(Kind);

enum Kind {
    Server(redis::Client),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster::ClusterClient),
    #[cfg(feature = "sentinel")]
    Sentinel(std::sync::Mutex<redis::sentinel::SentinelClient>),
}

/// A connection, and what keeps its operations within the deadline.
pub(crate) type Connection = Box<dyn ConnectionLike + Send>;

impl RedisServers {
    /// Opens a connection whose every operation takes no longer than the deadline.
    pub(crate) fn connect(&self, deadline: Duration) -> RedisResult<Connection> {
        match &self.0 {
            Kind::Server(client) => {
                let connection = client.get_connection_with_timeout(deadline)?;
                limit(&connection, deadline)?;
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
                limit(&connection, deadline)?;
                Ok(Box::new(connection))
            }
        }
    }

    /// A connection to hear announcements on; `None` for a cluster, whose client has none.
    pub(crate) fn subscriber(&self, deadline: Duration) -> RedisResult<Option<redis::Connection>> {
        match &self.0 {
            Kind::Server(client) => client.get_connection_with_timeout(deadline).map(Some),
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => Ok(None),
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(client) => lock(client).get_connection().map(Some),
        }
    }

    /// Whether there is anything to hear.
    pub(crate) fn can_subscribe(&self) -> bool {
        match &self.0 {
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => false,
            _ => true,
        }
    }
}

fn limit(connection: &redis::Connection, deadline: Duration) -> RedisResult<()> {
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
