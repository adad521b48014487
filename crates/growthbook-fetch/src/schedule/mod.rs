//! Decides when to fetch and when to connect. This is pure: the caller passes the time and gets an
//! action. Nothing here waits, and tests need no clock.

mod backoff;
mod jitter;
#[cfg(test)]
mod tests;

use std::time::Duration;

use backoff::{Backoff, FIRST_DELAY};
use jitter::Jitter;

use crate::options::Refresh;

/// A point in time, counted from the start of the source.
pub(crate) type Time = Duration;

/// The shortest delay after a server refused.
const SLOW_RETRY: Duration = Duration::from_secs(300);
/// The delay before a server that has no stream (status 204) is asked for one again.
const NO_STREAM_RETRY: Duration = Duration::from_secs(3600);
/// The longest delay that a server can ask for (`Retry-After`, and `retry` on a stream).
const LONGEST_SERVER_DELAY: Duration = Duration::from_secs(3600);
/// The longest delay before a stream that failed is opened again, unless the server asks for more.
const LONGEST_STREAM_DELAY: Duration = Duration::from_secs(60);
/// After a stream that lived shorter, connecting again waits, however the stream ended.
const BRIEF_LIFE: Duration = Duration::from_secs(5);
/// A stream that lived longer works.
const HEALTHY_LIFE: Duration = Duration::from_secs(55);

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

/// What the clients of a source need together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// At least one client wants changes streamed.
    pub(crate) stream: bool,
    /// The shortest interval of all clients; `None` if no client polls.
    pub(crate) interval: Option<Duration>,
}

impl Plan {
    pub(crate) fn new(refresh: Refresh, poll_interval: Duration) -> Self {
        match refresh {
            Refresh::Stream => Plan { stream: true, interval: Some(poll_interval) },
            Refresh::Poll(interval) => Plan { stream: false, interval: Some(interval) },
            Refresh::Manual => Plan::default(),
        }
    }

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

/// The outcome of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchOutcome {
    /// There is a payload, new or confirmed. `streaming` is `None` if the reply did not say whether
    /// changes are streamed.
    Success { streaming: Option<bool> },
    /// The fetch failed.
    Failure {
        /// Asking again soon is pointless.
        refused: bool,
        /// How long the server asks not to be asked.
        retry_after: Option<Duration>,
    },
}

/// How a stream ended, or why it could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The server ended it in good order.
    Ended,
    /// It broke, or could not be opened.
    Failed,
    /// The stream was silent for too long.
    Silent,
    /// The server refused to open it. Trying again soon is pointless.
    Refused,
    /// The server says there is no stream.
    NoStream,
}

/// Decides when to fetch and when to connect.
#[derive(Debug)]
pub(crate) struct Schedule {
    plan: Plan,
    /// How long a stream may be silent.
    longest_silence: Duration,
    jitter: Jitter,
    fetch_due: Option<Time>,
    connect_due: Option<Time>,
    /// The server refused, or asks not to be asked before this time.
    not_before: Time,
    fetch_backoff: Backoff,
    stream_backoff: Backoff,
    /// Whether the server offers streaming, as it last said.
    streaming_offered: Option<bool>,
    /// The shortest delay after a failed stream, as the server says.
    stream_retry: Duration,
    stream: Option<OpenStream>,
    /// Whether a stream worked since the last failure of one.
    stream_worked: bool,
}

#[derive(Clone, Copy, Debug)]
struct OpenStream {
    since: Time,
    last_data: Time,
}

impl Schedule {
    /// Returns a schedule that has nothing to do yet.
    pub(crate) fn new(seed: u64, longest_silence: Duration) -> Self {
        Schedule {
            plan: Plan::default(),
            longest_silence,
            jitter: Jitter::new(seed),
            fetch_due: None,
            connect_due: None,
            not_before: Time::ZERO,
            fetch_backoff: Backoff::default(),
            stream_backoff: Backoff::default(),
            streaming_offered: None,
            stream_retry: FIRST_DELAY,
            stream: None,
            stream_worked: false,
        }
    }

    /// Sets how long a stream may be silent.
    pub(crate) fn set_longest_silence(&mut self, longest_silence: Duration) {
        self.longest_silence = longest_silence;
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

    /// A fetch has ended: one of this schedule, or of the application.
    pub(crate) fn fetched(&mut self, now: Time, outcome: FetchOutcome) {
        match outcome {
            FetchOutcome::Success { streaming } => {
                self.fetch_backoff.reset();
                self.not_before = Time::ZERO;
                self.fetch_due = if self.stream.is_some() { None } else { self.next_poll(now) };
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
            FetchOutcome::Failure { refused, retry_after } => {
                let interval = self.plan.interval.unwrap_or(FIRST_DELAY);
                let mut delay =
                    self.fetch_backoff.next(FIRST_DELAY.min(interval), interval, &mut self.jitter);
                if refused {
                    delay = delay.max(self.jitter.part(SLOW_RETRY.max(interval), 0.9, 1.1));
                }
                delay = delay.max(self.server_delay(retry_after));
                // An earlier request of the server may ask for a longer delay.
                let due = self.due_at(now.saturating_add(delay));
                if refused || retry_after.is_some() {
                    self.not_before = due;
                }
                self.fetch_due = self.plan.is_active().then_some(due);
            }
        }
    }

    /// Returns the greatest age of a payload from another process that makes a fetch unnecessary.
    /// With a stream, it must have been asked for after the stream was opened.
    pub(crate) fn max_age(&self, now: Time) -> Duration {
        match (self.stream, self.plan.interval) {
            (Some(stream), _) => now.saturating_sub(stream.since),
            (None, interval) => interval.unwrap_or_default() / 2,
        }
    }

    /// Another process fetched, `age` ago. The next fetch is due an interval after that.
    pub(crate) fn fetched_by_others(&mut self, now: Time, age: Duration, streaming: Option<bool>) {
        self.fetched(now, FetchOutcome::Success { streaming });
        self.fetch_due = self.fetch_due.map(|due| due.saturating_sub(age));
    }

    /// Another process is fetching. Without a notification from it, the cache is asked again.
    pub(crate) fn postpone_fetch(&mut self, now: Time, delay: Duration) {
        self.fetch_due = Some(now.saturating_add(self.jitter.part(delay, 1.0, 1.2)));
    }

    /// The stream is open. A fetch is due for the changes that were missed.
    pub(crate) fn stream_opened(&mut self, now: Time) {
        self.stream = Some(OpenStream { since: now, last_data: now });
        self.connect_due = None;
        self.fetch_due = Some(self.due_at(now));
    }

    /// Bytes arrived on the stream: it is alive.
    pub(crate) fn stream_data(&mut self, now: Time) {
        if let Some(stream) = &mut self.stream {
            stream.last_data = now;
        }
    }

    /// The stream brought a payload, or announced one: it works.
    pub(crate) fn stream_proved(&mut self) {
        self.stream_backoff.reset();
    }

    /// The server said how long to wait after a failure.
    pub(crate) fn stream_retry(&mut self, delay: Duration) {
        self.stream_retry = delay.clamp(FIRST_DELAY, LONGEST_SERVER_DELAY);
    }

    /// The stream announces a payload that has to be fetched.
    pub(crate) fn fetch_now(&mut self, now: Time) {
        self.fetch_due = Some(self.due_at(now));
    }

    /// Returns the time until which an open stream may be silent.
    pub(crate) fn silent_until(&self) -> Option<Time> {
        self.stream.map(|stream| stream.last_data.saturating_add(self.longest_silence))
    }

    /// Whether an open stream has been silent for too long.
    pub(crate) fn is_silent(&self, now: Time) -> bool {
        self.silent_until().is_some_and(|until| until <= now)
    }

    /// Whether the open stream was opened a short time ago; `None` if no stream is open.
    pub(crate) fn is_brief(&self, now: Time) -> Option<bool> {
        self.stream.map(|stream| now.saturating_sub(stream.since) < BRIEF_LIFE)
    }

    /// Whether there is anything to do without a call of the application.
    pub(crate) fn is_active(&self) -> bool {
        self.plan.is_active()
    }

    /// Whether an open stream is still wanted.
    pub(crate) fn wants_stream(&self) -> bool {
        self.plan.stream
    }

    /// The stream has ended, or could not be opened. `retry_after` is the delay that the server asks
    /// for.
    pub(crate) fn stream_ended(
        &mut self,
        now: Time,
        end: StreamEnd,
        retry_after: Option<Duration>,
    ) {
        let lived =
            self.stream.take().map_or(Duration::ZERO, |stream| now.saturating_sub(stream.since));
        if lived >= HEALTHY_LIFE {
            self.stream_backoff.reset();
        }
        self.stream_worked |= lived >= BRIEF_LIFE;
        if end == StreamEnd::Silent {
            // Changes may have been missed.
            self.fetch_due = Some(self.due_at(now));
        } else if end == StreamEnd::Failed && core::mem::take(&mut self.stream_worked) {
            // The server may be down. A fetch finds that out, long before the next poll. With jitter,
            // because many clients lose the same server at once.
            let delay = self.jitter.part(FIRST_DELAY, 0.0, 1.0);
            let soon = self.due_at(now.saturating_add(delay));
            self.fetch_due = Some(self.fetch_due.map_or(soon, |due| due.min(soon)));
        } else if self.fetch_due.is_none() {
            self.fetch_due = self.next_poll(now);
        }
        if !self.plan.stream || self.streaming_offered == Some(false) {
            self.connect_due = None;
            return;
        }
        let delay = match end {
            StreamEnd::Ended if lived >= BRIEF_LIFE => Duration::ZERO,
            StreamEnd::Silent => Duration::ZERO,
            StreamEnd::Ended | StreamEnd::Failed => {
                let limit = LONGEST_STREAM_DELAY.max(self.stream_retry);
                self.stream_backoff.next(FIRST_DELAY, limit, &mut self.jitter).max(
                    // With jitter, because many clients lose the same server at once.
                    self.jitter.part(self.stream_retry, 1.0, 1.1),
                )
            }
            StreamEnd::Refused => self.jitter.part(SLOW_RETRY, 0.9, 1.1),
            StreamEnd::NoStream => self.jitter.part(NO_STREAM_RETRY, 0.9, 1.1),
        };
        self.connect_due = Some(now.saturating_add(delay.max(self.server_delay(retry_after))));
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

    fn next_poll(&mut self, now: Time) -> Option<Time> {
        let interval = self.plan.interval?;
        Some(now.saturating_add(self.jitter.part(interval, 0.9, 1.1)))
    }
}
