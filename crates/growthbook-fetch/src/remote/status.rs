//! The answer for one user, the reason why it is missing, and the status of remote evaluation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::FetchError;
use crate::live::InUse;
use crate::status::{LastError, StreamState};

/// The answer for one user, or the reason why it is missing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserAnswer {
    /// The server's last good answer; `None` before the first one.
    pub answer: Option<Arc<InUse>>,
    /// How long ago the server sent the answer.
    pub age: Option<Duration>,
    /// Why there is no answer, or why it may be outdated. `None` if it is as fresh as it should be.
    pub error: Option<NoAnswer>,
}

/// The server has not answered for a user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NoAnswer {
    /// Why the last request failed. `None` if it has not ended yet.
    pub cause: Option<FetchError>,
    /// Whether the time for waiting ran out.
    pub timed_out: bool,
}

impl From<FetchError> for NoAnswer {
    fn from(cause: FetchError) -> Self {
        NoAnswer { cause: Some(cause), timed_out: false }
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the server has not answered for the user")?;
        match &self.cause {
            Some(cause) => write!(formatter, ": {cause}"),
            None if self.timed_out => formatter.write_str(" in time"),
            None => formatter.write_str(" yet"),
        }
    }
}

impl core::error::Error for NoAnswer {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// The status of remote evaluation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoteStatus {
    /// The number of answers that are kept.
    pub answers: usize,
    /// The length of the texts of these answers, in bytes.
    pub answer_bytes: usize,
    /// The number of requests that wait to be sent.
    pub waiting: usize,
    /// The last failure of a request, unless a later one for any user succeeded.
    pub last_error: Option<LastError>,
    /// The stream of notices, or why there is not one.
    pub stream: StreamState,
    /// Counts since the start.
    pub counters: RemoteCounters,
}

/// Counts of what remote evaluation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteCounters {
    /// Requests that were sent.
    pub requests: u64,
    /// Requests that failed, or had an invalid payload as their answer.
    pub failures: u64,
    /// Changes that the stream announced.
    pub changes: u64,
    /// Streams that were opened.
    pub streams_opened: u64,
}
