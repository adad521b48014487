//! A connection without TLS: each request ends by a deadline, and each reply has a limit.

use std::io::{self, BufRead, BufReader, Write};
use std::time::Instant;

use redis::{Cmd, ConnectionAddr, RedisConnectionInfo, RedisError, RedisResult, Value};

use super::reply::read_reply;
use super::socket::Socket;

/// A connection without TLS. It speaks RESP2. The client's TCP settings have no effect: deadlines make
/// a keepalive unnecessary.
pub(super) struct Plain {
    reader: BufReader<Socket>,
    max_reply: usize,
    database: i64,
    is_open: bool,
}

impl Plain {
    /// Connects and logs in, until this deadline.
    pub(super) fn open(
        client: &redis::Client,
        deadline: Instant,
        max_reply: usize,
    ) -> RedisResult<Self> {
        let info = client.get_connection_info();
        let socket = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Socket::tcp(host, *port, deadline)?,
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Socket::unix(path, deadline)?,
            _ => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        };
        let settings = info.redis_settings();
        let mut plain = Plain {
            reader: BufReader::new(socket),
            max_reply,
            database: settings.db(),
            is_open: true,
        };
        plain.log_in(settings)?;
        Ok(plain)
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.reader.get_mut().deadline = deadline;
    }

    pub(super) fn database(&self) -> i64 {
        self.database
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Sends packed commands.
    pub(super) fn send(&mut self, commands: &[u8]) -> RedisResult<()> {
        let sent = self.reader.get_mut().write_all(commands);
        self.note(sent)
    }

    /// Reads the next reply.
    pub(super) fn receive(&mut self) -> RedisResult<Value> {
        let reply = read_reply(&mut self.reader, self.max_reply);
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
            self.request(&command)?;
        }
        if self.database != 0 {
            self.request(redis::cmd("SELECT").arg(self.database))?;
        }
        Ok(())
    }

    fn request(&mut self, command: &Cmd) -> RedisResult<()> {
        self.send(&command.get_packed_command())?;
        match self.receive()? {
            Value::ServerError(error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// After any error, replies and requests may no longer belong together.
    fn note<T>(&mut self, result: io::Result<T>) -> RedisResult<T> {
        self.is_open &= result.is_ok();
        result.map_err(RedisError::from)
    }
}

/// Whether waiting ended by a timeout, whose kind depends on the system, or by a signal.
fn is_temporary(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};

    matches!(error.kind(), TimedOut | WouldBlock | Interrupted)
}
