//! An address that never answers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// The longest time of a connection that the system accepts into the backlog.
const FILL_TIMEOUT: Duration = Duration::from_millis(100);

/// A listening socket with a full backlog. A connection to it is neither accepted nor refused, as
/// if a firewall dropped the packets. This needs Linux, which ignores the first packet in that
/// case.
#[derive(Debug)]
pub struct BlackHole {
    listener: TcpListener,
}

impl BlackHole {
    /// Opens the socket on a free port of 127.0.0.1.
    pub fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port should be free");
        let hole = Self { listener };
        // A connection that is not accepted stays in the backlog, even after its client closes it.
        let full = loop {
            if let Err(error) = TcpStream::connect_timeout(&hole.address(), FILL_TIMEOUT) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::TimedOut, "filling the backlog: {full}");
        hole
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound socket should have an address")
    }
}
