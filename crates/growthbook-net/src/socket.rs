//! The socket of a connection, for a caller that waits for its bytes.

use std::fmt;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The socket of a connection. The connection stays open for as long as this exists.
pub struct Socket(pub(crate) Arc<TcpStream>);

/// The socket that was last read from.
#[derive(Default)]
pub(crate) struct LastRead(Mutex<Weak<TcpStream>>);

impl LastRead {
    pub(crate) fn note(&self, stream: &Arc<TcpStream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(stream);
    }

    /// Returns the socket, unless it is closed.
    pub(crate) fn socket(&self) -> Option<Socket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade().map(Socket)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl fmt::Debug for LastRead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LastRead").finish_non_exhaustive()
    }
}
