//! The state that the connections of one agent share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Url;

use crate::deadline::Deadline;
use crate::interrupt::Interrupt;
use crate::look_ups::LookUps;
use crate::proxies::Proxies;
use crate::request_head::{PLACEHOLDER, RequestHead};
use crate::socket::{LastRead, Socket};

/// The state that the connections of one agent share. An agent sends one request at a time.
#[derive(Clone, Default)]
pub struct Wire {
    /// Ends waits from another thread.
    pub interrupt: Arc<Interrupt>,
    /// The time limit of the current request.
    pub deadline: Arc<Deadline>,
    /// The number of connections so far.
    pub connections: Arc<ConnectionCount>,
    pub(crate) head: Arc<RequestHead>,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) look_ups: Arc<LookUps>,
    pub(crate) last_read: Arc<LastRead>,
}

impl Wire {
    /// Makes the state for an agent that has no connections yet.
    pub fn new(proxies: Proxies) -> Self {
        Wire { proxies: Arc::new(proxies), ..Wire::default() }
    }

    /// Returns the socket that was last read from, unless its connection is closed.
    pub fn socket(&self) -> Option<Socket> {
        self.last_read.socket()
    }

    /// Sets the path, the query and secret headers of the next request. Returns the address to give
    /// to ureq, which logs it. Header names and values must be valid.
    pub fn hide<'a>(
        &self,
        address: &Url,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Url {
        let path = address.query().map_or_else(
            || address.path().to_owned(),
            |query| format!("{}?{query}", address.path()),
        );
        self.head.set(&path, headers);
        let mut visible = address.clone();
        visible.set_path(PLACEHOLDER);
        visible.set_query(None);
        visible.set_fragment(None);
        visible
    }
}

/// The number of connections that were opened. It shows whether a request reused one.
#[derive(Debug, Default)]
pub struct ConnectionCount(AtomicU64);

impl ConnectionCount {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
