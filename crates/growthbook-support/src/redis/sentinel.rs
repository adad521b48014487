//! Masters found by Redis Sentinel.

use std::io;
use std::process;

use redis::RedisResult;
use redis::sentinel::SentinelClient;

use super::provider::choose_provider;
use crate::ForkSafeMutex;

/// A client of Redis Sentinel.
pub struct Sentinel {
    client: Box<ForkSafeMutex<SentinelClient>>,
    /// The process that made this client.
    process: u32,
}

impl Sentinel {
    /// Wraps a client. It does not connect yet.
    pub fn new(client: SentinelClient) -> Self {
        Sentinel { client: Box::new(ForkSafeMutex::new(client)), process: process::id() }
    }

    /// Asks a sentinel for the current master. This has no deadline, so only threads of this
    /// workspace call it.
    ///
    /// # Errors
    ///
    /// When no sentinel knows the master. In the child of a fork also when the parent was asking
    /// at the time of the fork.
    pub fn master(&self) -> RedisResult<redis::Client> {
        // The client does not say whether its addresses use TLS.
        choose_provider();
        if self.process == process::id() {
            return self.client.lock_in_own_thread().get_client();
        }
        self.client.lock().map_err(io::Error::other)?.get_client()
    }
}
