//! The thread that does what the schedule says.

use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use super::health::Note;
use super::{Source, State};
use crate::error::FetchErrorKind;
use crate::schedule::{Action, FetchOutcome, Prospect, StreamEnd};
use crate::sse::EventParser;

/// The thread of a source.
pub(super) struct Worker {
    id: ThreadId,
    handle: JoinHandle<()>,
    /// Cleared by the thread itself, when it no longer uses the source.
    is_running: bool,
}

impl Source {
    /// Starts the thread, unless it runs or has nothing to do.
    pub(super) fn start_worker(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let is_running = state.worker.as_ref().is_some_and(|worker| worker.is_running);
        if is_running || !state.schedule.is_active() {
            return Ok(());
        }
        let source = self.clone();
        let handle =
            thread::Builder::new().name("growthbook-fetch".into()).spawn(move || source.work())?;
        let id = handle.thread().id();
        state.worker = Some(Worker { id, handle, is_running: true });
        Ok(())
    }

    /// Waits for the thread to end; false if it does not end in time.
    pub(super) fn wait_for_worker(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            match &state.worker {
                None => return true,
                // A callback dropped the last handle, on the worker itself.
                Some(worker) if worker.id == thread::current().id() => return true,
                Some(worker) if !worker.is_running => break,
                Some(_) => {}
            }
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            state = self.wait(state, Some(left));
        }
        let worker = state.worker.take();
        drop(state);
        if let Some(worker) = worker {
            // The thread ends. An error means that it panicked, and the panic was printed.
            let _ = worker.handle.join();
        }
        true
    }

    fn work(self: Arc<Self>) {
        let source = Running(self);
        // A panic reaches this loop only if another one follows while the first is counted.
        while contain(|| source.0.act_until_stopped()).is_err() {
            source.0.pause_after_panic();
        }
    }

    /// Does what the schedule says, until there will be nothing more to do.
    fn act_until_stopped(&self) {
        // Keeps the last event's id from stream to stream.
        let mut parser = EventParser::new(self.lock().limits.max_event_bytes());
        while let Some(action) = self.next_action() {
            let acted = contain(|| match action {
                Action::Fetch => self.fetch_with_lease(),
                Action::Connect => self.follow_stream(&mut parser),
                Action::Wait(_) => {}
            });
            if acted.is_err() {
                self.recover();
            }
            self.publish_metrics();
        }
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

    /// Waits until the worker may begin anew, or the source stops.
    fn pause_after_panic(&self) {
        const PAUSE: Duration = Duration::from_secs(1);
        let start = Instant::now();
        let mut state = self.lock();
        while !state.stopped {
            let left = PAUSE.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            state = self.wait(state, Some(left));
        }
    }

    /// Waits for the next action; `None` if there will not be one.
    fn next_action(&self) -> Option<Action> {
        let mut state = self.lock();
        loop {
            if state.stopped || !state.schedule.is_active() {
                // Under the same lock, so that a client that joins next starts another thread.
                state.worker_ends();
                return None;
            }
            let now = self.now();
            match state.schedule.next(now) {
                Action::Wait(until) => {
                    let limit = until.map(|until| until.saturating_sub(now));
                    state = self.wait(state, limit);
                }
                action => return Some(action),
            }
        }
    }
}

impl State {
    fn worker_ends(&mut self) {
        let id = thread::current().id();
        if let Some(worker) = self.worker.as_mut().filter(|worker| worker.id == id) {
            worker.is_running = false;
        }
    }
}

/// Notes the end of the thread when dropped, even after a panic.
struct Running(Arc<Source>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().worker_ends();
        self.0.changed.notify_all();
    }
}
