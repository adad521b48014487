//! Bytes over a TCP connection.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use ureq::Timeout;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use crate::deadline::Deadline;
use crate::interrupt::Registration;

/// A TCP connection.
pub(crate) struct TcpTransport {
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
    deadline: Arc<Deadline>,
    /// Shuts the connection down on an interruption.
    _registration: Registration,
}

impl TcpTransport {
    pub(super) fn new(
        stream: Arc<TcpStream>,
        buffers: LazyBuffers,
        deadline: Arc<Deadline>,
        registration: Registration,
    ) -> Self {
        TcpTransport { stream, buffers, deadline, _registration: registration }
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        (&*self.stream).write_all(output).map_err(|error| timed_out(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let (limit, reason) = self.deadline.cap(timeout.for_read());
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(ureq::Error::Timeout(reason));
        }
        self.stream.set_read_timeout(limit)?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match (&*self.stream).read(input) {
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
            self.stream.set_nonblocking(true)?;
            let outcome = (&*self.stream).read(&mut [0]);
            self.stream.set_nonblocking(false)?;
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
