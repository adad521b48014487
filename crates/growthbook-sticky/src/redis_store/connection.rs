//! A connection to a Redis server or to a Redis Cluster.

use std::time::{Duration, Instant};

use growthbook_support::redis::Connection as Server;
use redis::{Cmd, RedisResult, Value};

#[cfg(feature = "redis-cluster")]
use super::error::{is_reply, server_code};

pub(super) enum Connection {
    Single(Server),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<redis::cluster::ClusterConnection>),
}

/// The least time that a thread or task waits for a reply from a server. A caller with a shorter deadline
/// no longer waits then. But a connection whose reply arrives late can be used again, and one whose
/// reply was not read cannot.
pub(super) const LEAST_REPLY_TIMEOUT: Duration = Duration::from_secs(2);

impl Connection {
    /// Sets how long the next requests may take. Their caller waits for this time. On a cluster and
    /// with TLS, it bounds each wait for bytes only.
    pub(super) fn set_timeout(&mut self, timeout: Duration) -> RedisResult<()> {
        match self {
            Connection::Single(connection) => {
                connection.set_deadline(Instant::now() + timeout.max(LEAST_REPLY_TIMEOUT))
            }
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => {
                // A node that hangs must not hold back requests to the others.
                let timeout = Some(timeout);
                connection.set_read_timeout(timeout)?;
                connection.set_write_timeout(timeout)
            }
        }
    }

    pub(super) fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Connection::Single(connection) => command.query(connection),
            // While a node hangs, the client would repeat a single command, sixteen times by
            // default. It does not repeat a pipeline.
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => {
                let mut pipeline = redis::cluster::cluster_pipe();
                pipeline.add_command(command.clone());
                let (reply,) = pipeline.query(connection)?;
                Ok(reply)
            }
        }
    }

    /// Returns the string under each key, or `Nil` where there is none.
    pub(super) fn get_all(&mut self, keys: &[String]) -> RedisResult<Vec<Value>> {
        match self {
            Connection::Single(connection) => redis::cmd("MGET").arg(keys).query(connection),
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => {
                let mut pipeline = redis::cluster::cluster_pipe();
                for key in keys {
                    pipeline.cmd("GET").arg(key);
                }
                match pipeline.query(connection) {
                    // A key that does not hold a string fails the whole pipeline.
                    Err(error) if is_reply(&error) => self.get_each(keys),
                    result => result,
                }
            }
        }
    }

    #[cfg(feature = "redis-cluster")]
    fn get_each(&mut self, keys: &[String]) -> RedisResult<Vec<Value>> {
        let get = |key| match self.query(redis::cmd("GET").arg(key)) {
            Err(error) if server_code(&error).as_deref() == Some("WRONGTYPE") => Ok(Value::Nil),
            result => result,
        };
        keys.iter().map(get).collect()
    }
}
