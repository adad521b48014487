//! Connections that another thread can interrupt, whatever they are waiting for.
//!
//! ureq speaks HTTP and TLS on the connections that are made here. There are four reasons:
//! closing a client must not wait for a silent server, a read from a stream must end at a given
//! time, a proxy's reply needs a time limit as a whole, and the client key must not reach ureq's own
//! log records.

mod connect_error;
mod connector;
mod deadline;
mod interrupt;
mod no_proxy;
mod proxies;
mod request_head;
mod resolver;
mod transport;
mod tunnel;

use ureq::unversioned::transport::{Connector, RustlsConnector};

pub(crate) use connect_error::ConnectError;
pub(crate) use connector::{ConnectionCount, TcpConnector};
pub(crate) use deadline::Deadline;
pub(crate) use interrupt::Interrupt;
pub(crate) use proxies::Proxies;
pub(crate) use request_head::{PLACEHOLDER, RequestHead, RequestHeadConnector};
pub(crate) use resolver::InterruptibleResolver;
pub(crate) use tunnel::TunnelConnector;

use std::sync::Arc;

/// The state that connections of one agent share.
#[derive(Clone, Default)]
pub(crate) struct Wire {
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) head: Arc<RequestHead>,
    pub(crate) deadline: Arc<Deadline>,
    pub(crate) connections: Arc<ConnectionCount>,
    pub(crate) proxies: Arc<Proxies>,
}

impl Wire {
    pub(crate) fn new(proxies: Proxies) -> Self {
        Wire { proxies: Arc::new(proxies), ..Wire::default() }
    }

    /// Returns an agent whose connections are made here.
    pub(crate) fn agent(&self, config: ureq::config::Config) -> ureq::Agent {
        let connector = TunnelConnector::new(self)
            .chain(TcpConnector::new(self))
            .chain(RustlsConnector::default())
            .chain(RequestHeadConnector(self.head.clone()));
        let resolver = InterruptibleResolver::new(self);
        ureq::Agent::with_parts(config, connector, resolver)
    }
}
