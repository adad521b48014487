//! The jobs of a pool and its threads: which thread runs which job, and when a thread ends.
//!
//! Time is an argument, so that tests need no clock.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The time after which an unused connection is closed and its thread ends.
pub(super) const IDLE_TIME: Duration = Duration::from_secs(30);

pub(super) struct Jobs<J> {
    waiting: VecDeque<(J, Instant)>,
    threads: usize,
    idle_threads: usize,
    is_closed: bool,
}

/// What a thread has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<J> {
    /// Run this job until the deadline.
    Run(J, Instant),
    /// Wait for a job, at most for this time, and then ask again.
    Wait(Duration),
    /// End.
    End,
}

impl<J> Jobs<J> {
    /// Adds a job that its caller waits for until the deadline.
    pub(super) fn push(&mut self, job: J, deadline: Instant) {
        self.waiting.push_back((job, deadline));
    }

    /// Returns whether one more job needs one more thread.
    pub(super) fn needs_thread(&self, most_threads: usize) -> bool {
        self.idle_threads <= self.waiting.len() && self.threads < most_threads
    }

    pub(super) fn has_thread(&self) -> bool {
        self.threads > 0
    }

    pub(super) fn thread_started(&mut self) {
        self.threads += 1;
    }

    /// Makes each thread end when it has no job.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Returns what a thread does next that is without a job since `idle_since`. After
    /// [`Next::Wait`] call [`stopped_waiting`](Jobs::stopped_waiting).
    pub(super) fn next(&mut self, now: Instant, idle_since: Instant) -> Next<J> {
        while let Some((job, deadline)) = self.waiting.pop_front() {
            // The caller of an expired job no longer waits for it.
            if now < deadline {
                return Next::Run(job, deadline);
            }
        }
        let left = IDLE_TIME.saturating_sub(now.saturating_duration_since(idle_since));
        if self.is_closed || left.is_zero() {
            self.threads -= 1;
            return Next::End;
        }
        self.idle_threads += 1;
        Next::Wait(left)
    }

    pub(super) fn stopped_waiting(&mut self) {
        self.idle_threads -= 1;
    }
}

impl<J> Default for Jobs<J> {
    fn default() -> Self {
        Jobs { waiting: VecDeque::new(), threads: 0, idle_threads: 0, is_closed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn jobs_run_in_order_with_their_deadlines() {
        let (mut jobs, now) = (Jobs::default(), Instant::now());
        jobs.thread_started();
        jobs.push("first", now + SECOND);
        jobs.push("second", now + 2 * SECOND);
        assert_eq!(jobs.next(now, now), Next::Run("first", now + SECOND));
        assert_eq!(jobs.next(now, now), Next::Run("second", now + 2 * SECOND));
        assert_eq!(jobs.next(now, now), Next::Wait(IDLE_TIME));
    }

    #[test]
    fn expired_jobs_are_skipped() {
        let (mut jobs, now) = (Jobs::default(), Instant::now());
        jobs.thread_started();
        jobs.push("expired", now);
        jobs.push("current", now + SECOND);
        assert_eq!(jobs.next(now, now), Next::Run("current", now + SECOND));
        jobs.push("expired", now);
        assert_eq!(jobs.next(now, now), Next::Wait(IDLE_TIME));
    }

    #[test]
    fn idle_thread_ends_after_its_idle_time() {
        let (mut jobs, start) = (Jobs::<()>::default(), Instant::now());
        jobs.thread_started();
        assert_eq!(jobs.next(start + SECOND, start), Next::Wait(IDLE_TIME - SECOND));
        jobs.stopped_waiting();
        assert_eq!(jobs.next(start + IDLE_TIME, start), Next::End);
        assert!(!jobs.has_thread());
    }

    #[test]
    fn closed_pool_ends_threads_after_their_jobs() {
        let (mut jobs, now) = (Jobs::default(), Instant::now());
        jobs.thread_started();
        jobs.push("last", now + SECOND);
        jobs.close();
        assert_eq!(jobs.next(now, now), Next::Run("last", now + SECOND));
        assert_eq!(jobs.next(now, now), Next::End);
        assert!(!jobs.has_thread());
    }

    #[test]
    fn new_thread_starts_only_when_none_is_idle() {
        let (mut jobs, now) = (Jobs::default(), Instant::now());
        assert!(jobs.needs_thread(2));
        jobs.thread_started();
        // The only thread is busy.
        assert!(jobs.needs_thread(2));
        assert!(!jobs.needs_thread(1));
        assert_eq!(jobs.next(now, now), Next::Wait(IDLE_TIME));
        assert!(!jobs.needs_thread(2));
        // The idle thread will run this job, so that the next job needs another thread.
        jobs.push("first", now + SECOND);
        assert!(jobs.needs_thread(2));
        jobs.stopped_waiting();
        assert_eq!(jobs.next(now, now), Next::Run("first", now + SECOND));
        assert!(jobs.needs_thread(2));
    }
}
