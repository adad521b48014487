//! The server, with its changes and restarts.

use std::thread;
use std::time::{Duration, Instant};

use test_server::FeaturesServer;

use crate::payload::Payloads;

/// How often the payload changes.
const CHANGE_INTERVAL: Duration = Duration::from_millis(200);

/// How often the server restarts.
const RESTART_INTERVAL: Duration = Duration::from_secs(3);

/// How long the server is down during a restart.
const DOWN_TIME: Duration = Duration::from_millis(300);

/// A server that changes and restarts.
pub(crate) struct Churn {
    pub(crate) server: FeaturesServer,
    payloads: Payloads,
    /// The version of the newest payload.
    pub(crate) version: u64,
    pub(crate) changes: u64,
    pub(crate) restarts: u64,
}

impl Churn {
    pub(crate) fn start() -> Self {
        let payloads = Payloads::new();
        let version = 1;
        let server = FeaturesServer::start(&payloads.document(version));
        Churn { server, payloads, version, changes: 0, restarts: 0 }
    }

    /// Changes the payload and restarts the server, for this time.
    pub(crate) fn run(&mut self, time: Duration) {
        let begin = Instant::now();
        let mut restarted = begin;
        while begin.elapsed() < time {
            // By default, a client waits ten seconds before it opens another stream. With that,
            // there would hardly be a stream. The server can make the wait shorter.
            self.server.push(b"retry: 1000\n\n");
            self.change();
            thread::sleep(CHANGE_INTERVAL);
            if restarted.elapsed() >= RESTART_INTERVAL {
                self.restart();
                restarted = Instant::now();
            }
        }
    }

    pub(crate) fn payload_bytes(&self) -> usize {
        self.payloads.document(self.version).len()
    }

    fn change(&mut self) {
        self.version += 1;
        self.changes += 1;
        self.server.set_payload(&self.payloads.document(self.version));
    }

    /// Restarts the server. The payload changes while it is down, so no event reports the change.
    fn restart(&mut self) {
        self.server.stop();
        thread::sleep(DOWN_TIME);
        self.change();
        self.server.restart();
        self.restarts += 1;
    }
}
