//! The status of a client.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use growthbook_core::PayloadSource;
use growthbook_core::cache::PayloadCacheError;
use growthbook_fetch::{Counters, DateProblem, LastError, StreamOff, StreamState};
use growthbook_support::contain;
use serde::{Serialize, Serializer};

use crate::client::Client;
use crate::counts::EventCounts;

/// The status of a client.
///
/// Serializes to JSON, with texts in place of errors: `ready`, `source`, `ageSeconds`, `dateUpdated`,
/// `lastError`, `cacheError`, `dateProblem`, `stream`, `counters`, `events`, `lostEvents`. No text has
/// a key, a password or an attribute value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Where the payload in use came from; `None` while the client has no payload.
    pub source: Option<PayloadSource>,
    /// How long ago the server last sent or confirmed a payload. `None` if it never did, and if the
    /// payload is from a cache that does not know the time: another SDK may have put it there.
    pub age: Option<Duration>,
    /// When the payload in use was last changed, as the API wrote it (ISO 8601).
    pub date_updated: Option<String>,
    /// The last failure to refresh, unless a refresh succeeded since.
    pub last_error: Option<LastError>,
    /// The cache's last failure, unless it worked since. Refreshing continues without the cache.
    pub cache_error: Option<Arc<PayloadCacheError>>,
    /// What is wrong with the dates of payloads (`dateUpdated`), if anything. Changes may be missed
    /// because of it.
    pub date_problem: Option<DateProblem>,
    /// Whether refreshing is paused: see [`Client::pause`].
    pub is_paused: bool,
    /// The stream of changes, or why there is not one.
    pub stream: StreamState,
    /// Counts since the first client on this host and key was started.
    pub counters: Counters,
    /// Counts of events. `None` unless [`count_events`](crate::ClientBuilder::count_events) is set.
    pub events: Option<EventCounts>,
    /// The number of events that the client's current plugins have lost: because a queue was full,
    /// for example, or because the plugin panicked.
    pub lost_events: u64,
}

impl Status {
    /// Whether the client has a payload, and not only a fallback.
    pub fn is_ready(&self) -> bool {
        self.source.is_some_and(|source| source != PayloadSource::Fallback)
    }
}

impl Client {
    /// Returns the status of the client.
    pub fn status(&self) -> Status {
        // The status first, so that an open stream implies a payload.
        let status = self.connection().map(|connection| connection.feed().status());
        let in_use = self.live().load();
        let date_updated = in_use.payload().date_updated().map(str::to_owned);
        let source = in_use.source();
        let events = self.event_counts();
        let lost_events = self.registry().listeners().lost_events();
        match status {
            Some(status) => Status {
                source,
                // A time in the future counts as now.
                age: status.fetched_at.map(|at| at.elapsed().unwrap_or_default()),
                date_updated,
                last_error: status.last_error,
                cache_error: status.cache_error,
                date_problem: status.date_problem,
                is_paused: status.is_paused,
                stream: status.stream,
                counters: status.counters,
                events,
                lost_events,
            },
            None => Status {
                source,
                age: None,
                date_updated,
                last_error: None,
                cache_error: None,
                date_problem: None,
                is_paused: false,
                stream: StreamState::Off(StreamOff::NotWanted),
                counters: Counters::default(),
                events,
                lost_events,
            },
        }
    }
}

/// The JSON of a status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusJson<'s> {
    ready: bool,
    source: Option<PayloadSource>,
    age_seconds: Option<f64>,
    date_updated: Option<&'s str>,
    last_error: Option<ErrorJson>,
    cache_error: Option<String>,
    date_problem: Option<String>,
    is_paused: bool,
    stream: StreamJson,
    counters: CountersJson,
    events: Option<EventCounts>,
    lost_events: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorJson {
    /// Such as `timeout`.
    kind: &'static str,
    text: String,
    /// Milliseconds since 1970.
    at: u64,
    in_a_row: u64,
}

#[derive(Serialize)]
struct StreamJson {
    /// Such as `open`.
    state: &'static str,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountersJson {
    fetches: u64,
    not_modified: u64,
    failures: u64,
    shared: u64,
    updates: u64,
    older_ignored: u64,
    streams_opened: u64,
    stream_reconnects: u64,
    stream_events: u64,
    cache_errors: u64,
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = StatusJson {
            ready: self.is_ready(),
            source: self.source,
            age_seconds: self.age.map(|age| age.as_secs_f64()),
            date_updated: self.date_updated.as_deref(),
            last_error: self.last_error.as_ref().map(ErrorJson::from),
            // The text is code of the application, which may panic.
            cache_error: self.cache_error.as_ref().map(|error| {
                contain(|| error.to_string()).unwrap_or_else(|panicked| panicked.to_string())
            }),
            date_problem: self.date_problem.as_ref().map(ToString::to_string),
            is_paused: self.is_paused,
            stream: StreamJson { state: self.stream.name(), text: self.stream.to_string() },
            counters: CountersJson::from(&self.counters),
            events: self.events,
            lost_events: self.lost_events,
        };
        status.serialize(serializer)
    }
}

impl From<&LastError> for ErrorJson {
    fn from(last: &LastError) -> Self {
        ErrorJson {
            kind: last.error.kind().name(),
            text: last.error.to_string(),
            at: unix_millis(last.at),
            in_a_row: last.in_a_row,
        }
    }
}

impl From<&Counters> for CountersJson {
    fn from(counters: &Counters) -> Self {
        CountersJson {
            fetches: counters.fetches,
            not_modified: counters.not_modified,
            failures: counters.failures,
            shared: counters.shared,
            updates: counters.updates,
            older_ignored: counters.older_ignored,
            streams_opened: counters.streams_opened,
            stream_reconnects: counters.stream_reconnects,
            stream_events: counters.stream_events,
            cache_errors: counters.cache_errors,
        }
    }
}

fn unix_millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
