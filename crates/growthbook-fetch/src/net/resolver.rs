//! Looking up names with a time limit.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::Wire;
use super::deadline::Deadline;
use super::interrupt::{Interrupt, interrupted};

/// Asks the system for a name's addresses, on a thread of its own. The system call cannot be
/// interrupted, but with a thread the caller need not wait for it. An IP address needs no thread.
#[derive(Debug)]
pub(crate) struct InterruptibleResolver {
    interrupt: Arc<Interrupt>,
    deadline: Arc<Deadline>,
}

impl Resolver for InterruptibleResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port =
            uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.look_up(host.to_owned(), port, timeout)?,
        };
        let mut addresses = self.empty();
        // The list has room for 16.
        for address in config.ip_family().keep_wanted(found.into_iter()).take(16) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

impl InterruptibleResolver {
    pub(super) fn new(wire: &Wire) -> Self {
        InterruptibleResolver { interrupt: wire.interrupt.clone(), deadline: wire.deadline.clone() }
    }

    fn look_up(
        &self,
        host: String,
        port: u16,
        timeout: NextTimeout,
    ) -> Result<Vec<SocketAddr>, ureq::Error> {
        let (sender, receiver) = mpsc::channel();
        let wake = sender.clone();
        let _registration = self.interrupt.register(move || {
            let _ = wake.send(Err(interrupted()));
        })?;
        let look_up = move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            let _ = sender.send(found);
        };
        thread::Builder::new().name("growthbook-dns".into()).spawn(look_up)?;
        let (limit, reason) = self.deadline.cap(timeout);
        match receiver.recv_timeout(limit.unwrap_or(Duration::MAX)) {
            Ok(found) => found.map_err(|error: io::Error| match error.kind() {
                io::ErrorKind::ConnectionAborted => error.into(),
                _ => ureq::Error::HostNotFound,
            }),
            Err(RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(reason)),
            Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
        }
    }
}
