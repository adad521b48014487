//! A connection to one server: each request ends by a deadline, and each reply has a limit.

use std::io::{self, BufRead, BufReader, Write};
use std::time::Instant;

use redis::{Cmd, ConnectionInfo, RedisConnectionInfo, RedisError, RedisResult, Value};

use super::reply::{Budget, read_reply};
use super::tls::Tls;
use super::transport::Transport;

/// A connection to one server. It speaks RESP2.
pub(super) struct Server {
    reader: BufReader<Transport>,
    max_reply: usize,
    is_open: bool,
}

impl Server {
    /// Connects and logs in, until this deadline.
    pub(super) fn open(
        info: &ConnectionInfo,
        tls: &Tls,
        deadline: Instant,
        max_reply: usize,
    ) -> RedisResult<Self> {
        let transport = Transport::open(info.addr(), tls, deadline)?;
        let mut server = Server { reader: BufReader::new(transport), max_reply, is_open: true };
        server.log_in(info.redis_settings())?;
        Ok(server)
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.reader.get_mut().set_deadline(deadline);
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Sends a command, and returns its reply. An error reply is an error.
    pub(super) fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.send(&command.get_packed_command())?;
        self.receive().and_then(checked)
    }

    /// Sends packed commands.
    pub(super) fn send(&mut self, commands: &[u8]) -> RedisResult<()> {
        let transport = self.reader.get_mut();
        let sent = transport.write_all(commands).and_then(|()| transport.flush());
        self.note(sent)
    }

    /// Reads the next reply.
    pub(super) fn receive(&mut self) -> RedisResult<Value> {
        self.receive_within(&mut Budget::new(self.max_reply))
    }

    /// Reads the next reply, which takes its memory from this budget.
    pub(super) fn receive_within(&mut self, budget: &mut Budget) -> RedisResult<Value> {
        let reply = read_reply(&mut self.reader, budget);
        self.note(reply)
    }

    /// Waits until bytes arrive; false if none do until the deadline. That leaves the connection as
    /// it is.
    pub(super) fn wait(&mut self) -> RedisResult<bool> {
        match self.reader.fill_buf().map(<[u8]>::is_empty) {
            Err(error) if is_temporary(&error) => Ok(false),
            Ok(true) => self.note(Err(io::ErrorKind::UnexpectedEof.into())),
            filled => self.note(filled).map(|_| true),
        }
    }

    fn log_in(&mut self, settings: &RedisConnectionInfo) -> RedisResult<()> {
        if let Some(password) = settings.password() {
            let mut command = redis::cmd("AUTH");
            command.arg(settings.username()).arg(password);
            self.query(&command)?;
        }
        if settings.db() != 0 {
            self.query(redis::cmd("SELECT").arg(settings.db()))?;
        }
        Ok(())
    }

    /// After any error, replies and requests may no longer belong together.
    fn note<T>(&mut self, result: io::Result<T>) -> RedisResult<T> {
        self.is_open &= result.is_ok();
        result.map_err(RedisError::from)
    }
}

/// Returns the reply, or its error if it is one.
pub(super) fn checked(reply: Value) -> RedisResult<Value> {
    match reply {
        Value::ServerError(error) => Err(error.into()),
        reply => Ok(reply),
    }
}

/// Whether waiting ended by a timeout, whose kind depends on the system, or by a signal.
fn is_temporary(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};

    matches!(error.kind(), TimedOut | WouldBlock | Interrupted)
}
