//! The queue of events, and when its next batch is sent.
//!
//! Time is an argument, so that tests need no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::options::Limits;
use crate::status::Lost;

/// The shortest time from the start of one request to the start of the next one. GrowthBook
/// documents it as the ingestor's limit.
pub(crate) const REQUEST_SPACING: Duration = Duration::from_secs(1);
/// The most text in a batch, unless one event alone is longer.
pub(crate) const MAX_BATCH_BYTES: usize = 512 * 1024;
/// The delay after the first failed request. Each further failure doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// The events that are queued or in a request, each as JSON text.
#[derive(Default)]
pub(crate) struct Queue {
    events: VecDeque<Box<str>>,
    /// The events at the front that are in a request.
    in_flight: usize,
    /// The length of all events.
    bytes: usize,
    /// When the oldest waiting event was added.
    waiting_since: Option<Instant>,
    /// When the next request may start.
    not_before: Option<Instant>,
    failures: u32,
    failing_since: Option<Instant>,
    /// The most events in the next batch, after a batch that was too large. Each batch that is
    /// accepted doubles it.
    reduced: Option<usize>,
    /// The events that have left the queue.
    finished: u64,
}

/// How urgently events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A batch waits until it is full, or until the interval has passed.
    Batched,
    /// A batch need not be full.
    Flushing,
    /// A batch need not be full, and requests need no distance. The program may end.
    Closing,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the body, which has this many events.
    Send {
        body: String,
        events: usize,
    },
    WaitUntil(Instant),
    WaitForEvent,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    /// The events may be accepted later, at the earliest after this delay.
    Failed {
        retry_after: Option<Duration>,
    },
    /// The events will never be accepted.
    Refused,
    /// The body is too large.
    TooLarge,
}

/// What the end of a request means for its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) sent: usize,
    pub(crate) lost: Option<(Lost, usize)>,
    /// Whether it is the first failure after a success, or the first success after a failure.
    pub(crate) has_turned: bool,
}

impl Queue {
    /// Whether the queue has room for an event of this length.
    pub(crate) fn has_room(&self, bytes: usize, limits: &Limits) -> bool {
        self.events.len() < limits.capacity.get()
            && self.bytes.saturating_add(bytes) <= limits.capacity_bytes.get()
    }

    pub(crate) fn push(&mut self, event: Box<str>, now: Instant) {
        self.bytes += event.len();
        self.events.push_back(event);
        self.waiting_since.get_or_insert(now);
    }

    pub(crate) fn next(&mut self, now: Instant, pace: Pace, limits: &Limits) -> Next {
        if self.events.is_empty() {
            return Next::WaitForEvent;
        }
        let batch_size = self.reduced.unwrap_or(limits.batch_size.get());
        let is_full = self.events.len() >= batch_size || self.bytes >= MAX_BATCH_BYTES;
        let waits_for_more = pace == Pace::Batched && !is_full && self.failures == 0;
        let full_or_old = self
            .waiting_since
            .filter(|_| waits_for_more)
            .and_then(|since| since.checked_add(limits.interval));
        let may_start = self.not_before.filter(|_| pace != Pace::Closing || self.failures > 0);
        match full_or_old.max(may_start) {
            Some(start) if start > now => Next::WaitUntil(start),
            _ => self.send(now, batch_size),
        }
    }

    fn send(&mut self, now: Instant, batch_size: usize) -> Next {
        let mut bytes = 0;
        let fits = |event: &&str| {
            let is_first = bytes == 0;
            bytes += event.len();
            is_first || bytes <= MAX_BATCH_BYTES
        };
        let events = self.events.iter().map(|event| &**event);
        let batch: Vec<&str> = events.take(batch_size).take_while(fits).collect();
        let (body, events) = (format!("[{}]", batch.join(",")), batch.len());
        self.in_flight = events;
        self.waiting_since = (events < self.events.len()).then_some(now);
        self.not_before = now.checked_add(REQUEST_SPACING);
        Next::Send { body, events }
    }

    /// Records the end of the request. `share` from 0 to 1 shortens delays, so that many processes
    /// do not ask at the same time.
    pub(crate) fn settle(
        &mut self,
        outcome: Outcome,
        now: Instant,
        share: f64,
        limits: &Limits,
    ) -> Settled {
        let events = std::mem::take(&mut self.in_flight);
        match outcome {
            Outcome::Accepted => {
                let larger = self.reduced.map(|reduced| reduced.saturating_mul(2));
                self.reduced = larger.filter(|reduced| *reduced < limits.batch_size.get());
                self.failing_since = None;
                let has_turned = std::mem::take(&mut self.failures) > 0;
                Settled { sent: self.remove(events), lost: None, has_turned }
            }
            Outcome::Refused => self.lose(events, Lost::Refused),
            Outcome::TooLarge if events <= 1 => self.lose(events, Lost::TooLarge),
            Outcome::TooLarge => {
                self.reduced = Some(events / 2);
                Settled::default()
            }
            Outcome::Failed { retry_after } => {
                self.delay(now, retry_after, share);
                let since = *self.failing_since.get_or_insert(now);
                let gives_up = now.saturating_duration_since(since) >= limits.retry_for;
                let has_turned = self.failures == 1;
                let lost = gives_up.then(|| {
                    self.failing_since = None;
                    (Lost::GivenUp, self.remove(events))
                });
                Settled { sent: 0, lost, has_turned }
            }
        }
    }

    fn delay(&mut self, now: Instant, retry_after: Option<Duration>, share: f64) {
        let doubled = FIRST_DELAY.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let delay = doubled.min(LONGEST_DELAY).mul_f64(0.5 + 0.5 * share.clamp(0.0, 1.0));
        let delay = delay.max(retry_after.unwrap_or_default().min(LONGEST_DELAY));
        self.not_before = self.not_before.max(now.checked_add(delay));
    }

    fn lose(&mut self, events: usize, why: Lost) -> Settled {
        Settled { sent: 0, lost: Some((why, self.remove(events))), has_turned: false }
    }

    /// Removes events from the front. Returns their number.
    fn remove(&mut self, events: usize) -> usize {
        let events = events.min(self.events.len());
        let removed: usize = self.events.drain(..events).map(|event| event.len()).sum();
        self.bytes -= removed;
        self.finished += events as u64;
        if self.events.is_empty() {
            self.waiting_since = None;
        }
        events
    }

    /// Removes all events. Returns their number.
    pub(crate) fn clear(&mut self) -> usize {
        self.in_flight = 0;
        self.remove(self.events.len())
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns the number of the next event.
    pub(crate) fn next_number(&self) -> u64 {
        self.finished + self.events.len() as u64
    }

    /// Whether all events with a lower number have left the queue.
    pub(crate) fn is_done_until(&self, number: u64) -> bool {
        self.finished >= number
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits {
            batch_size: NonZeroUsize::new(3).unwrap(),
            interval: 5 * SECOND,
            capacity: NonZeroUsize::new(10).unwrap(),
            capacity_bytes: NonZeroUsize::new(1_000_000).unwrap(),
            retry_for: 100 * SECOND,
        }
    }

    /// A queue with a clock that tests move.
    struct Test {
        queue: Queue,
        start: Instant,
        now: Instant,
    }

    impl Test {
        fn with(events: usize) -> Self {
            let now = Instant::now();
            let mut test = Test { queue: Queue::default(), start: now, now };
            test.push(events);
            test
        }

        fn push(&mut self, events: usize) {
            (0..events).for_each(|event| self.queue.push(event.to_string().into(), self.now));
        }

        fn next(&mut self, pace: Pace) -> Next {
            self.queue.next(self.now, pace, &limits())
        }

        /// Returns the seconds until the next request, which is then in flight, and its events.
        fn sent(&mut self, pace: Pace) -> (u64, usize) {
            loop {
                match self.next(pace) {
                    Next::Send { events, .. } => {
                        return ((self.now - self.start).as_secs(), events);
                    }
                    Next::WaitUntil(then) => self.now = then,
                    Next::WaitForEvent => panic!("no events"),
                }
            }
        }

        fn settle(&mut self, outcome: Outcome) -> Settled {
            self.queue.settle(outcome, self.now, 1.0, &limits())
        }
    }

    #[test]
    fn batch_is_sent_when_full_or_old() {
        let mut test = Test::with(2);
        assert_eq!(test.next(Pace::Batched), Next::WaitUntil(test.start + 5 * SECOND));
        test.push(2);
        let Next::Send { body, events } = test.next(Pace::Batched) else { panic!("not sent") };
        assert_eq!((body.as_str(), events), ("[0,1,0]", 3));
        assert_eq!(test.settle(Outcome::Accepted).sent, 3);
        // The fourth event waits from the last request on.
        assert_eq!(test.sent(Pace::Batched), (5, 1));
        test.settle(Outcome::Accepted);
        assert_eq!(test.next(Pace::Batched), Next::WaitForEvent);
    }

    #[test]
    fn requests_have_a_distance_unless_closing() {
        for (pace, expected) in [(Pace::Batched, 1), (Pace::Flushing, 1), (Pace::Closing, 0)] {
            let mut test = Test::with(6);
            assert_eq!(test.sent(pace), (0, 3));
            test.settle(Outcome::Accepted);
            assert_eq!(test.sent(pace), (expected, 3), "{pace:?}");
        }
    }

    #[test]
    fn flush_does_not_wait_for_a_full_batch() {
        assert_eq!(Test::with(1).sent(Pace::Flushing), (0, 1));
    }

    #[test]
    fn failed_batch_is_repeated_with_growing_delays() {
        let mut test = Test::with(1);
        let failed = Outcome::Failed { retry_after: None };
        let mut times = Vec::new();
        for round in 0..8 {
            let (time, events) = test.sent(Pace::Batched);
            times.push(time);
            assert_eq!(events, 1);
            assert_eq!(test.settle(failed).has_turned, round == 0);
        }
        // The first wait is for the batch to be full. The last delays have the longest length.
        assert_eq!(times, [5, 6, 8, 12, 20, 36, 68, 128]);
        assert_eq!(test.queue.len(), 0, "given up after 100 s");
    }

    #[test]
    fn events_are_given_up_after_the_time_for_retries() {
        let mut test = Test::with(2);
        let failed = Outcome::Failed { retry_after: None };
        test.sent(Pace::Flushing);
        assert_eq!(test.settle(failed).lost, None);
        test.now += 101 * SECOND;
        test.sent(Pace::Flushing);
        assert_eq!(test.settle(failed).lost, Some((Lost::GivenUp, 2)));
        assert_eq!(test.next(Pace::Flushing), Next::WaitForEvent);
    }

    #[test]
    fn server_may_ask_for_a_longer_delay() {
        let mut test = Test::with(1);
        test.sent(Pace::Flushing);
        test.settle(Outcome::Failed { retry_after: Some(20 * SECOND) });
        assert_eq!(test.sent(Pace::Closing), (20, 1));
        test.settle(Outcome::Failed { retry_after: Some(Duration::MAX) });
        assert_eq!(test.sent(Pace::Closing), (80, 1));
    }

    #[test]
    fn success_after_failures_is_noticed_once() {
        let mut test = Test::with(1);
        test.sent(Pace::Flushing);
        test.settle(Outcome::Failed { retry_after: None });
        test.sent(Pace::Flushing);
        assert!(test.settle(Outcome::Accepted).has_turned);
        test.push(1);
        test.sent(Pace::Flushing);
        assert!(!test.settle(Outcome::Accepted).has_turned);
    }

    #[test]
    fn batch_that_is_too_large_is_divided() {
        let mut test = Test::with(7);
        let mut batches = Vec::new();
        while test.queue.len() > 0 {
            let (_, events) = test.sent(Pace::Closing);
            batches.push(events);
            let outcome = if events > 1 { Outcome::TooLarge } else { Outcome::Accepted };
            test.settle(outcome);
        }
        assert_eq!(batches, [3, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]);
        test.push(1);
        test.sent(Pace::Closing);
        assert_eq!(test.settle(Outcome::TooLarge).lost, Some((Lost::TooLarge, 1)));
    }

    #[test]
    fn refused_batch_is_lost() {
        let mut test = Test::with(4);
        test.sent(Pace::Flushing);
        assert_eq!(test.settle(Outcome::Refused).lost, Some((Lost::Refused, 3)));
        assert_eq!(test.sent(Pace::Flushing), (1, 1));
    }

    #[test]
    fn long_events_are_in_batches_of_their_own() {
        let mut test = Test::with(0);
        for _ in 0..2 {
            test.queue.push("x".repeat(MAX_BATCH_BYTES + 1).into(), test.now);
        }
        assert_eq!(test.sent(Pace::Batched), (0, 1));
    }

    #[test]
    fn queue_is_bounded_by_events_and_bytes() {
        let mut test = Test::with(9);
        assert!(test.queue.has_room(1, &limits()));
        assert!(!test.queue.has_room(1_000_000, &limits()));
        test.push(1);
        assert!(!test.queue.has_room(1, &limits()));
        assert_eq!(test.queue.clear(), 10);
        assert!(test.queue.has_room(1_000_000, &limits()));
    }

    #[test]
    fn flush_ends_when_earlier_events_have_left() {
        let mut test = Test::with(2);
        let number = test.queue.next_number();
        test.push(1);
        assert!(!test.queue.is_done_until(number));
        test.sent(Pace::Flushing);
        test.settle(Outcome::Accepted);
        assert!(test.queue.is_done_until(number));
    }
}
