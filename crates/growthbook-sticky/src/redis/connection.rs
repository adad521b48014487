//! One connection, to whichever kind of Redis.

use std::time::Duration;

use redis::{Cmd, RedisError, RedisResult, Value};

/// How long connecting to a server may take at least.
const LEAST_CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How many neighbouring slots of a cluster fail together.
#[cfg(feature = "redis-cluster")]
const SLOTS_PER_PART: u16 = 512;

/// What a store connects to: a `redis::Client`, and with their Cargo features a
/// `redis::cluster::ClusterClient` and a `redis::sentinel::SentinelClient`.
///
/// Each is built by the application, with its TLS, user and password. Waiting is bounded by the
/// store's own deadline, whatever timeouts and retries they have; connecting to a node of a cluster
/// gets a quarter of it, so that one that hangs leaves time for the others. A sentinel is asked without a
/// timeout, by a thread that no request waits for; to have it give up on one that hangs, set a
/// TCP keepalive or user timeout.
pub struct RedisTarget(Target);

enum Target {
    Single(Box<redis::Client>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<redis::cluster::ClusterClient>),
    #[cfg(feature = "redis-sentinel")]
    Sentinel(Box<std::sync::Mutex<redis::sentinel::SentinelClient>>),
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
        RedisTarget(Target::Sentinel(Box::new(std::sync::Mutex::new(client))))
    }
}

impl RedisTarget {
    /// The part of Redis that has this key, as far as parts fail by themselves.
    #[cfg_attr(not(feature = "redis-cluster"), expect(unused_variables, reason = "one part"))]
    pub(super) fn part(&self, key: &str) -> u16 {
        match &self.0 {
            #[cfg(feature = "redis-cluster")]
            Target::Cluster(_) => super::slot::of(key) / SLOTS_PER_PART,
            _ => 0,
        }
    }

    /// Connects, for requests with this deadline. It may take longer than that: whoever asks later
    /// finds the connection.
    pub(super) fn connect(&self, deadline: Duration) -> RedisResult<Connection> {
        let timeout = deadline.max(LEAST_CONNECT_TIMEOUT);
        match &self.0 {
            Target::Single(client) => {
                client.get_connection_with_timeout(timeout).map(Box::new).map(Connection::Single)
            }
            #[cfg(feature = "redis-cluster")]
            Target::Cluster(client) => {
                // To each node: one that hangs leaves time for the others.
                let timeout = deadline / 4;
                let config = redis::cluster::ClusterConfig::new()
                    .set_connection_timeout(timeout)
                    .set_response_timeout(timeout);
                client.get_connection_with_config(config).map(Box::new).map(Connection::Cluster)
            }
            #[cfg(feature = "redis-sentinel")]
            Target::Sentinel(client) => {
                let mut client = client.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let master = client.get_client()?;
                drop(client);
                master.get_connection_with_timeout(timeout).map(Box::new).map(Connection::Single)
            }
        }
    }
}

pub(super) enum Connection {
    Single(Box<redis::Connection>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<redis::cluster::ClusterConnection>),
}

impl Connection {
    pub(super) fn set_timeout(&mut self, timeout: Duration) -> RedisResult<()> {
        let timeout = Some(timeout);
        match self {
            Connection::Single(connection) => {
                connection.set_read_timeout(timeout)?;
                connection.set_write_timeout(timeout)
            }
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => {
                connection.set_read_timeout(timeout)?;
                connection.set_write_timeout(timeout)
            }
        }
    }

    pub(super) fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Connection::Single(connection) => command.query(&mut **connection),
            // A single command would be repeated, sixteen times by default, while a node hangs.
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => {
                let mut pipeline = redis::cluster::cluster_pipe();
                pipeline.add_command(command.clone());
                let (answer,) = pipeline.query(connection)?;
                Ok(answer)
            }
        }
    }

    /// What is stored under each key; nothing where it is no string.
    pub(super) fn get_all(&mut self, keys: &[String]) -> RedisResult<Vec<Value>> {
        match self {
            Connection::Single(connection) => redis::cmd("MGET").arg(keys).query(&mut **connection),
            #[cfg(feature = "redis-cluster")]
            Connection::Cluster(connection) => {
                let mut pipeline = redis::cluster::cluster_pipe();
                for key in keys {
                    pipeline.cmd("GET").arg(key);
                }
                match pipeline.query(connection) {
                    // Perhaps one of them is no string, which fails the pipeline.
                    Err(error) if is_answer(&error) => self.get_each(keys),
                    answered => answered,
                }
            }
        }
    }

    #[cfg(feature = "redis-cluster")]
    fn get_each(&mut self, keys: &[String]) -> RedisResult<Vec<Value>> {
        let get = |key| match self.query(redis::cmd("GET").arg(key)) {
            Err(error) if server_code(&error).as_deref() == Some("WRONGTYPE") => Ok(Value::Nil),
            answered => answered,
        };
        keys.iter().map(get).collect()
    }
}

/// The code of Redis's answer, where the error is one: the connection is as good as before.
pub(super) fn server_code(error: &RedisError) -> Option<String> {
    let code = error.code().map(ToOwned::to_owned);
    code.or_else(|| Some(error.clone().into_server_errors()?.first()?.1.code().to_owned()))
}

/// Whether an error is an answer of Redis's.
pub(super) fn is_answer(error: &RedisError) -> bool {
    server_code(error).is_some()
}

/// Whether another server has to be found: this one is a replica now, or not ready.
pub(super) fn is_about_server(error: &RedisError) -> bool {
    let codes = ["READONLY", "MASTERDOWN", "LOADING", "NOAUTH", "CLUSTERDOWN"];
    server_code(error).is_some_and(|code| codes.contains(&&*code))
}
