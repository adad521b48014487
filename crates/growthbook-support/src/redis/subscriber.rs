//! A connection for the messages of one channel.

use std::time::{Duration, Instant};

use redis::{PubSub, RedisResult, Value};

use super::plain::Plain;
use super::provider::choose_provider_for;

/// The limit of a message. The messages of this workspace are much shorter.
const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// The messages of one channel.
pub trait Messages {
    /// Returns the text of the next message; `None` if no message arrives within this time.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    fn next(&mut self, wait: Duration) -> RedisResult<Option<Vec<u8>>>;

    /// Checks whether the server still answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    fn ping(&mut self) -> RedisResult<()>;
}

/// Connects, subscribes to a channel, and passes its messages to the closure. Each step ends by the
/// timeout.
///
/// # Errors
///
/// Those of the connection and of the closure.
pub fn subscribe(
    client: &redis::Client,
    channel: &str,
    timeout: Duration,
    follow: impl FnOnce(&mut dyn Messages) -> RedisResult<()>,
) -> RedisResult<()> {
    if choose_provider_for(client) {
        let mut connection = client.get_connection_with_timeout(timeout)?;
        let mut pubsub = connection.as_pubsub();
        pubsub.set_read_timeout(Some(timeout))?;
        pubsub.subscribe(channel)?;
        return follow(&mut TlsMessages { pubsub, timeout });
    }
    let plain = Plain::open(client, Instant::now() + timeout, MAX_MESSAGE_BYTES)?;
    let mut messages = PlainMessages { plain, timeout };
    messages.request(redis::cmd("SUBSCRIBE").arg(channel))?;
    follow(&mut messages)
}

struct PlainMessages {
    plain: Plain,
    timeout: Duration,
}

impl PlainMessages {
    /// Sends a command and waits for its reply. Messages that arrive before it are dropped.
    fn request(&mut self, command: &redis::Cmd) -> RedisResult<()> {
        self.plain.set_deadline(Instant::now() + self.timeout);
        self.plain.send(&command.get_packed_command())?;
        loop {
            match self.plain.receive()? {
                Value::ServerError(error) => return Err(error.into()),
                reply if message(&reply).is_none() => return Ok(()),
                _ => {}
            }
        }
    }
}

impl Messages for PlainMessages {
    fn next(&mut self, wait: Duration) -> RedisResult<Option<Vec<u8>>> {
        self.plain.set_deadline(Instant::now() + wait);
        if !self.plain.wait()? {
            return Ok(None);
        }
        self.plain.set_deadline(Instant::now() + self.timeout);
        Ok(message(&self.plain.receive()?))
    }

    fn ping(&mut self) -> RedisResult<()> {
        self.request(&redis::cmd("PING"))
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

struct TlsMessages<'a> {
    pubsub: PubSub<'a>,
    timeout: Duration,
}

impl Messages for TlsMessages<'_> {
    fn next(&mut self, wait: Duration) -> RedisResult<Option<Vec<u8>>> {
        self.pubsub.set_read_timeout(Some(wait))?;
        match self.pubsub.get_message() {
            Ok(message) => Ok(Some(message.get_payload_bytes().to_vec())),
            Err(error) if error.is_timeout() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ping(&mut self) -> RedisResult<()> {
        self.pubsub.set_read_timeout(Some(self.timeout))?;
        self.pubsub.ping()
    }
}
