//! When a file that failed is opened again.
//!
//! Time is an argument, so that tests need no clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The pause after the first failure. Each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this time without a failure, the next one counts as the first.
const CALM: Duration = Duration::from_secs(30);

/// An open file, or the time at which it may be opened again.
pub(super) struct Slot<F> {
    state: State<F>,
    failures: u32,
    failed_at: Option<Instant>,
}

enum State<F> {
    Open(Arc<F>),
    /// A thread is opening the file.
    Opening,
    Failed,
}

/// What a caller that needs the file has to do.
pub(super) enum Next<F> {
    Use(Arc<F>),
    /// Open the file, and then call [`opened`](Slot::opened) or [`not_opened`](Slot::not_opened).
    Open,
    /// Do nothing: the file failed a moment ago, or another thread is opening it.
    Pause,
}

impl<F> Slot<F> {
    pub(super) fn new(file: F) -> Self {
        Slot { state: State::Open(Arc::new(file)), failures: 0, failed_at: None }
    }

    pub(super) fn next(&mut self, now: Instant) -> Next<F> {
        match &self.state {
            State::Open(file) => Next::Use(file.clone()),
            State::Failed if self.is_pause_over(now) => {
                self.state = State::Opening;
                Next::Open
            }
            State::Opening | State::Failed => Next::Pause,
        }
    }

    pub(super) fn opened(&mut self, file: F) -> Arc<F> {
        let file = Arc::new(file);
        self.state = State::Open(file.clone());
        file
    }

    /// Notes that the file could not be opened.
    pub(super) fn not_opened(&mut self, now: Instant) {
        self.state = State::Failed;
        self.note_failure(now);
    }

    /// Notes that a use of this file failed. Returns the file if this is the first report of it.
    pub(super) fn failed(&mut self, file: &Arc<F>, now: Instant) -> Option<Arc<F>> {
        match &self.state {
            State::Open(current) if Arc::ptr_eq(current, file) => {
                self.note_failure(now);
                match std::mem::replace(&mut self.state, State::Failed) {
                    State::Open(file) => Some(file),
                    State::Opening | State::Failed => None,
                }
            }
            _ => None,
        }
    }

    fn note_failure(&mut self, now: Instant) {
        let is_calm = |failed_at| now.saturating_duration_since(failed_at) >= CALM;
        if self.failed_at.is_none_or(is_calm) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
    }

    fn is_pause_over(&self, now: Instant) -> bool {
        let doublings = self.failures.saturating_sub(1).min(10);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        self.failed_at.is_none_or(|failed_at| now.saturating_duration_since(failed_at) >= pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn file(next: Next<u8>) -> Option<Arc<u8>> {
        match next {
            Next::Use(file) => Some(file),
            Next::Open | Next::Pause => None,
        }
    }

    #[test]
    fn pauses_double_up_to_five_seconds() {
        let mut now = Instant::now();
        let mut slot = Slot::new(0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let file = file(slot.next(now)).unwrap();
            assert!(slot.failed(&file, now).is_some());
            let start = now;
            while !matches!(slot.next(now), Next::Open) {
                now += 10 * MILLISECOND;
            }
            pauses.push((now - start).as_millis());
            slot.opened(0);
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        now += CALM;
        let file = file(slot.next(now)).unwrap();
        slot.failed(&file, now);
        assert!(matches!(slot.next(now + FIRST_PAUSE), Next::Open));
    }

    #[test]
    fn one_thread_opens_the_file() {
        let now = Instant::now();
        let mut slot = Slot::new(0);
        let old = file(slot.next(now)).unwrap();
        slot.failed(&old, now);
        assert!(matches!(slot.next(now), Next::Pause));
        let now = now + FIRST_PAUSE;
        assert!(matches!(slot.next(now), Next::Open));
        assert!(matches!(slot.next(now), Next::Pause));
        slot.not_opened(now);
        assert!(matches!(slot.next(now + FIRST_PAUSE), Next::Pause));
        assert!(matches!(slot.next(now + 2 * FIRST_PAUSE), Next::Open));
        slot.opened(1);
        // A late report about the old file does not concern the new one.
        assert!(slot.failed(&old, now).is_none());
        assert_eq!(file(slot.next(now)).as_deref(), Some(&1));
    }
}
