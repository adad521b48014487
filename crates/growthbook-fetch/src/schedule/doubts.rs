//! Failures that may be refusals.

use std::time::Duration;

use super::Time;

/// How long a doubtful failure is retried soon. After that it counts as a refusal.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// Whether a failure may pass soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prospect {
    /// It may pass at any time.
    Good,
    /// The address or the key may be wrong, or the server is starting: the GrowthBook Proxy answers
    /// 404 and 400 until it knows its keys.
    Doubtful,
    /// The server refused. Asking again soon is pointless.
    Refused,
}

/// The time since the first of several failures in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubts {
    since: Option<Time>,
}

impl Doubts {
    /// Notes a failure. A doubtful one counts as a refusal when failures have lasted too long.
    pub(super) fn judge(&mut self, now: Time, prospect: Prospect) -> Prospect {
        self.since.get_or_insert(now);
        match prospect {
            Prospect::Doubtful if !self.is_patient(now) => Prospect::Refused,
            prospect => prospect,
        }
    }

    /// Whether failures have not lasted long yet.
    pub(super) fn is_patient(&self, now: Time) -> bool {
        self.since.is_none_or(|since| now.saturating_sub(since) < PATIENCE)
    }
}
