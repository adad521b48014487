//! A connection to one Redis server.

use std::time::Instant;

use redis::{ConnectionLike, RedisResult, Value};

use super::plain::Plain;
use super::provider::choose_provider_for;
use super::socket::left;

/// A connection to one Redis server.
///
/// On a plain connection, requests end by the deadline, and no reply takes more memory than the
/// limit. On a TLS connection the deadline bounds each wait for bytes only, and there is no limit.
pub struct Connection(Kind);

enum Kind {
    Plain(Plain),
    Tls(Box<redis::Connection>),
}

impl Connection {
    /// Connects and logs in, until this deadline.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or refuses the user or the database.
    pub fn open(client: &redis::Client, deadline: Instant, max_reply: usize) -> RedisResult<Self> {
        if choose_provider_for(client) {
            let connection = client.get_connection_with_timeout(left(deadline)?)?;
            return Ok(Connection(Kind::Tls(Box::new(connection))));
        }
        Plain::open(client, deadline, max_reply).map(Kind::Plain).map(Connection)
    }

    /// Sets the deadline of the next requests.
    ///
    /// # Errors
    ///
    /// When the deadline has passed.
    pub fn set_deadline(&mut self, deadline: Instant) -> RedisResult<()> {
        let left = left(deadline)?;
        match &mut self.0 {
            Kind::Plain(plain) => plain.set_deadline(deadline),
            Kind::Tls(connection) => {
                connection.set_read_timeout(Some(left))?;
                connection.set_write_timeout(Some(left))?;
            }
        }
        Ok(())
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        match &mut self.0 {
            Kind::Plain(plain) => {
                plain.send(command)?;
                plain.receive()
            }
            Kind::Tls(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        match &mut self.0 {
            Kind::Plain(plain) => {
                plain.send(commands)?;
                let mut replies = Vec::new();
                for position in 0..offset + count {
                    let reply = plain.receive()?;
                    if position >= offset {
                        replies.push(reply);
                    }
                }
                Ok(replies)
            }
            Kind::Tls(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.0 {
            Kind::Plain(plain) => plain.database(),
            Kind::Tls(connection) => connection.get_db(),
        }
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").query::<Value>(self).is_ok()
    }

    fn is_open(&self) -> bool {
        match &self.0 {
            Kind::Plain(plain) => plain.is_open(),
            Kind::Tls(connection) => connection.is_open(),
        }
    }
}
