//! What happened to the events so far.

use std::error::Error;
use std::fmt;

/// What happened to the events so far.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TrackingStatus {
    /// The events that wait, or are in a request.
    pub queued: u64,
    /// The events that the ingestor accepted.
    pub sent: u64,
    /// The events that were dropped because the same event was sent before.
    pub duplicates: u64,
    /// The events that were lost, by reason.
    pub lost: LostEvents,
    /// The requests that failed.
    pub failed_requests: u64,
    /// The last failure, unless a request succeeded since.
    pub last_error: Option<RequestError>,
}

/// The events that were lost, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostEvents {
    /// The queue was full.
    pub queue_full: u64,
    /// The ingestor could not be reached for longer than
    /// [`retry_for`](crate::TrackingOptions::retry_for).
    pub given_up: u64,
    /// The ingestor refused them: see [`TrackingStatus::last_error`].
    pub refused: u64,
    /// One event was too large for the ingestor.
    pub too_large: u64,
    /// They were still queued when the plugin was closed, or came later.
    pub closed: u64,
    /// There is no client key.
    pub no_client_key: u64,
}

impl LostEvents {
    /// Returns the number of all lost events.
    pub fn total(&self) -> u64 {
        let LostEvents { queue_full, given_up, refused, too_large, closed, no_client_key } = *self;
        queue_full + given_up + refused + too_large + closed + no_client_key
    }

    pub(crate) fn add(&mut self, why: Lost, events: usize) {
        let count = match why {
            Lost::QueueFull => &mut self.queue_full,
            Lost::GivenUp => &mut self.given_up,
            Lost::Refused => &mut self.refused,
            Lost::TooLarge => &mut self.too_large,
            Lost::Closed => &mut self.closed,
            Lost::NoClientKey => &mut self.no_client_key,
        };
        *count += events as u64;
    }
}

/// Why events were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    QueueFull,
    GivenUp,
    Refused,
    TooLarge,
    Closed,
    NoClientKey,
}

impl Lost {
    /// Returns the text for the log.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Lost::QueueFull => "the queue is full",
            Lost::GivenUp => "the ingestor could not be reached for too long",
            Lost::Refused => "the ingestor refused them, check the client key and the host",
            Lost::TooLarge => "an event is too large for the ingestor",
            Lost::Closed => "tracking was closed before they were sent",
            Lost::NoClientKey => "there is no client key, set `TrackingOptions::client_key`",
        }
    }
}

/// Why a request failed. The text has neither the client key nor the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    status: Option<u16>,
    cause: Option<String>,
}

impl RequestError {
    pub(crate) fn of_status(status: u16) -> Self {
        RequestError { status: Some(status), cause: None }
    }

    pub(crate) fn of_connection(cause: String) -> Self {
        RequestError { status: None, cause: Some(cause) }
    }

    /// Returns the status of the ingestor's reply. `None` if there was no reply.
    pub fn status(&self) -> Option<u16> {
        self.status
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.cause) {
            (Some(status @ (408 | 429 | 500..)), _) => write!(
                formatter,
                "the ingestor replied with status {status}: it may pass; otherwise check the ingestor"
            ),
            (Some(status), _) => write!(
                formatter,
                "the ingestor replied with status {status}: check the client key and the host"
            ),
            (None, Some(cause)) => write!(
                formatter,
                "no reply from the ingestor ({cause}): check the host, the network and the proxy"
            ),
            (None, None) => {
                formatter.write_str("no reply from the ingestor: check the host and the network")
            }
        }
    }
}

impl Error for RequestError {}

/// Not all events were sent in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushTimedOut {
    /// The events that were still queued.
    pub queued: u64,
}

impl fmt::Display for FlushTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} events were not sent in time: the status of tracking says why",
            self.queued
        )
    }
}

impl Error for FlushTimedOut {}
