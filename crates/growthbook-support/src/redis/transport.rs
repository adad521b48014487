//! A socket with or without TLS.

use std::io::{self, Read, Write};
use std::time::Instant;

use redis::ConnectionAddr;
#[cfg(feature = "redis-tls")]
use rustls::{ClientConnection, StreamOwned};

use super::socket::Socket;
use super::tls::Tls;

/// A socket with or without TLS. The handshake of TLS is a part of the first write. Its deadline is
/// that of the write, for all bytes together.
pub(super) enum Transport {
    Plain(Socket),
    #[cfg(feature = "redis-tls")]
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Transport {
    /// Connects, until this deadline.
    #[cfg_attr(not(feature = "redis-tls"), expect(unused_variables, reason = "TLS is off"))]
    pub(super) fn open(
        address: &ConnectionAddr,
        tls: &Tls,
        deadline: Instant,
    ) -> io::Result<Transport> {
        match address {
            ConnectionAddr::Tcp(host, port) => {
                Socket::tcp(host, *port, deadline).map(Transport::Plain)
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Socket::unix(path, deadline).map(Transport::Plain),
            #[cfg(feature = "redis-tls")]
            ConnectionAddr::TcpTls { host, port, .. } => {
                let session = tls.session(address)?;
                let socket = Socket::tcp(host, *port, deadline)?;
                Ok(Transport::Tls(Box::new(StreamOwned::new(session, socket))))
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        match self {
            Transport::Plain(socket) => socket.deadline = deadline,
            #[cfg(feature = "redis-tls")]
            Transport::Tls(stream) => stream.sock.deadline = deadline,
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Transport::Plain(socket) => socket.read(buffer),
            #[cfg(feature = "redis-tls")]
            Transport::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Transport::Plain(socket) => socket.write(buffer),
            #[cfg(feature = "redis-tls")]
            Transport::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Transport::Plain(socket) => socket.flush(),
            #[cfg(feature = "redis-tls")]
            Transport::Tls(stream) => stream.flush(),
        }
    }
}
