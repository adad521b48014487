//! When to do what: pure. Time goes in, an action comes out; nothing here waits, and tests need
//! no clock.

mod backoff;
mod jitter;
#[cfg(test)]
mod tests;

use std::time::Duration;

use backoff::{Backoff, FIRST_DELAY};
use jitter::Jitter;

use crate::options::Refresh;

/// A point in time: since some beginning.
pub(crate) type Time = Duration;

/// How long a server that refuses is left alone, at least.
const SLOW_RETRY: Duration = Duration::from_secs(300);
/// How long a server that says there is no stream (status 204) is not asked for one.
const NO_STREAM_RETRY: Duration = Duration::from_secs(3600);
/// How long a server may ask to be left alone (`Retry-After`, and `retry` on a stream).
const LONGEST_WISH: Duration = Duration::from_secs(3600);
/// The longest delay before a stream that fails is tried again, unless the server wants more.
const LONGEST_STREAM_DELAY: Duration = Duration::from_secs(60);
/// A stream that lived shorter is connected to again only after a delay, however it ended.
const BRIEF_LIFE: Duration = Duration::from_secs(5);
/// A stream that lived longer has proved itself.
const HEALTHY_LIFE: Duration = Duration::from_secs(55);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask for the payload.
    Fetch,
    /// Open the stream.
    Connect,
    /// Nothing until then, or until told otherwise.
    Wait(Option<Time>),
}

/// What those who share a source want of it, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Somebody wants changes streamed.
    pub(crate) stream: bool,
    /// The shortest interval anybody wants to be asked; `None` when nobody wants it.
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

    /// What serves both.
    pub(crate) fn and(self, other: Plan) -> Plan {
        let interval = match (self.interval, other.interval) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Plan { stream: self.stream || other.stream, interval }
    }

    /// Whether there is anything to do without being asked.
    pub(crate) fn is_active(self) -> bool {
        self.interval.is_some()
    }
}

/// How a fetch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchOutcome {
    /// There is a payload, new or confirmed. `None`: the reply did not say whether changes are
    /// streamed.
    Success { streaming: Option<bool> },
    /// There is none.
    Failure {
        /// Asking again soon is pointless.
        refused: bool,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// How a stream ended, or that it never began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The server ended it in good order.
    Ended,
    /// It broke, or could not be opened.
    Failed,
    /// Nothing came for too long.
    Silent,
    /// The server refused to open it: pointless to try again soon.
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
    /// The server refused, or wants to be left alone until then.
    not_before: Time,
    fetch_backoff: Backoff,
    stream_backoff: Backoff,
    /// What the server last said of streaming, when it did.
    streaming_offered: Option<bool>,
    /// The shortest delay after a failed stream, by the server's word.
    stream_retry: Duration,
    stream: Option<OpenStream>,
}

#[derive(Clone, Copy, Debug)]
struct OpenStream {
    since: Time,
    last_heard: Time,
}

impl Schedule {
    /// Nothing to do yet.
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
        }
    }

    /// Follows another plan from now on. What is at hand stays fresh for this long, so that
    /// polling begins after it; whether to stream is found out at once.
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
            // What is due is due soon enough.
            Some(_) if self.fetch_due.is_some() => return,
            Some(_) => interval,
        };
        // Under an open stream there may be nothing due; its end makes something due.
        if self.stream.is_none() || self.fetch_due.is_some() {
            let limit = self.due_at(now.saturating_add(limit));
            self.fetch_due = Some(self.fetch_due.map_or(limit, |due| due.min(limit)));
        }
    }

    /// What to do now.
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

    /// Somebody fetched, by this schedule or by themselves.
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
                delay = delay.max(self.heed(retry_after));
                // Another wish of the server may reach further.
                let due = self.due_at(now.saturating_add(delay));
                if refused || retry_after.is_some() {
                    self.not_before = due;
                }
                self.fetch_due = self.plan.is_active().then_some(due);
            }
        }
    }

    /// How old a payload from another process may be instead of one fetched now: under a stream,
    /// it must have been asked for since that was opened.
    pub(crate) fn max_age(&self, now: Time) -> Duration {
        match (self.stream, self.plan.interval) {
            (Some(stream), _) => now.saturating_sub(stream.since),
            (None, interval) => interval.unwrap_or_default() / 2,
        }
    }

    /// Another process fetched, this long ago: the next fetch is due an interval after that.
    pub(crate) fn fetched_by_others(&mut self, now: Time, age: Duration, streaming: Option<bool>) {
        self.fetched(now, FetchOutcome::Success { streaming });
        self.fetch_due = self.fetch_due.map(|due| due.saturating_sub(age));
    }

    /// Another process is fetching. If nothing is heard of it, it is looked again.
    pub(crate) fn postpone_fetch(&mut self, now: Time, delay: Duration) {
        self.fetch_due = Some(now.saturating_add(self.jitter.part(delay, 1.0, 1.2)));
    }

    /// The stream is open. What was missed meanwhile is fetched.
    pub(crate) fn stream_opened(&mut self, now: Time) {
        self.stream = Some(OpenStream { since: now, last_heard: now });
        self.connect_due = None;
        self.fetch_due = Some(self.due_at(now));
    }

    /// Something came over the stream: it is alive.
    pub(crate) fn stream_heard(&mut self, now: Time) {
        if let Some(stream) = &mut self.stream {
            stream.last_heard = now;
        }
    }

    /// The stream brought a payload, or the news that there is one: it works.
    pub(crate) fn stream_proved(&mut self) {
        self.stream_backoff.reset();
    }

    /// The server says how long to wait after a failure.
    pub(crate) fn stream_retry(&mut self, delay: Duration) {
        self.stream_retry = delay.clamp(FIRST_DELAY, LONGEST_WISH);
    }

    /// The stream announces a payload that has to be fetched.
    pub(crate) fn fetch_now(&mut self, now: Time) {
        self.fetch_due = Some(self.due_at(now));
    }

    /// Until when an open stream may be silent.
    pub(crate) fn silent_until(&self) -> Option<Time> {
        self.stream.map(|stream| stream.last_heard.saturating_add(self.longest_silence))
    }

    /// Whether an open stream has been silent for too long.
    pub(crate) fn is_silent(&self, now: Time) -> bool {
        self.silent_until().is_some_and(|until| until <= now)
    }

    /// Whether the stream that is open has been so for a short time only; `None` when there is
    /// none.
    pub(crate) fn is_brief(&self, now: Time) -> Option<bool> {
        self.stream.map(|stream| now.saturating_sub(stream.since) < BRIEF_LIFE)
    }

    /// Whether there is anything to do without being asked.
    pub(crate) fn is_active(&self) -> bool {
        self.plan.is_active()
    }

    /// Whether an open stream is still wanted.
    pub(crate) fn wants_stream(&self) -> bool {
        self.plan.stream
    }

    /// The stream is no more, or could not be opened; and how long the server wants to be left
    /// alone.
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
        if end == StreamEnd::Silent {
            // What was said meanwhile is lost.
            self.fetch_due = Some(self.due_at(now));
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
                    // Not all at once: many have lost the same server.
                    self.jitter.part(self.stream_retry, 1.0, 1.1),
                )
            }
            StreamEnd::Refused => self.jitter.part(SLOW_RETRY, 0.9, 1.1),
            StreamEnd::NoStream => self.jitter.part(NO_STREAM_RETRY, 0.9, 1.1),
        };
        self.connect_due = Some(now.saturating_add(delay.max(self.heed(retry_after))));
    }

    /// This time, unless the server wants to be left alone for longer.
    fn due_at(&self, time: Time) -> Time {
        time.max(self.not_before)
    }

    /// No sooner than the server says, within reason, and not all at once either.
    fn heed(&mut self, retry_after: Option<Duration>) -> Duration {
        retry_after
            .map_or(Duration::ZERO, |wish| self.jitter.part(wish.min(LONGEST_WISH), 1.0, 1.1))
    }

    fn next_poll(&mut self, now: Time) -> Option<Time> {
        let interval = self.plan.interval?;
        Some(now.saturating_add(self.jitter.part(interval, 0.9, 1.1)))
    }
}
