//! Decides when to fetch and when to connect. This is pure: the caller passes the time and gets an
//! action. Nothing here waits, and tests need no clock.

mod backoff;
mod doubts;
mod fetches;
mod jitter;
mod plan;
mod streams;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use backoff::{Backoff, FIRST_DELAY};
pub(crate) use doubts::Prospect;
pub(crate) use fetches::FetchOutcome;
pub(crate) use jitter::Jitter;
pub(crate) use plan::Plan;
pub(crate) use streams::StreamEnd;

use doubts::Doubts;
use streams::OpenStream;

/// A point in time, counted from the start of the source.
pub(crate) type Time = Duration;

/// The shortest delay after a server refused.
pub(crate) const SLOW_RETRY: Duration = Duration::from_secs(300);
/// The longest backoff while a server may be starting: before the first payload, and after
/// doubtful failures. It ends with [`PATIENCE`](doubts::PATIENCE).
const LONGEST_START_DELAY: Duration = Duration::from_secs(4);
/// The longest delay that a server can ask for (`Retry-After`, and `retry` on a stream).
pub(crate) const LONGEST_SERVER_DELAY: Duration = Duration::from_secs(3600);
/// The longest poll interval after a brief stream.
const BRIEF_POLL: Duration = Duration::from_secs(5);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask for the payload.
    Fetch,
    /// Open the stream.
    Connect,
    /// Wait until then, or until the schedule changes.
    Wait(Option<Time>),
}

/// Decides when to fetch and when to connect.
#[derive(Debug)]
pub(crate) struct Schedule {
    plan: Plan,
    /// How long a stream may be silent.
    longest_silence: Duration,
    /// Whether one fetch serves several processes.
    is_shared: bool,
    jitter: Jitter,
    fetch_due: Option<Time>,
    connect_due: Option<Time>,
    /// The server refused, or asks not to be asked before this time.
    not_before: Time,
    fetch_backoff: Backoff,
    /// Fetches that a stream asks for wait for the backoff of fetches.
    backoff_until: Time,
    stream_backoff: Backoff,
    /// Grows with each unusable event, until there is a usable one.
    event_backoff: Backoff,
    /// The doubtful failures of fetches, and of opening streams.
    fetch_doubts: Doubts,
    stream_doubts: Doubts,
    /// Whether there was a payload from the server.
    has_fetched: bool,
    /// The start of the last fetch.
    fetch_began: Option<Time>,
    /// The stream's last announcement of a payload, or the end of a pause, for which no fetch has begun
    /// yet.
    notice: Option<Time>,
    /// The last stream was brief.
    was_brief: bool,
    /// Whether the server offers streaming, as it last said.
    streaming_offered: Option<bool>,
    /// The shortest delay after a failed stream, as the server says.
    stream_retry: Duration,
    stream: Option<OpenStream>,
    /// Whether a stream worked since the last failure of one.
    stream_worked: bool,
}

impl Schedule {
    /// Returns a schedule that has nothing to do yet.
    pub(crate) fn new(seed: u64, longest_silence: Duration) -> Self {
        Schedule {
            plan: Plan::default(),
            longest_silence,
            is_shared: false,
            jitter: Jitter::new(seed),
            fetch_due: None,
            connect_due: None,
            not_before: Time::ZERO,
            fetch_backoff: Backoff::default(),
            backoff_until: Time::ZERO,
            stream_backoff: Backoff::default(),
            event_backoff: Backoff::default(),
            fetch_doubts: Doubts::default(),
            stream_doubts: Doubts::default(),
            has_fetched: false,
            fetch_began: None,
            notice: None,
            was_brief: false,
            streaming_offered: None,
            stream_retry: FIRST_DELAY,
            stream: None,
            stream_worked: false,
        }
    }

    /// Follows another plan from now on. The payload in use stays fresh for `fresh_for`, and polling
    /// begins after that. Whether the server streams is found out at once.
    pub(crate) fn set_plan(&mut self, plan: Plan, now: Time, fresh_for: Duration) {
        let before = core::mem::replace(&mut self.plan, plan);
        let Some(interval) = plan.interval else {
            self.fetch_due = None;
            self.connect_due = None;
            return;
        };
        if !plan.stream {
            self.connect_due = None;
        } else if !before.stream {
            match self.streaming_offered {
                Some(true) => self.connect_due = Some(now),
                Some(false) => {}
                None => self.fetch_due = Some(self.due_at(now)),
            }
        }
        let limit = match before.interval {
            None => fresh_for.min(interval),
            Some(longer) if interval < longer => interval,
            // The fetch that is due comes soon enough.
            Some(_) if self.fetch_due.is_some() => return,
            Some(_) => interval,
        };
        // With an open stream there may be no fetch due. The end of the stream schedules one.
        if self.stream.is_none() || self.fetch_due.is_some() {
            let limit = self.due_at(now.saturating_add(limit));
            self.fetch_due = Some(self.fetch_due.map_or(limit, |due| due.min(limit)));
        }
    }

    /// A fetch is due now, or when the server allows it. One that has begun before does not count:
    /// its reply may be too old.
    pub(crate) fn fetch_soon(&mut self, now: Time) {
        self.notice = Some(now);
        self.fetch_by(self.due_at(now));
    }

    /// Sets whether one fetch serves several processes, which share a cache.
    pub(crate) fn set_shared(&mut self, is_shared: bool) {
        self.is_shared = is_shared;
    }

    /// Returns what to do now.
    pub(crate) fn next(&self, now: Time) -> Action {
        let is_due = |due: Option<Time>| due.is_some_and(|due| due <= now);
        if is_due(self.connect_due) && self.stream.is_none() {
            return Action::Connect;
        }
        if is_due(self.fetch_due) {
            return Action::Fetch;
        }
        Action::Wait([self.fetch_due, self.connect_due].into_iter().flatten().min())
    }

    /// Whether there is anything to do without a call of the application.
    pub(crate) fn is_active(&self) -> bool {
        self.plan.is_active()
    }

    /// Whether an open stream is still wanted.
    pub(crate) fn wants_stream(&self) -> bool {
        self.plan.stream
    }

    /// A fetch is due then, unless one is due earlier.
    fn fetch_by(&mut self, time: Time) {
        self.fetch_due = Some(self.fetch_due.map_or(time, |due| due.min(time)));
    }

    /// Returns this time, or a later one if the server asks for it.
    fn due_at(&self, time: Time) -> Time {
        time.max(self.not_before)
    }

    /// Returns the delay that the server asks for, within bounds and with jitter.
    fn server_delay(&mut self, retry_after: Option<Duration>) -> Duration {
        retry_after.map_or(Duration::ZERO, |delay| {
            self.jitter.part(delay.min(LONGEST_SERVER_DELAY), 1.0, 1.1)
        })
    }

    /// Returns the interval between polls: a short one after a brief stream.
    fn interval(&self) -> Option<Duration> {
        let interval = self.plan.interval?;
        Some(if self.was_brief { interval.min(BRIEF_POLL) } else { interval })
    }

    fn next_poll(&mut self, now: Time) -> Option<Time> {
        let interval = self.interval()?;
        Some(now.saturating_add(self.jitter.part(interval, 0.9, 1.1)))
    }
}
