//! The agent whose connections are made here.

use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::transport::{Connector, RustlsConnector};

use crate::connector::TcpConnector;
use crate::request_head::RequestHeadConnector;
use crate::resolver::InterruptibleResolver;
use crate::tunnel::TunnelConnector;
use crate::wire::Wire;

impl Wire {
    /// Returns an agent whose connections are made here.
    pub fn agent(&self, config: Config) -> Agent {
        let connector = TunnelConnector::new(self)
            .chain(TcpConnector::new(self))
            .chain(RustlsConnector::default())
            .chain(RequestHeadConnector(self.head.clone()));
        let resolver = InterruptibleResolver::new(self);
        Agent::with_parts(config, connector, resolver)
    }
}
