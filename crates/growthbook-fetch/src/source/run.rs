//! The source as a task of the pool: a run does one thing that the schedule says.

use std::io;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use super::health::Note;
use super::stream::Following;
use super::{Source, State};
use crate::error::FetchErrorKind;
use crate::pool::{Next, Removed, Task, TaskId};
use crate::schedule::{Action, FetchOutcome, Prospect, StreamEnd, Time};

impl Task for Source {
    fn run(&self) -> Next {
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let acted = contain(|| self.act(&mut following));
        let next = acted.unwrap_or_else(|_| {
            following.close();
            self.recover();
            Next::Now
        });
        if self.is_stopped() {
            self.end_following(&mut following);
        }
        self.publish_metrics();
        next
    }
}

impl Source {
    /// Makes the pool act for the source, if there is something to do.
    pub(super) fn start(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        match state.task {
            Some(task) => self.pool.wake(task),
            None if state.schedule.is_active() => state.task = Some(self.pool.add(self.clone())?),
            None => {}
        }
        Ok(())
    }

    /// Lets the pool act for a schedule that has changed.
    pub(super) fn wake(&self) {
        let task = self.lock().task;
        if let Some(task) = task {
            self.pool.wake(task);
        }
    }

    /// Waits for the end of the last run; false if that takes longer.
    pub(super) fn stop(&self, task: TaskId, limit: Duration) -> bool {
        let removed = self.pool.remove(task, limit);
        let following = match self.following.try_lock() {
            Ok(following) => Some(following),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            // The current run has it, and ends the stream.
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut following) = following {
            self.end_following(&mut following);
            self.publish_metrics();
        }
        removed != Removed::TimedOut
    }

    /// Does one thing that is due, and returns when there is more to do.
    fn act(&self, following: &mut Following) -> Next {
        let mut state = self.lock();
        if state.stopped || !state.schedule.is_active() {
            // Under the same lock, so that a client that joins next adds the source again.
            state.task = None;
            drop(state);
            self.end_following(following);
            return Next::Never;
        }
        let wants_stream = state.schedule.wants_stream();
        let action = state.schedule.next(self.now());
        drop(state);
        match action {
            _ if !wants_stream && following.is_open() => self.end_following(following),
            Action::Fetch => self.fetch_with_lease(),
            Action::Connect => self.open_stream(following),
            Action::Wait(due) => return self.read_stream(following, due),
        }
        Next::Now
    }

    /// Returns a time of the schedule as one of the clock. `None` if the clock cannot express it.
    pub(super) fn instant(&self, time: Time) -> Option<Instant> {
        self.origin.checked_add(time)
    }

    /// A client's sink or this crate panicked. It is retried later, like after other failures.
    fn recover(&self) {
        let mut state = self.lock();
        let now = self.now();
        let error = FetchErrorKind::Panicked.into();
        state.schedule.stream_ended(now, StreamEnd::Failed, None);
        state
            .schedule
            .fetched(now, FetchOutcome::Failure { prospect: Prospect::Good, retry_after: None });
        let notes = [state.health.failed(&error), state.health.stream_broke(&error)];
        let members = state.members();
        drop(state);
        notes.into_iter().for_each(Note::log);
        members.iter().for_each(|member| member.failed(&error));
        self.notify_of_failure(&error);
    }
}
