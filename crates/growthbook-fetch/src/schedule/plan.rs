//! What the clients of a source need.

use std::time::Duration;

/// What the clients of a source need together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// At least one client wants changes streamed.
    pub(crate) stream: bool,
    /// The shortest interval of all clients; `None` if no client polls.
    pub(crate) interval: Option<Duration>,
}

impl Plan {
    /// Returns the plan that serves both.
    pub(crate) fn and(self, other: Plan) -> Plan {
        let interval = match (self.interval, other.interval) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Plan { stream: self.stream || other.stream, interval }
    }

    /// Whether there is anything to do without a call of the application.
    pub(crate) fn is_active(self) -> bool {
        self.interval.is_some()
    }
}
