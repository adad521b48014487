//! When to open a stream, and which fetches a stream leads to.

use std::time::Duration;

use super::backoff::FIRST_DELAY;
use super::doubts::{Doubts, Prospect};
use super::{LONGEST_SERVER_DELAY, LONGEST_START_DELAY, SLOW_RETRY, Schedule, Time};

/// The shortest time between the starts of two fetches that a stream asks for.
const NOTICE_PACE: Duration = Duration::from_secs(1);
/// How long a fetch waits after a notice, if it serves several processes. By then the notice has
/// reached all of them. So the reply is not too old for any, and none fetches again. The GrowthBook
/// Proxy sends an event to 5,000 streams within about this time.
const NOTICE_SPREAD: Duration = Duration::from_millis(200);
/// The delay before a server that has no stream (status 204) is asked for one again.
const NO_STREAM_RETRY: Duration = Duration::from_secs(3600);
/// The longest delay before a stream that failed is opened again, unless the server asks for more.
const LONGEST_STREAM_DELAY: Duration = Duration::from_secs(60);
/// A stream that lived shorter is brief. Connecting again waits, and the server is polled more
/// often meanwhile.
const BRIEF_LIFE: Duration = Duration::from_secs(5);
/// After a brief stream that lived this long, and ended in good order, the next one is opened after
/// the same time. A shorter one counts as a failure.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);
/// A stream that lived longer works.
const HEALTHY_LIFE: Duration = Duration::from_secs(55);

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

/// A stream that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenStream {
    pub(super) since: Time,
    last_data: Time,
}

impl Schedule {
    /// Sets how long a stream may be silent.
    pub(crate) fn set_longest_silence(&mut self, longest_silence: Duration) {
        self.longest_silence = longest_silence;
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
    /// and not before the backoff is over. Several processes wait a moment longer.
    pub(crate) fn noticed(&mut self, now: Time) {
        self.notice = Some(now);
        self.fetch_by(self.noticed_at(self.notice_due(now)));
    }

    /// Returns when to fetch for a notice.
    pub(super) fn notice_due(&self, notice: Time) -> Time {
        if self.is_shared { notice.saturating_add(NOTICE_SPREAD) } else { notice }
    }

    /// Returns the earliest time for a fetch that a stream asks for: not before the backoff is over,
    /// and at most one a second.
    pub(super) fn noticed_at(&self, time: Time) -> Time {
        let pace = self.fetch_began.map_or(Time::ZERO, |began| began.saturating_add(NOTICE_PACE));
        self.due_at(time).max(self.backoff_until).max(pace)
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
}
