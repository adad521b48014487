//! A connection for requests: to a server, or to the nodes of a cluster.

use std::time::Instant;

use redis::{Cmd, RedisResult, Value};

#[cfg(feature = "redis-cluster")]
use super::cluster::Cluster;
use super::server::Server;

/// A connection for requests. They end by the deadline, and replies have a limit.
pub struct Connection(Kind);

enum Kind {
    Server(Box<Server>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<Cluster>),
}

impl Connection {
    pub(super) fn server(server: Server) -> Self {
        Connection(Kind::Server(Box::new(server)))
    }

    #[cfg(feature = "redis-cluster")]
    pub(super) fn cluster(cluster: Cluster) -> Self {
        Connection(Kind::Cluster(Box::new(cluster)))
    }

    /// Sets the deadline of the next requests. The first request to a node of a cluster may take
    /// longer, because it connects. Then the next request uses the connection.
    pub fn set_deadline(&mut self, deadline: Instant) {
        match &mut self.0 {
            Kind::Server(server) => server.set_deadline(deadline),
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(cluster) => cluster.set_deadline(deadline),
        }
    }

    /// Sends a command about a key, and returns the reply.
    ///
    /// # Errors
    ///
    /// When the connection fails, or when the reply is an error.
    #[cfg_attr(not(feature = "redis-cluster"), expect(unused_variables, reason = "one server"))]
    pub fn query(&mut self, key: &str, command: &Cmd) -> RedisResult<Value> {
        match &mut self.0 {
            Kind::Server(server) => server.query(command),
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(cluster) => cluster.query(key, command),
        }
    }

    /// Returns the string under each key, or `Nil` where there is not one.
    ///
    /// # Errors
    ///
    /// When a connection fails, or when a server refuses the command.
    pub fn get_all(&mut self, keys: &[String]) -> RedisResult<Vec<Value>> {
        match &mut self.0 {
            Kind::Server(server) => match server.query(redis::cmd("MGET").arg(keys))? {
                Value::Array(values) => Ok(values),
                value => Ok(vec![value]),
            },
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(cluster) => cluster.get_all(keys),
        }
    }

    /// Whether requests can be sent after an error. A connection to a cluster replaces its broken
    /// parts by itself.
    pub fn is_open(&self) -> bool {
        match &self.0 {
            Kind::Server(server) => server.is_open(),
            #[cfg(feature = "redis-cluster")]
            Kind::Cluster(_) => true,
        }
    }

    /// Whether this is a connection to a cluster.
    pub fn is_cluster(&self) -> bool {
        !matches!(self.0, Kind::Server(_))
    }
}
