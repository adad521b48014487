//! An address that never answers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long a connection may take that the system itself accepts.
const FILL_TIMEOUT: Duration = Duration::from_millis(100);

/// A listening socket with a full backlog: a connection to it is neither accepted nor refused, as
/// behind a firewall that drops packets. Relies on Linux, which then ignores the first packet.
#[derive(Debug)]
pub struct BlackHole {
    listener: TcpListener,
}

impl BlackHole {
    /// Opens it on a free port of 127.0.0.1.
    pub fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port should be free");
        let hole = Self { listener };
        // Unaccepted, a connection keeps its place in the backlog even after its client has gone.
        let full = loop {
            if let Err(error) = TcpStream::connect_timeout(&hole.address(), FILL_TIMEOUT) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::TimedOut, "filling the backlog: {full}");
        hole
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound socket should have an address")
    }
}
