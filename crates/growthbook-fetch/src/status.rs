//! How refreshing is going.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use growthbook_core::cache::PayloadCacheError;

use crate::error::FetchError;

/// How refreshing is going, for one client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchStatus {
    /// The last failure, unless something succeeded since.
    pub last_error: Option<LastError>,
    /// The cache's last failure, unless it worked since. Refreshing goes on without it.
    pub cache_error: Option<Arc<PayloadCacheError>>,
    /// The stream of changes, and why there is none.
    pub stream: StreamState,
    /// When the server last sent or confirmed a payload; for one from a cache, as the cache
    /// remembers it. `None` before the first, and where the cache does not know.
    pub fetched_at: Option<SystemTime>,
    /// What was done since the first client on this host and key was started.
    pub counters: Counters,
}

/// A failure and its time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastError {
    /// What failed.
    pub error: FetchError,
    /// When it last did.
    pub at: SystemTime,
    /// How many times in a row something failed, this included.
    pub in_a_row: u64,
}

/// The stream of changes, and why there is none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamState {
    /// There is none.
    Off(StreamOff),
    /// It is being opened.
    Connecting,
    /// Changes arrive as they happen.
    Open,
    /// It was lost, or could not be opened; it will be tried again. The server is polled meanwhile.
    Lost {
        /// What happened.
        error: FetchError,
    },
}

/// Why there is no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamOff {
    /// Nobody asked for one.
    NotWanted,
    /// The server has not said yet whether it offers one.
    NotKnownYet,
    /// The server does not offer one.
    NotOffered,
    /// The server said, asked for the stream, that there is none. It is asked again after a long
    /// while.
    Declined,
    /// The client is closed.
    Closed,
}

/// How often things happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests for the payload.
    pub fetches: u64,
    /// Those of them that were answered with "not modified".
    pub not_modified: u64,
    /// Fetches and streamed payloads that failed, or were no payload.
    pub failures: u64,
    /// Payloads and confirmations that came from other processes through a shared cache.
    pub shared: u64,
    /// Payloads that were taken into use.
    pub updates: u64,
    /// Payloads that were older than the one in use, and ignored.
    pub older_ignored: u64,
    /// Streams that were opened.
    pub streams_opened: u64,
    /// Events of streams that were about the payload.
    pub stream_events: u64,
    /// Calls of a cache or of its lease that failed.
    pub cache_errors: u64,
}

/// How long ago that was. A time in the future is no time ago.
pub(crate) fn age(at: SystemTime) -> Duration {
    SystemTime::now().duration_since(at).unwrap_or_default()
}
