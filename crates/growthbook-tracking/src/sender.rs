//! The thread that sends the queued events.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::process;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use growthbook_support::{ForkSafeMutex, Level, contain, log};

use crate::ingestor::{Ingestor, Reply};
use crate::options::Limits;
use crate::queue::{Next, Pace, Queue};
use crate::status::{FlushTimedOut, Lost, TrackingStatus};

/// The queue, and the thread that sends its events. The thread starts with the first event.
pub(crate) struct Sender {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    state: ForkSafeMutex<State>,
    /// Notifies the thread of an event or of the end.
    work: Condvar,
    /// Notifies callers after each request.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    status: TrackingStatus,
    /// `None` while there is no client key.
    ingestor: Option<Arc<Ingestor>>,
    thread: Option<SendingThread>,
    /// The number of callers that wait in `flush`.
    flushing: usize,
    is_closing: bool,
    is_closed: bool,
    /// Whether events were lost since the last request that succeeded. The log has the first loss.
    is_losing: bool,
    unreported: Unreported,
}

/// What to report when the lock is free: a logger or a recorder of metrics may call back.
#[derive(Default)]
struct Unreported {
    log: Option<(Level, String)>,
    losses: u64,
}

impl Unreported {
    fn report(self) {
        count_losses(self.losses);
        if let Some((level, text)) = self.log {
            log!(level, "{text}");
        }
    }
}

struct SendingThread {
    process: u32,
    handle: JoinHandle<()>,
}

impl Sender {
    pub(crate) fn new(limits: Limits) -> Self {
        let shared = Shared {
            limits,
            state: ForkSafeMutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
        };
        Sender { shared: Arc::new(shared) }
    }

    /// Sets where events are sent. Only the first call counts.
    pub(crate) fn set_ingestor(&self, ingestor: Ingestor) {
        self.shared.with_state(|state| {
            state.ingestor.get_or_insert_with(|| Arc::new(ingestor));
        });
    }

    /// Whether an event would be queued now. It is asked before an event is built, so that a full
    /// queue costs little.
    pub(crate) fn has_room(&self) -> bool {
        self.shared.with_state(|state| state.has_room(0, &self.shared.limits)).unwrap_or(false)
    }

    /// Queues an event. Never waits for the network.
    pub(crate) fn push(&self, event: Box<str>) {
        self.shared.with_state(|state| {
            if state.has_room(event.len(), &self.shared.limits) {
                state.queue.push(event, Instant::now());
                self.start_thread(state);
                self.shared.work.notify_one();
            }
        });
    }

    pub(crate) fn count_duplicate(&self) {
        self.shared.with_state(|state| state.status.duplicates += 1);
    }

    pub(crate) fn status(&self) -> TrackingStatus {
        let status = self.shared.with_state(|state| TrackingStatus {
            queued: state.queue.len() as u64,
            ..state.status.clone()
        });
        status.unwrap_or_default()
    }

    /// Waits until the events that are queued now have left the queue, at most until `end`.
    pub(crate) fn flush(&self, end: Option<Instant>) -> Result<(), FlushTimedOut> {
        let Ok(mut state) = self.shared.state.lock() else {
            return Err(FlushTimedOut { queued: 0 });
        };
        state.reset_after_fork();
        let number = state.queue.next_number();
        state.flushing += 1;
        self.shared.work.notify_one();
        while !state.queue.is_done_until(number) && end.is_none_or(|end| Instant::now() < end) {
            state = wait(&self.shared.progress, state, end);
        }
        state.flushing -= 1;
        if state.queue.is_done_until(number) {
            Ok(())
        } else {
            Err(FlushTimedOut { queued: state.queue.len() as u64 })
        }
    }

    /// Sends all events, at most until `end`, and ends the thread. A request that is still in
    /// progress then is interrupted.
    pub(crate) fn close(&self, end: Option<Instant>) -> Result<(), FlushTimedOut> {
        self.shared.with_state(|state| state.is_closing = true);
        let flushed = self.flush(end);
        let thread = self.shared.with_state(|state| {
            state.is_closed = true;
            let unsent = state.queue.clear();
            state.lose(Lost::Closed, unsent);
            if let Some(ingestor) = &state.ingestor {
                ingestor.interrupt();
            }
            self.shared.work.notify_all();
            state.thread.take()
        });
        if let Some(thread) = thread.flatten() {
            // The thread contains panics, and the interruption ends its wait.
            let _ = thread.handle.join();
        }
        flushed
    }

    fn start_thread(&self, state: &mut State) {
        let Some(ingestor) = state.ingestor.clone().filter(|_| state.thread.is_none()) else {
            return;
        };
        let shared = self.shared.clone();
        let thread = thread::Builder::new()
            .name("growthbook-tracking".to_owned())
            .spawn(move || shared.send_all(&ingestor));
        match thread {
            Ok(handle) => state.thread = Some(SendingThread { process: process::id(), handle }),
            // The next event tries again.
            Err(error) => {
                let text = format!("tracking events are not sent, no thread can start: {error}");
                state.unreported.log = Some((Level::Warn, text));
            }
        }
    }
}

impl State {
    /// Whether an event of this length can be queued. Counts the loss if it cannot.
    fn has_room(&mut self, bytes: usize, limits: &Limits) -> bool {
        self.reset_after_fork();
        let obstacle = if self.is_closed {
            Lost::Closed
        } else if self.ingestor.is_none() {
            Lost::NoClientKey
        } else if !self.queue.has_room(bytes, limits) {
            Lost::QueueFull
        } else {
            return true;
        };
        self.lose(obstacle, 1);
        false
    }

    fn lose(&mut self, why: Lost, events: usize) {
        self.status.lost.add(why, events);
        self.unreported.losses += events as u64;
        if events > 0 && !std::mem::replace(&mut self.is_losing, true) {
            let text = format!("tracking events are lost: {}", why.reason());
            self.unreported.log = Some((Level::Warn, text));
        }
    }

    /// The child of a fork has a copy of its parent's queue, but not the thread. The parent sends
    /// the queued events, so the child drops its copy.
    fn reset_after_fork(&mut self) {
        if let Some(thread) = self.thread.take_if(|thread| thread.process != process::id()) {
            // The handle belongs to a thread that does not exist here. Dropping it would detach
            // that thread.
            std::mem::forget(thread);
            // The connections belong to the parent.
            let ingestor = self.ingestor.take().map(|ingestor| {
                let own = Arc::new(ingestor.without_connections());
                std::mem::forget(ingestor);
                own
            });
            *self = State { ingestor, is_closed: self.is_closed, ..State::default() };
        }
    }

    fn pace(&self) -> Pace {
        if self.is_closing {
            Pace::Closing
        } else if self.flushing > 0 {
            Pace::Flushing
        } else {
            Pace::Batched
        }
    }
}

impl Shared {
    /// Calls a function with the state, and reports afterwards. `None` in a forked process whose lock
    /// stays held.
    fn with_state<R>(&self, change: impl FnOnce(&mut State) -> R) -> Option<R> {
        let mut state = self.state.lock().ok()?;
        let result = change(&mut state);
        let unreported = std::mem::take(&mut state.unreported);
        drop(state);
        unreported.report();
        Some(result)
    }

    /// Sends batches until the queue is closed.
    fn send_all(&self, ingestor: &Ingestor) {
        while let Some(body) = self.next_batch() {
            let reply = contain(|| ingestor.send(&body))
                .unwrap_or_else(|panicked| Reply::failed(panicked.to_string()));
            self.settle(reply);
            self.progress.notify_all();
        }
    }

    /// Waits for the next batch. `None` when the queue is closed.
    fn next_batch(&self) -> Option<String> {
        let mut state = self.state.lock_in_own_thread();
        while !state.is_closed {
            let pace = state.pace();
            state = match state.queue.next(Instant::now(), pace, &self.limits) {
                Next::Send { body, .. } => return Some(body),
                Next::WaitUntil(start) => wait(&self.work, state, Some(start)),
                Next::WaitForEvent => wait(&self.work, state, None),
            };
        }
        None
    }

    fn settle(&self, reply: Reply) {
        let mut state = self.state.lock_in_own_thread();
        let settled = state.queue.settle(reply.outcome, Instant::now(), jitter(), &self.limits);
        state.status.sent += settled.sent as u64;
        state.status.failed_requests += u64::from(reply.error.is_some());
        if settled.has_turned {
            state.unreported.log = Some(match &reply.error {
                Some(error) => (Level::Warn, format!("tracking events wait: {error}")),
                None => (Level::Info, "tracking events are sent again".to_owned()),
            });
        }
        if reply.error.is_none() {
            state.is_losing = false;
        }
        state.status.last_error = reply.error;
        if let Some((why, events)) = settled.lost {
            state.lose(why, events);
        }
        let unreported = std::mem::take(&mut state.unreported);
        drop(state);
        unreported.report();
    }
}

/// Adds lost events to the program's metrics. A recorder may panic.
#[cfg(feature = "metrics")]
fn count_losses(events: u64) {
    if events > 0 {
        let _ = contain(|| metrics::counter!("growthbook_lost_events_total").increment(events));
    }
}

#[cfg(not(feature = "metrics"))]
fn count_losses(_: u64) {}

/// Returns a number from 0 to 1, which differs between processes and calls.
fn jitter() -> f64 {
    // A seed from the system's entropy, as the standard library uses for its hash maps.
    let random = RandomState::new().hash_one(());
    random as f64 / u64::MAX as f64
}

fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
    until: Option<Instant>,
) -> MutexGuard<'a, State> {
    match until {
        None => condition.wait(state).unwrap_or_else(PoisonError::into_inner),
        Some(until) => {
            let time = until.saturating_duration_since(Instant::now());
            condition.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
        }
    }
}
