//! Limits of requests.

use std::time::Duration;

/// The limits of requests. The clients of one source may have different ones: each limit is then
/// the most generous of the clients that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(crate) stream_timeout: Duration,
    pub(super) total_timeout: Duration,
    pub(crate) max_body_bytes: u64,
}

impl Limits {
    /// Returns the limits that serve both.
    pub(crate) fn and(self, other: Limits) -> Limits {
        Limits {
            connect_timeout: self.connect_timeout.max(other.connect_timeout),
            read_timeout: self.read_timeout.max(other.read_timeout),
            stream_timeout: self.stream_timeout.max(other.stream_timeout),
            total_timeout: self.total_timeout.max(other.total_timeout),
            max_body_bytes: self.max_body_bytes.max(other.max_body_bytes),
        }
    }

    /// Returns the size limit of an event of the stream.
    pub(crate) fn max_event_bytes(&self) -> usize {
        usize::try_from(self.max_body_bytes).unwrap_or(usize::MAX)
    }
}
