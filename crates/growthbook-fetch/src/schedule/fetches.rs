//! When to fetch after a fetch.

use std::time::Duration;

use super::backoff::FIRST_DELAY;
use super::doubts::{Doubts, Prospect};
use super::{LONGEST_START_DELAY, SLOW_RETRY, Schedule, Time};

/// The longest delay that another process with the lease can ask for.
const LONGEST_LEASE_DELAY: Duration = Duration::from_secs(60);
/// The shortest delay before a cache is asked for the lease again.
const SHORTEST_LEASE_DELAY: Duration = Duration::from_millis(50);

/// The outcome of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchOutcome {
    /// There is a payload, new or confirmed. `streaming` is `None` if the reply did not say whether
    /// changes are streamed.
    Success { streaming: Option<bool> },
    /// The fetch failed.
    Failure {
        /// Whether asking again soon may help.
        prospect: Prospect,
        /// How long the server asks not to be asked.
        retry_after: Option<Duration>,
    },
}

impl Schedule {
    /// A fetch begins. It serves all announcements before it.
    pub(crate) fn fetch_begins(&mut self, now: Time) {
        self.fetch_began = Some(now);
        self.notice = None;
    }

    /// A fetch has ended: one of this schedule, or of the application.
    pub(crate) fn fetched(&mut self, now: Time, outcome: FetchOutcome) {
        match outcome {
            FetchOutcome::Success { streaming } => {
                self.has_fetched = true;
                self.fetch_backoff.reset();
                self.fetch_doubts = Doubts::default();
                self.not_before = Time::ZERO;
                self.backoff_until = Time::ZERO;
                self.fetch_due = if self.stream.is_some() { None } else { self.next_poll(now) };
                if let Some(notice) = self.notice {
                    // Announced after the fetch began, so its reply may be too old.
                    self.fetch_by(self.noticed_at(self.notice_due(notice).max(now)));
                }
                if let Some(offered) = streaming {
                    self.streaming_offered = Some(offered);
                }
                let may_stream = self.plan.stream && self.streaming_offered == Some(true);
                if !may_stream {
                    self.connect_due = None;
                } else if self.stream.is_none() && self.connect_due.is_none() {
                    self.connect_due = Some(now);
                }
            }
            FetchOutcome::Failure { prospect, retry_after } => {
                let due = self.retry_at(now, prospect, retry_after);
                self.backoff_until = due;
                self.fetch_due = self.plan.is_active().then_some(due);
            }
        }
    }

    /// Returns when to fetch again after a failure.
    fn retry_at(&mut self, now: Time, prospect: Prospect, retry_after: Option<Duration>) -> Time {
        let interval = self.plan.interval.unwrap_or(FIRST_DELAY);
        let prospect = self.fetch_doubts.judge(now, prospect);
        let may_be_starting = self.fetch_doubts.is_patient(now)
            && (prospect == Prospect::Doubtful || !self.has_fetched);
        let limit = if may_be_starting { interval.min(LONGEST_START_DELAY) } else { interval };
        let first = FIRST_DELAY.min(interval);
        let mut delay = self.fetch_backoff.next(first, limit, &mut self.jitter);
        if prospect == Prospect::Refused {
            delay = delay.max(self.jitter.part(SLOW_RETRY.max(interval), 0.9, 1.1));
        }
        delay = delay.max(self.server_delay(retry_after));
        // An earlier request of the server may ask for a longer delay.
        let due = self.due_at(now.saturating_add(delay));
        if prospect == Prospect::Refused || retry_after.is_some() {
            self.not_before = due;
        }
        due
    }

    /// Returns the greatest age of a payload from another process that makes a fetch unnecessary.
    /// With a stream, it must have been asked for after the stream was opened, and after the last
    /// announcement.
    pub(crate) fn max_age(&self, now: Time) -> Duration {
        match self.stream {
            Some(stream) => now.saturating_sub(self.notice.unwrap_or_default().max(stream.since)),
            None => self.interval().unwrap_or_default() / 2,
        }
    }

    /// Another process fetched, `age` ago. The next fetch is due an interval after that.
    pub(crate) fn fetched_by_others(&mut self, now: Time, age: Duration, streaming: Option<bool>) {
        self.notice = None;
        self.fetched(now, FetchOutcome::Success { streaming });
        // A cache may report any age. The next fetch is not due at once all the same.
        let age = age.min(self.interval().unwrap_or_default() / 2);
        self.fetch_due = self.fetch_due.map(|due| due.saturating_sub(age));
    }

    /// Another process is fetching. Without a notification from it, the cache is asked again.
    pub(crate) fn postpone_fetch(&mut self, now: Time, delay: Duration) {
        let delay = delay.clamp(SHORTEST_LEASE_DELAY, LONGEST_LEASE_DELAY);
        self.fetch_due = Some(now.saturating_add(self.jitter.part(delay, 1.0, 1.2)));
    }
}
