//! Decides when to fetch and when to connect. This is pure: the caller passes the time and gets an
//! action. Nothing here waits, and tests need no clock.

mod backoff;
mod jitter;
#[cfg(test)]
mod tests;

use std::time::Duration;

use backoff::{Backoff, FIRST_DELAY};
use jitter::Jitter;

/// A point in time, counted from the start of the source.
pub(crate) type Time = Duration;

/// The shortest delay after a server refused.
const SLOW_RETRY: Duration = Duration::from_secs(300);
/// How long a doubtful failure is retried soon. After that it counts as a refusal.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest backoff while a server may be starting: before the first payload, and after
/// doubtful failures. It ends with [`PATIENCE`].
const LONGEST_START_DELAY: Duration = Duration::from_secs(4);
/// The shortest time between the starts of two fetches that a stream asks for.
const NOTICE_PACE: Duration = Duration::from_secs(1);
/// The delay before a server that has no stream (status 204) is asked for one again.
const NO_STREAM_RETRY: Duration = Duration::from_secs(3600);
/// The longest delay that a server can ask for (`Retry-After`, and `retry` on a stream).
const LONGEST_SERVER_DELAY: Duration = Duration::from_secs(3600);
/// The longest delay before a stream that failed is opened again, unless the server asks for more.
const LONGEST_STREAM_DELAY: Duration = Duration::from_secs(60);
/// A stream that lived shorter is brief. Connecting again waits, and the server is polled more
/// often meanwhile.
const BRIEF_LIFE: Duration = Duration::from_secs(5);
/// After a brief stream that lived this long, and ended in good order, the next one is opened after
/// the same time. A shorter one counts as a failure.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);
/// The longest poll interval after a brief stream.
const BRIEF_POLL: Duration = Duration::from_secs(5);
/// The longest delay that another process with the lease can ask for.
const LONGEST_LEASE_DELAY: Duration = Duration::from_secs(60);
/// The shortest delay before a cache is asked for the lease again.
const SHORTEST_LEASE_DELAY: Duration = Duration::from_millis(50);
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
        /// Whether asking again soon may help.
        prospect: Prospect,
        /// How long the server asks not to be asked.
        retry_after: Option<Duration>,
    },
}

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

/// How a stream ended, or why it could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The server ended it in good order.
    Ended,
    /// It broke, or could not be opened.
    Failed,
    /// The stream was silent for too long.
    Silent,
    /// The server refused to open it, perhaps because it is starting.
    Doubtful,
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
    /// The stream's last announcement of a payload for which no fetch has begun yet.
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
                if self.notice.is_some() {
                    // Announced after the fetch began, so its reply may be too old.
                    self.fetch_by(self.noticed_at(now));
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

    /// The stream is open. A fetch is due for the changes that were missed.
    pub(crate) fn stream_opened(&mut self, now: Time) {
        self.stream = Some(OpenStream { since: now, last_data: now });
        self.connect_due = None;
        self.stream_doubts = Doubts::default();
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
        self.event_backoff.reset();
    }

    /// An event of the stream cannot be used. A fetch asks for the payload, after a delay because
    /// more such events may follow. They never postpone a fetch that is due.
    pub(crate) fn event_failed(&mut self, now: Time) {
        if self.fetch_due.is_none() && self.plan.is_active() {
            let limit = self.plan.interval.unwrap_or(FIRST_DELAY).max(FIRST_DELAY);
            let delay = self.event_backoff.next(FIRST_DELAY, limit, &mut self.jitter);
            self.fetch_by(self.noticed_at(now.saturating_add(delay)));
        }
    }

    /// The server said how long to wait after a failure.
    pub(crate) fn stream_retry(&mut self, delay: Duration) {
        self.stream_retry = delay.clamp(FIRST_DELAY, LONGEST_SERVER_DELAY);
    }

    /// The stream announces a payload that has to be fetched: at once, but at most once a second
    /// and not before the backoff is over.
    pub(crate) fn noticed(&mut self, now: Time) {
        self.notice = Some(now);
        self.fetch_by(self.noticed_at(now));
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
        let lived = self.stream.take().map(|stream| now.saturating_sub(stream.since));
        if lived.is_some_and(|lived| lived >= HEALTHY_LIFE) {
            self.stream_backoff.reset();
        }
        self.was_brief = lived.is_some_and(|lived| lived < BRIEF_LIFE);
        self.stream_worked |= lived.is_some_and(|lived| lived >= BRIEF_LIFE);
        let has_broken = matches!(end, StreamEnd::Failed | StreamEnd::Doubtful);
        if end == StreamEnd::Silent || (has_broken && core::mem::take(&mut self.stream_worked)) {
            // Changes may have been missed, or the server may be down.
            self.fetch_by(self.noticed_at(now));
        } else if let Some(due) = self.next_poll(now)
            && (self.fetch_due.is_none() || self.was_brief)
        {
            self.fetch_by(self.noticed_at(due));
        }
        if !self.plan.stream || self.streaming_offered == Some(false) {
            self.connect_due = None;
            return;
        }
        let delay = self.reconnect_delay(now, lived.unwrap_or_default(), end);
        self.connect_due = Some(now.saturating_add(delay.max(self.server_delay(retry_after))));
    }

    /// Returns the delay before the next stream is opened.
    fn reconnect_delay(&mut self, now: Time, lived: Duration, end: StreamEnd) -> Duration {
        let is_lasting = lived >= BRIEF_LIFE;
        match end {
            StreamEnd::Ended | StreamEnd::Silent if is_lasting => Duration::ZERO,
            StreamEnd::Ended if lived >= SHORTEST_LIFE => self.jitter.part(SHORTEST_LIFE, 1.0, 1.1),
            StreamEnd::Failed if is_lasting && !self.stream_backoff.has_begun() => {
                // Another server may take over at once. The next failure waits.
                self.stream_backoff.next(FIRST_DELAY, FIRST_DELAY, &mut self.jitter);
                Duration::ZERO
            }
            StreamEnd::Ended | StreamEnd::Silent | StreamEnd::Failed => {
                let limit = LONGEST_STREAM_DELAY.max(self.stream_retry);
                self.stream_backoff.next(FIRST_DELAY, limit, &mut self.jitter).max(
                    // With jitter, because many clients lose the same server at once.
                    self.jitter.part(self.stream_retry, 1.0, 1.1),
                )
            }
            StreamEnd::Doubtful
                if self.stream_doubts.judge(now, Prospect::Doubtful) == Prospect::Doubtful =>
            {
                let delay =
                    self.stream_backoff.next(FIRST_DELAY, LONGEST_START_DELAY, &mut self.jitter);
                delay.max(self.jitter.part(FIRST_DELAY, 1.0, 1.1))
            }
            StreamEnd::Doubtful | StreamEnd::Refused => self.jitter.part(SLOW_RETRY, 0.9, 1.1),
            StreamEnd::NoStream => self.jitter.part(NO_STREAM_RETRY, 0.9, 1.1),
        }
    }

    /// A fetch is due then, unless one is due earlier.
    fn fetch_by(&mut self, time: Time) {
        self.fetch_due = Some(self.fetch_due.map_or(time, |due| due.min(time)));
    }

    /// Returns the earliest time for a fetch that a stream asks for: not before the backoff is over,
    /// and at most one a second.
    fn noticed_at(&self, now: Time) -> Time {
        let pace = self.fetch_began.map_or(Time::ZERO, |began| began.saturating_add(NOTICE_PACE));
        self.due_at(now).max(self.backoff_until).max(pace)
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

/// The time since the first of several failures in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Doubts {
    since: Option<Time>,
}

impl Doubts {
    /// Notes a failure. A doubtful one counts as a refusal when failures have lasted too long.
    fn judge(&mut self, now: Time, prospect: Prospect) -> Prospect {
        self.since.get_or_insert(now);
        match prospect {
            Prospect::Doubtful if !self.is_patient(now) => Prospect::Refused,
            prospect => prospect,
        }
    }

    /// Whether failures have not lasted long yet.
    fn is_patient(&self, now: Time) -> bool {
        self.since.is_none_or(|since| now.saturating_sub(since) < PATIENCE)
    }
}
