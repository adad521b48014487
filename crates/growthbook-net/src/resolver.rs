//! Looking up names with a time limit.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ureq::Timeout;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::connect_error::ConnectError;
use crate::deadline::Deadline;
use crate::interrupt::{Interrupt, interrupted};
use crate::look_ups::LookUps;
use crate::proxies::Proxies;
use crate::wire::Wire;

/// Asks the system for a name's addresses, on a thread of its own. The system call cannot be
/// interrupted, but with a thread the caller need not wait for it. An IP address needs no thread.
pub(crate) struct InterruptibleResolver {
    interrupt: Arc<Interrupt>,
    deadline: Arc<Deadline>,
    proxies: Arc<Proxies>,
    look_ups: Arc<LookUps>,
}

impl Resolver for InterruptibleResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if !matches!(self.proxies.for_address(uri), Ok(None)) {
            // The proxy looks up the name.
            return Ok(self.empty());
        }
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port =
            uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        self.find(host, port, config, timeout)
    }
}

impl InterruptibleResolver {
    pub(super) fn new(wire: &Wire) -> Self {
        InterruptibleResolver {
            interrupt: wire.interrupt.clone(),
            deadline: wire.deadline.clone(),
            proxies: wire.proxies.clone(),
            look_ups: wire.look_ups.clone(),
        }
    }

    /// Returns the addresses of a host.
    pub(super) fn find(
        &self,
        host: &str,
        port: u16,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let host = host.to_owned();
                let find = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
                self.look_up(find, timeout)?
            }
        };
        let mut addresses = self.empty();
        // The list has room for 16.
        for address in config.ip_family().keep_wanted(found.into_iter()).take(16) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }

    /// Runs a look-up on a thread of its own.
    fn look_up(
        &self,
        find: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
        timeout: NextTimeout,
    ) -> Result<Vec<SocketAddr>, ureq::Error> {
        let running = self.look_ups.begin().ok_or(ureq::Error::Timeout(Timeout::Resolve))?;
        let (sender, receiver) = mpsc::channel();
        let wake = sender.clone();
        let _registration = self.interrupt.register(move || {
            let _ = wake.send(Err(interrupted()));
        })?;
        let look_up = move || {
            let found = find();
            drop(running);
            let _ = sender.send(found);
        };
        thread::Builder::new()
            .name("growthbook-dns".into())
            .spawn(look_up)
            .map_err(ConnectError::System)?;
        let (limit, reason) = self.deadline.cap(timeout);
        match receiver.recv_timeout(limit.unwrap_or(Duration::MAX)) {
            Ok(found) => found.map_err(|error: io::Error| match error.kind() {
                io::ErrorKind::ConnectionAborted => error.into(),
                _ => ConnectError::of_look_up(error),
            }),
            Err(RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(reason)),
            Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
        }
    }
}

impl fmt::Debug for InterruptibleResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InterruptibleResolver").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look_ups::MAX_LOOK_UPS;

    #[test]
    fn hanging_look_ups_are_limited() {
        let within =
            |limit: Duration| NextTimeout { after: limit.into(), ..NextTimeout::default() };
        let (soon, patient) = (within(Duration::from_millis(1)), within(Duration::from_secs(60)));
        let resolver = InterruptibleResolver::new(&Wire::default());
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        for _ in 0..MAX_LOOK_UPS {
            let gate = gate.clone();
            let hang = move || {
                let _ = gate.lock().map(|gate| gate.recv());
                Ok(Vec::new())
            };
            assert!(matches!(resolver.look_up(hang, soon), Err(ureq::Error::Timeout(_))));
        }
        let not_run = || panic!("there are too many threads");
        assert!(matches!(resolver.look_up(not_run, patient), Err(ureq::Error::Timeout(_))));
        // The hanging look-ups end, and look-ups work again.
        drop(open);
        while resolver.look_ups.running() > 0 {
            thread::yield_now();
        }
        assert!(resolver.look_up(|| Ok(Vec::new()), patient).is_ok());
    }
}
