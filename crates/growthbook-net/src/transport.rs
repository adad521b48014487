//! Bytes over a TCP connection.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ureq::Timeout;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::deadline::Deadline;
use crate::interrupt::{Registration, interrupted};
use crate::socket::LastRead;

/// The socket of a connection. Another thread can close it at any time.
pub(crate) struct Connection(Mutex<Option<Arc<TcpStream>>>);

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Connection(Mutex::new(Some(Arc::new(stream))))
    }

    /// Ends a current read or write, and closes the socket. An idle connection would otherwise keep its
    /// file descriptor, because ureq keeps the connection until the next request.
    pub(crate) fn close(&self) {
        if let Some(stream) = self.lock().take() {
            // An error means that it is already closed.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Returns the socket, unless it is closed.
    fn stream(&self) -> io::Result<Arc<TcpStream>> {
        self.lock().clone().ok_or_else(interrupted)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<TcpStream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TCP connection of ureq.
pub(crate) struct TcpTransport {
    pub(super) connection: Arc<Connection>,
    pub(super) buffers: LazyBuffers,
    pub(super) deadline: Arc<Deadline>,
    /// Notes each read.
    pub(super) last_read: Arc<LastRead>,
    /// Closes the connection on an interruption.
    #[expect(dead_code, reason = "it ends when it is dropped")]
    pub(super) registration: Registration,
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let stream = self.connection.stream()?;
        let timeout = timeout.for_write();
        stream.set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        (&*stream).write_all(output).map_err(|error| timed_out(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let (limit, reason) = self.deadline.cap(timeout.for_read());
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(ureq::Error::Timeout(reason));
        }
        let stream = self.connection.stream()?;
        self.last_read.note(&stream);
        stream.set_read_timeout(limit)?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match (&*stream).read(input) {
                // A signal. The wait starts again: signals are rare, and the next read has a limit.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome.map_err(|error| timed_out(error, reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // An idle connection must be silent: bytes are as bad a sign as its end.
        let probe = || {
            let stream = self.connection.stream()?;
            stream.set_nonblocking(true)?;
            let outcome = (&*stream).read(&mut [0]);
            stream.set_nonblocking(false)?;
            outcome
        };
        matches!(probe(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TcpTransport").finish_non_exhaustive()
    }
}

/// Converts an error. A read or write that took too long reports it in one of two ways, depending
/// on the system.
fn timed_out(error: io::Error, reason: Timeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ureq::Error::Timeout(reason),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use test_server::FeaturesServer;
    use ureq::Agent;

    use crate::wire::Wire;

    #[test]
    fn interruption_closes_an_idle_socket() {
        let server = FeaturesServer::start("{}");
        let wire = Wire::default();
        let agent = wire.agent(Agent::config_builder().build());
        let get = || {
            let mut response = agent.get(format!("{}/api/features/sdk-1", server.url())).call();
            response.as_mut().unwrap().body_mut().read_to_string().unwrap()
        };
        get();
        assert!(wire.socket().is_some(), "the agent keeps the connection");
        wire.interrupt.interrupt();
        assert!(wire.socket().is_none());
        get();
        assert_eq!(wire.connections.get(), 2);
    }
}
