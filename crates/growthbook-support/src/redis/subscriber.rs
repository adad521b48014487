//! A connection for the messages of one channel.

use std::time::{Duration, Instant};

use redis::{RedisResult, Value};

use super::server::Server;

/// The messages of one channel.
pub struct Messages {
    server: Server,
    timeout: Duration,
}

impl Messages {
    /// The limit of a message. The messages of this workspace are much shorter.
    pub(super) const MAX_BYTES: usize = 16 * 1024;

    /// Subscribes to a channel. That step, and each later one, ends by the timeout.
    pub(super) fn subscribe(server: Server, channel: &str, timeout: Duration) -> RedisResult<Self> {
        let mut messages = Messages { server, timeout };
        messages.request(redis::cmd("SUBSCRIBE").arg(channel))?;
        Ok(messages)
    }

    /// Returns the text of the next message; `None` if no message arrives within this time.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub fn next(&mut self, wait: Duration) -> RedisResult<Option<Vec<u8>>> {
        self.server.set_deadline(Instant::now() + wait);
        if !self.server.wait()? {
            return Ok(None);
        }
        self.server.set_deadline(Instant::now() + self.timeout);
        Ok(message(&self.server.receive()?))
    }

    /// Checks whether the server still answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn ping(&mut self) -> RedisResult<()> {
        self.request(&redis::cmd("PING"))
    }

    /// Sends a command and waits for its reply. Messages that arrive before it are dropped.
    fn request(&mut self, command: &redis::Cmd) -> RedisResult<()> {
        self.server.set_deadline(Instant::now() + self.timeout);
        self.server.send(&command.get_packed_command())?;
        loop {
            match self.server.receive()? {
                Value::ServerError(error) => return Err(error.into()),
                reply if message(&reply).is_none() => return Ok(()),
                _ => {}
            }
        }
    }
}

/// Returns the text of a message; `None` for a reply.
fn message(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Array(parts) => match parts.as_slice() {
            [Value::BulkString(kind), _, Value::BulkString(text)] if kind == b"message" => {
                Some(text.clone())
            }
            _ => None,
        },
        _ => None,
    }
}
