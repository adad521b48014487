//! The documents that wait, in order, each once. Pure: time is an argument.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey};

/// How long nothing is written after a failure: doubled with each further one.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A document that waits.
#[derive(Debug)]
struct Waiting {
    document: StickyBucketDocument,
    /// Its number; what is merged of two documents has that of the older one.
    number: u64,
    /// When writing it failed for the first time.
    failing_since: Option<Instant>,
}

/// The queue, with the document that is being written.
#[derive(Default)]
pub(super) struct Queue {
    /// By their turn.
    waiting: BTreeMap<u64, Waiting>,
    turns: HashMap<StickyBucketKey, u64>,
    next_turn: u64,
    in_flight: Option<Waiting>,
    /// The numbers of all that wait or are in flight.
    unfinished: BTreeSet<u64>,
    next_number: u64,
    /// Attempts that failed since the last one that did not, and when the last of them was.
    failures: u32,
    failed_at: Option<Instant>,
}

/// What became of a document that was to wait.
#[derive(Debug)]
pub(super) enum Pushed {
    Queued,
    /// One of its key waited already.
    Merged,
    /// The oldest gave way.
    Displaced(StickyBucketDocument),
}

impl Queue {
    pub(super) fn push(&mut self, document: &StickyBucketDocument, capacity: usize) -> Pushed {
        let turn = self.turns.get(&document.key());
        if let Some(existing) = turn.and_then(|turn| self.waiting.get_mut(turn)) {
            existing.document.assignments.extend(document.assignments.clone());
            return Pushed::Merged;
        }
        let displaced = if self.waiting.len() >= capacity { self.take_first() } else { None };
        let number = self.next_number;
        self.next_number += 1;
        self.unfinished.insert(number);
        self.append(Waiting { document: document.clone(), number, failing_since: None });
        displaced.map_or(Pushed::Queued, |displaced| {
            self.unfinished.remove(&displaced.number);
            Pushed::Displaced(displaced.document)
        })
    }

    /// The next document to write, which is in flight from then on; or when to ask again. After
    /// failures there is a pause, up to the longest.
    pub(super) fn start(
        &mut self,
        now: Instant,
        longest_pause: Duration,
    ) -> Result<StickyBucketDocument, Option<Instant>> {
        let doublings = self.failures.saturating_sub(1).min(10);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(longest_pause);
        let not_before = self.failed_at.and_then(|failed_at| failed_at.checked_add(pause));
        if self.waiting.is_empty() {
            return Err(None);
        }
        if not_before.is_some_and(|not_before| now < not_before) {
            return Err(not_before);
        }
        let next = self.take_first().ok_or(None)?;
        let document = next.document.clone();
        self.in_flight = Some(next);
        Ok(document)
    }

    /// The document in flight was written; whether others had failed before.
    pub(super) fn succeed(&mut self) -> bool {
        if let Some(written) = self.in_flight.take() {
            self.unfinished.remove(&written.number);
        }
        self.failed_at = None;
        std::mem::take(&mut self.failures) > 0
    }

    /// The document in flight could not be written: it goes to the end of the queue, or is lost.
    pub(super) fn fail(&mut self, now: Instant, retry_for: Duration, capacity: usize) -> Failure {
        let is_first = self.failures == 0;
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        let is_lost = self.in_flight.take().is_some_and(|failed| {
            self.retry(failed, now, retry_for, capacity).is_err_and(|lost| {
                self.unfinished.remove(&lost.number);
                true
            })
        });
        Failure { is_first, is_lost }
    }

    /// What waits of this key, with what is in flight below it.
    pub(super) fn get(&self, key: &StickyBucketKey) -> Option<StickyBucketDocument> {
        let waiting = self.turns.get(key).and_then(|turn| self.waiting.get(turn));
        let in_flight = self.in_flight.as_ref().filter(|waiting| waiting.document.key() == *key);
        let mut documents = [in_flight, waiting].into_iter().flatten();
        let mut document = documents.next()?.document.clone();
        for newer in documents {
            document.assignments.extend(newer.document.assignments.clone());
        }
        Some(document)
    }

    pub(super) fn len(&self) -> usize {
        self.unfinished.len()
    }

    /// The number of the next document.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Whether everything with a lower number is written or lost.
    pub(super) fn is_done_until(&self, number: u64) -> bool {
        self.unfinished.first().is_none_or(|first| *first >= number)
    }

    /// Everything that waits or is in flight; nothing is left.
    pub(super) fn take_all(&mut self) -> Vec<StickyBucketDocument> {
        self.turns.clear();
        self.unfinished.clear();
        let waiting = std::mem::take(&mut self.waiting).into_values();
        let all = self.in_flight.take().into_iter().chain(waiting);
        all.map(|waiting| waiting.document).collect()
    }

    fn retry(
        &mut self,
        mut failed: Waiting,
        now: Instant,
        retry_for: Duration,
        capacity: usize,
    ) -> Result<(), Waiting> {
        let since = *failed.failing_since.get_or_insert(now);
        if now.duration_since(since) >= retry_for {
            return Err(failed);
        }
        let turn = self.turns.get(&failed.document.key());
        if let Some(newer) = turn.and_then(|turn| self.waiting.get_mut(turn)) {
            self.unfinished.remove(&newer.number);
            newer.number = failed.number;
            newer.failing_since = failed.failing_since;
            let assignments = std::mem::take(&mut newer.document.assignments);
            newer.document.assignments = failed.document.assignments;
            newer.document.assignments.extend(assignments);
            return Ok(());
        }
        // It is the oldest of a full queue.
        if self.waiting.len() >= capacity {
            return Err(failed);
        }
        self.append(failed);
        Ok(())
    }

    fn append(&mut self, waiting: Waiting) {
        self.turns.insert(waiting.document.key(), self.next_turn);
        self.waiting.insert(self.next_turn, waiting);
        self.next_turn += 1;
    }

    fn take_first(&mut self) -> Option<Waiting> {
        let (_, first) = self.waiting.pop_first()?;
        self.turns.remove(&first.document.key());
        Some(first)
    }
}

/// What a failure means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The attempt before did not fail.
    pub(super) is_first: bool,
    /// The document is not tried again.
    pub(super) is_lost: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{document, key};

    const NO_PAUSE: Duration = Duration::ZERO;

    #[test]
    fn a_document_waits_once_and_keeps_its_turn() {
        let mut queue = Queue::default();
        queue.push(&document("id", "1", &[("a__0", "0")]), 2);
        queue.push(&document("id", "2", &[]), 2);
        let again = document("id", "1", &[("a__0", "1"), ("b__0", "0")]);
        assert!(matches!(queue.push(&again, 2), Pushed::Merged));
        assert_eq!(queue.start(Instant::now(), NO_PAUSE), Ok(again));
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut queue = Queue::default();
        queue.push(&document("id", "1", &[]), 1);
        let pushed = queue.push(&document("id", "2", &[]), 1);
        assert!(matches!(pushed, Pushed::Displaced(oldest) if oldest.key() == key("id", "1")));
        assert!(queue.get(&key("id", "1")).is_none());
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn what_is_in_flight_is_seen_below_what_waits() {
        let mut queue = Queue::default();
        queue.push(&document("id", "1", &[("a__0", "0"), ("b__0", "0")]), 9);
        queue.start(Instant::now(), NO_PAUSE).unwrap();
        assert_eq!(queue.get(&key("id", "1")).unwrap().assignments.len(), 2);
        queue.push(&document("id", "1", &[("b__0", "1")]), 9);
        let expected = document("id", "1", &[("a__0", "0"), ("b__0", "1")]);
        assert_eq!(queue.get(&key("id", "1")).as_ref(), Some(&expected));
        assert_eq!(queue.len(), 2);
        // Failed, it is merged below the newer one.
        queue.fail(Instant::now(), Duration::MAX, 9);
        assert_eq!(queue.get(&key("id", "1")).as_ref(), Some(&expected));
        assert_eq!(queue.len(), 1);
        assert!(!queue.is_done_until(1));
    }

    #[test]
    fn failures_pause_for_longer_and_longer_and_end() {
        let mut queue = Queue::default();
        let start = Instant::now();
        let mut now = start;
        queue.push(&document("id", "1", &[]), 9);
        let retry_for = Duration::from_secs(60);
        let mut pauses = Vec::new();
        loop {
            queue.start(now, LONGEST_PAUSE).unwrap();
            let failure = queue.fail(now, retry_for, 9);
            assert_eq!(failure.is_first, pauses.is_empty());
            if failure.is_lost {
                break;
            }
            let not_before = queue.start(now, LONGEST_PAUSE).unwrap_err().unwrap();
            assert_eq!(queue.start(now, FIRST_PAUSE), Err(Some(now + FIRST_PAUSE)));
            pauses.push((not_before - now).as_millis());
            now = not_before;
        }
        assert_eq!(pauses[..8], [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert!((now - start) >= retry_for && (now - start) < retry_for + LONGEST_PAUSE);
        assert_eq!(queue.len(), 0);
        assert!(queue.succeed());
    }

    #[test]
    fn others_are_tried_before_what_failed_which_is_unfinished_still() {
        let mut queue = Queue::default();
        let now = Instant::now();
        for value in ["1", "2"] {
            queue.push(&document("id", value, &[]), 9);
        }
        queue.start(now, NO_PAUSE).unwrap();
        queue.fail(now, Duration::MAX, 9);
        assert_eq!(queue.start(now, NO_PAUSE).unwrap().key(), key("id", "2"));
        assert!(queue.succeed());
        assert!(!queue.is_done_until(1));
        queue.start(now, NO_PAUSE).unwrap();
        assert!(!queue.succeed());
        assert!(queue.is_done_until(2) && queue.len() == 0);
    }
}
