//! The status of refreshing.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use growthbook_core::cache::PayloadCacheError;

use crate::error::FetchError;

/// The status of refreshing, for one client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchStatus {
    /// The last failure, unless a fetch succeeded since.
    pub last_error: Option<LastError>,
    /// The cache's last failure, unless it worked since. Refreshing continues without the cache.
    pub cache_error: Option<Arc<PayloadCacheError>>,
    /// Whether refreshing is paused.
    pub is_paused: bool,
    /// The stream of changes, or why there is not one.
    pub stream: StreamState,
    /// When the server last sent or confirmed a payload. For a cached payload, the time is from the
    /// cache. `None` before the first payload, and if the cache does not know the time.
    pub fetched_at: Option<SystemTime>,
    /// What is wrong with the dates of payloads (`dateUpdated`), if anything.
    pub date_problem: Option<DateProblem>,
    /// Counts since the first client on this host and key was started.
    pub counters: Counters,
}

/// A problem with the dates of payloads. Changes may be missed because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateProblem {
    /// The payload in use is dated more than an hour after the present. The next payload with a
    /// plausible date replaces it.
    InUseFromFuture,
    /// The server repeats a payload that is older than the one in use. It is used when the server
    /// has sent it five times in a row, and for two minutes.
    OlderRepeated,
}

impl fmt::Display for DateProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            DateProblem::InUseFromFuture => {
                "the payload in use is dated in the future: check the clocks of this machine and of \
                 the server"
            }
            DateProblem::OlderRepeated => {
                "the server repeats a payload that is older than the one in use: check whether it was \
                 restored from a backup, or a cache on the way is stale"
            }
        })
    }
}

/// A failure, its time, and how often it was repeated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastError {
    /// The failure.
    pub error: FetchError,
    /// When it last happened.
    pub at: SystemTime,
    /// The number of failures in a row, with this one.
    pub in_a_row: u64,
}

impl fmt::Display for LastError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.in_a_row {
            0 | 1 => self.error.fmt(formatter),
            count => write!(formatter, "{} ({count} failures in a row)", self.error),
        }
    }
}

/// The state of the stream of changes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamState {
    /// There is no stream.
    Off(StreamOff),
    /// It is being opened.
    Connecting,
    /// Changes arrive as they happen.
    Open,
    /// It was lost, or could not be opened. It will be opened again, and the server is polled
    /// meanwhile.
    Lost {
        /// What happened.
        error: FetchError,
    },
}

impl StreamState {
    /// Returns a short name for labels, such as `open`.
    pub fn name(&self) -> &'static str {
        match self {
            StreamState::Off(_) => "off",
            StreamState::Connecting => "connecting",
            StreamState::Open => "open",
            StreamState::Lost { .. } => "lost",
        }
    }
}

impl fmt::Display for StreamState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamState::Off(reason) => write!(formatter, "off: {reason}"),
            StreamState::Connecting | StreamState::Open => formatter.write_str(self.name()),
            StreamState::Lost { error } => write!(formatter, "lost: {error}"),
        }
    }
}

/// Why there is no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamOff {
    /// No client wants one.
    NotWanted,
    /// The server has not said yet whether it offers one.
    NotKnownYet,
    /// The server does not offer one.
    NotOffered,
    /// The server refused the stream with status 204. It is asked again after an hour.
    Declined,
    /// The client is paused.
    Paused,
    /// The client is closed.
    Closed,
}

impl fmt::Display for StreamOff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            StreamOff::NotWanted => "no client wants a stream",
            StreamOff::NotKnownYet => "the server has not said yet whether it offers a stream",
            StreamOff::NotOffered => {
                "the server does not offer a stream: polling instead; the GrowthBook Proxy and \
                 GrowthBook Cloud offer one"
            }
            StreamOff::Declined => {
                "the server refused a stream with status 204: it is asked again after an hour"
            }
            StreamOff::Paused => "the client is paused",
            StreamOff::Closed => "the client is closed",
        })
    }
}

/// Counts of what refreshing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests for the payload.
    pub fetches: u64,
    /// Requests that were answered with "not modified".
    pub not_modified: u64,
    /// Fetches and streamed payloads that failed, or had an invalid payload.
    pub failures: u64,
    /// Payloads and confirmations that came from other processes through a shared cache.
    pub shared: u64,
    /// Payloads that were taken into use.
    pub updates: u64,
    /// Payloads that were older than the one in use, and ignored.
    pub older_ignored: u64,
    /// Streams that were opened.
    pub streams_opened: u64,
    /// Attempts to open a stream after the first one.
    pub stream_reconnects: u64,
    /// Events of streams that brought or announced a payload.
    pub stream_events: u64,
    /// Calls of a cache or of its lease that failed.
    pub cache_errors: u64,
}

/// Returns how long ago that was. A time in the future counts as now.
pub(crate) fn age(at: SystemTime) -> Duration {
    SystemTime::now().duration_since(at).unwrap_or_default()
}
