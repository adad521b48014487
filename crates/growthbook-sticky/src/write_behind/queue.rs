//! The queued documents, in order, each key once.
//!
//! Time is an argument, so that tests need no clock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey};

/// The pause after the first failure. Each further failure doubles it.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A document that is queued or being written.
#[derive(Debug)]
struct Entry {
    document: StickyBucketDocument,
    /// The number of its first save. If two entries are merged, the lower number stays.
    number: u64,
    /// The time of the first failure to write it.
    failing_since: Option<Instant>,
}

/// The queue, including the document that is being written.
#[derive(Default)]
pub(super) struct Queue {
    /// The queued entries by their position.
    queued: BTreeMap<u64, Entry>,
    positions: HashMap<StickyBucketKey, u64>,
    next_position: u64,
    in_flight: Option<Entry>,
    /// The numbers of all entries that are queued or in flight.
    unfinished: BTreeSet<u64>,
    next_number: u64,
    /// The failed attempts since the last success, and the time of the last one.
    failures: u32,
    failed_at: Option<Instant>,
}

/// The effect of adding a document.
#[derive(Debug)]
pub(super) enum Pushed {
    Queued,
    /// It was merged into the queued document of its key.
    Merged,
    /// It replaced the oldest document.
    Displaced(StickyBucketDocument),
}

impl Queue {
    pub(super) fn push(&mut self, document: &StickyBucketDocument, capacity: usize) -> Pushed {
        if let Some(existing) = self.queued_mut(&document.key()) {
            existing.document.assignments.extend(document.assignments.clone());
            return Pushed::Merged;
        }
        let displaced = if self.queued.len() >= capacity { self.take_first() } else { None };
        let number = self.next_number;
        self.next_number += 1;
        self.unfinished.insert(number);
        self.append(Entry { document: document.clone(), number, failing_since: None });
        displaced.map_or(Pushed::Queued, |displaced| {
            self.unfinished.remove(&displaced.number);
            Pushed::Displaced(displaced.document)
        })
    }

    /// Returns the next document to write, which is then in flight. Otherwise returns when to try
    /// again: at the end of the pause after a failure, or `None` if the queue is empty.
    pub(super) fn start(
        &mut self,
        now: Instant,
        longest_pause: Duration,
    ) -> Result<StickyBucketDocument, Option<Instant>> {
        let doublings = self.failures.saturating_sub(1).min(10);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(longest_pause);
        let not_before = self.failed_at.and_then(|failed_at| failed_at.checked_add(pause));
        if self.queued.is_empty() {
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

    /// Records that the document in flight was written. Returns whether attempts had failed before.
    pub(super) fn succeed(&mut self) -> bool {
        if let Some(written) = self.in_flight.take() {
            self.unfinished.remove(&written.number);
        }
        self.failed_at = None;
        std::mem::take(&mut self.failures) > 0
    }

    /// Records that the document in flight could not be written. It goes to the end of the queue, or is
    /// lost.
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

    /// Returns the document of this key: the one in flight, with the queued one merged into it.
    pub(super) fn get(&self, key: &StickyBucketKey) -> Option<StickyBucketDocument> {
        let queued = self.positions.get(key).and_then(|position| self.queued.get(position));
        let in_flight = self.in_flight.as_ref().filter(|entry| entry.document.key() == *key);
        let mut documents = [in_flight, queued].into_iter().flatten();
        let mut document = documents.next()?.document.clone();
        for newer in documents {
            document.assignments.extend(newer.document.assignments.clone());
        }
        Some(document)
    }

    pub(super) fn len(&self) -> usize {
        self.unfinished.len()
    }

    /// Returns the number of the next document.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Returns whether all documents with a lower number are written or lost.
    pub(super) fn is_done_until(&self, number: u64) -> bool {
        self.unfinished.first().is_none_or(|first| *first >= number)
    }

    /// Removes and returns all documents that are queued or in flight.
    pub(super) fn take_all(&mut self) -> Vec<StickyBucketDocument> {
        self.positions.clear();
        self.unfinished.clear();
        let queued = std::mem::take(&mut self.queued).into_values();
        let all = self.in_flight.take().into_iter().chain(queued);
        all.map(|entry| entry.document).collect()
    }

    /// Queues a failed entry again. Returns it if it has to be given up.
    fn retry(
        &mut self,
        mut failed: Entry,
        now: Instant,
        retry_for: Duration,
        capacity: usize,
    ) -> Result<(), Entry> {
        let since = *failed.failing_since.get_or_insert(now);
        if now.duration_since(since) >= retry_for {
            return Err(failed);
        }
        if let Some(newer) = self.queued_mut(&failed.document.key()) {
            let merged_number = std::mem::replace(&mut newer.number, failed.number);
            newer.failing_since = failed.failing_since;
            let assignments = std::mem::take(&mut newer.document.assignments);
            newer.document.assignments = failed.document.assignments;
            newer.document.assignments.extend(assignments);
            self.unfinished.remove(&merged_number);
            return Ok(());
        }
        // The queue is full, and the failed document is its oldest.
        if self.queued.len() >= capacity {
            return Err(failed);
        }
        self.append(failed);
        Ok(())
    }

    fn queued_mut(&mut self, key: &StickyBucketKey) -> Option<&mut Entry> {
        self.queued.get_mut(self.positions.get(key)?)
    }

    fn append(&mut self, entry: Entry) {
        self.positions.insert(entry.document.key(), self.next_position);
        self.queued.insert(self.next_position, entry);
        self.next_position += 1;
    }

    fn take_first(&mut self) -> Option<Entry> {
        let (_, first) = self.queued.pop_first()?;
        self.positions.remove(&first.document.key());
        Some(first)
    }
}

/// The effect of a failed write.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// It is the first failure after a success.
    pub(super) is_first: bool,
    /// The document is given up.
    pub(super) is_lost: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_documents::{document, key};

    const NO_PAUSE: Duration = Duration::ZERO;

    #[test]
    fn second_save_merges_into_the_queued_document() {
        let mut queue = Queue::default();
        queue.push(&document("id", "1", &[("a__0", "0")]), 2);
        queue.push(&document("id", "2", &[]), 2);
        let again = document("id", "1", &[("a__0", "1"), ("b__0", "0")]);
        assert!(matches!(queue.push(&again, 2), Pushed::Merged));
        assert_eq!(queue.start(Instant::now(), NO_PAUSE), Ok(again));
    }

    #[test]
    fn full_queue_loses_its_oldest_document() {
        let mut queue = Queue::default();
        queue.push(&document("id", "1", &[]), 1);
        let pushed = queue.push(&document("id", "2", &[]), 1);
        assert!(matches!(pushed, Pushed::Displaced(oldest) if oldest.key() == key("id", "1")));
        assert!(queue.get(&key("id", "1")).is_none());
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn queued_assignments_override_those_in_flight() {
        let mut queue = Queue::default();
        queue.push(&document("id", "1", &[("a__0", "0"), ("b__0", "0")]), 9);
        queue.start(Instant::now(), NO_PAUSE).unwrap();
        assert_eq!(queue.get(&key("id", "1")).unwrap().assignments.len(), 2);
        queue.push(&document("id", "1", &[("b__0", "1")]), 9);
        let expected = document("id", "1", &[("a__0", "0"), ("b__0", "1")]);
        assert_eq!(queue.get(&key("id", "1")).as_ref(), Some(&expected));
        assert_eq!(queue.len(), 2);
        // After the failure the queued document is merged into the failed one.
        queue.fail(Instant::now(), Duration::MAX, 9);
        assert_eq!(queue.get(&key("id", "1")).as_ref(), Some(&expected));
        assert_eq!(queue.len(), 1);
        assert!(!queue.is_done_until(1));
    }

    #[test]
    fn pauses_grow_until_the_document_is_given_up() {
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
    fn failed_document_goes_to_the_end_of_the_queue() {
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
