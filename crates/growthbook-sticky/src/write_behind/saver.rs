//! The thread that writes the queued documents to the store.

use std::{
    io, process,
    sync::{Arc, Condvar, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};

use super::{
    counters::WriteBehindCounters,
    options::WriteBehindOptions,
    problem::{FlushTimedOut, WriteProblem},
    queue::{FIRST_PAUSE, LONGEST_PAUSE, Pushed, Queue},
};
use growthbook_support::{ForkSafeMutex, Level, contain, source_text};

/// The queue, the store, and the thread that writes from one to the other.
pub(super) struct Saver<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    store: S,
    options: WriteBehindOptions,
    state: ForkSafeMutex<State>,
    /// Notifies the thread of a document or of the end.
    work: Condvar,
    /// Notifies callers after each attempt to write.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    counters: WriteBehindCounters,
    writer: Option<Writer>,
    /// The number of callers that wait in `flush`.
    flushing: usize,
    is_closed: bool,
    is_full: bool,
}

/// The writing thread.
struct Writer {
    process: u32,
    thread: JoinHandle<()>,
    has_ended: bool,
}

impl<S: StickyBucketStore + 'static> Saver<S> {
    pub(super) fn new(store: S, options: WriteBehindOptions) -> Self {
        let shared = Shared {
            store,
            options,
            state: ForkSafeMutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
        };
        Saver { shared: Arc::new(shared) }
    }

    pub(super) fn store(&self) -> &S {
        &self.shared.store
    }

    pub(super) fn get_all(
        &self,
        keys: &[StickyBucketKey],
    ) -> Result<StickyBuckets, StickyBucketStoreError> {
        // Reads the queue before the store. A document that is written in between is then in both,
        // and cannot be missed.
        let queued: Vec<StickyBucketDocument> = {
            let state = self.shared.state.lock().map_err(StickyBucketStoreError::new)?;
            keys.iter().filter_map(|key| state.queue.get(key)).collect()
        };
        let loaded = contain(|| self.shared.store.get_all(keys));
        let mut buckets =
            match loaded.unwrap_or_else(|panicked| Err(StickyBucketStoreError::new(panicked))) {
                Ok(buckets) => buckets,
                // A saved document has all assignments of its key, so nothing is missing.
                Err(_) if !queued.is_empty() && queued.len() == keys.len() => StickyBuckets::new(),
                Err(error) => return Err(error),
            };
        buckets.merge(queued);
        Ok(buckets)
    }

    pub(super) fn save(
        &self,
        document: &StickyBucketDocument,
    ) -> Result<(), StickyBucketStoreError> {
        let mut state = self.shared.state.lock().map_err(StickyBucketStoreError::new)?;
        if state.is_closed {
            drop(state);
            return self.shared.save(document);
        }
        match self.start_thread(&mut state) {
            Ok(()) => {}
            // The target has no threads.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                drop(state);
                return self.shared.save(document);
            }
            Err(error) => return Err(StickyBucketStoreError::new(error)),
        }
        let displaced = match state.queue.push(document, self.shared.options.capacity.get()) {
            Pushed::Queued => None,
            Pushed::Merged => {
                state.counters.merged += 1;
                None
            }
            Pushed::Displaced(displaced) => {
                state.counters.lost += 1;
                Some((displaced, std::mem::replace(&mut state.is_full, true)))
            }
        };
        drop(state);
        self.shared.work.notify_one();
        if let Some((displaced, was_full)) = displaced {
            if !was_full {
                growthbook_support::log!(
                    Level::Warn,
                    "the queue of sticky bucket documents is full: the oldest documents are lost",
                );
            }
            self.shared.report(WriteProblem::QueueFull { document: &displaced });
        }
        Ok(())
    }

    pub(super) fn flush(&self, end: Option<Instant>) -> Result<(), FlushTimedOut> {
        let Ok(mut state) = self.shared.state.lock() else {
            return Err(FlushTimedOut { queued: 0 });
        };
        self.shared.reset_after_fork(&mut state);
        let number = state.queue.next_number();
        if !state.is_in_writing_thread() {
            state.flushing += 1;
            self.shared.work.notify_one();
            state = self.shared.wait_while(state, end, |state| !state.queue.is_done_until(number));
            state.flushing -= 1;
        }
        if state.queue.is_done_until(number) {
            Ok(())
        } else {
            Err(FlushTimedOut { queued: state.queue.len() as u64 })
        }
    }

    pub(super) fn close(&self, end: Option<Instant>) -> Result<(), FlushTimedOut> {
        let flushed = self.flush(end);
        let Ok(mut state) = self.shared.state.lock() else { return flushed };
        state.is_closed = true;
        let lost = state.queue.take_all();
        state.counters.lost += lost.len() as u64;
        self.shared.work.notify_all();
        if !state.is_in_writing_thread() {
            let is_running = |writer: &Writer| !writer.has_ended;
            state = self
                .shared
                .wait_while(state, end, |state| state.writer.as_ref().is_some_and(is_running));
        }
        let ended = state.writer.take_if(|writer| writer.has_ended);
        drop(state);
        if let Some(writer) = ended {
            // The thread catches panics and is at its end, so this neither fails nor waits.
            let _ = writer.thread.join();
        }
        if !lost.is_empty() {
            let lost = lost.len();
            growthbook_support::log!(
                Level::Warn,
                "{lost} sticky bucket documents are lost at closing"
            );
        }
        for document in &lost {
            self.shared.report(WriteProblem::Closed { document });
        }
        flushed
    }

    pub(super) fn counters(&self) -> WriteBehindCounters {
        let Ok(state) = self.shared.state.lock() else { return WriteBehindCounters::default() };
        WriteBehindCounters { queued: state.queue.len() as u64, ..state.counters }
    }

    fn start_thread(&self, state: &mut State) -> io::Result<()> {
        self.shared.reset_after_fork(state);
        if state.writer.is_some() {
            return Ok(());
        }
        let shared = self.shared.clone();
        let thread = thread::Builder::new()
            .name("growthbook-sticky".to_owned())
            .spawn(move || shared.write())?;
        state.writer = Some(Writer { process: process::id(), thread, has_ended: false });
        Ok(())
    }
}

impl State {
    /// Returns whether this is the writing thread, which runs callbacks. It cannot wait for itself.
    fn is_in_writing_thread(&self) -> bool {
        let writer = self.writer.as_ref();
        writer.is_some_and(|writer| writer.thread.thread().id() == thread::current().id())
    }
}

impl<S: StickyBucketStore + 'static> Shared<S> {
    /// The child of a fork has a copy of its parent's queue, but not the thread. The parent writes the
    /// queued documents, so the child drops its copy.
    fn reset_after_fork(&self, state: &mut State) {
        if let Some(writer) = state.writer.take_if(|writer| writer.process != process::id()) {
            // The handle belongs to a thread that does not exist here. Dropping it would detach that
            // thread.
            std::mem::forget(writer);
            *state = State { is_closed: state.is_closed, ..State::default() };
        }
    }

    /// Saves in the store. A panic of it is an error.
    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        contain(|| self.store.save(document))
            .unwrap_or_else(|panicked| Err(StickyBucketStoreError::new(panicked)))
    }

    /// Writes documents until the queue is closed.
    fn write(&self) {
        while let Some(document) = self.next() {
            match self.save(&document) {
                Ok(()) => self.succeeded(),
                Err(error) => self.failed(&document, &error),
            }
            self.progress.notify_all();
        }
        if let Some(writer) = &mut self.state.lock_in_own_thread().writer {
            writer.has_ended = true;
        }
        self.progress.notify_all();
    }

    /// Waits for a document. Returns `None` when the queue is closed.
    fn next(&self) -> Option<StickyBucketDocument> {
        let mut state = self.state.lock_in_own_thread();
        while !state.is_closed {
            let longest_pause = if state.flushing > 0 { FIRST_PAUSE } else { LONGEST_PAUSE };
            state = match state.queue.start(Instant::now(), longest_pause) {
                Ok(document) => return Some(document),
                Err(Some(not_before)) => wait(&self.work, state, Some(not_before)),
                Err(None) => {
                    state.is_full = false;
                    wait(&self.work, state, None)
                }
            };
        }
        None
    }

    fn succeeded(&self) {
        let mut state = self.state.lock_in_own_thread();
        state.counters.saved += 1;
        let recovered = state.queue.succeed();
        drop(state);
        if recovered {
            growthbook_support::log!(Level::Info, "sticky bucket documents are saved again");
        }
    }

    fn failed(&self, document: &StickyBucketDocument, error: &StickyBucketStoreError) {
        let mut state = self.state.lock_in_own_thread();
        let (retry_for, capacity) = (self.options.retry_for, self.options.capacity.get());
        // After `close` no document is in flight: it was counted as lost there.
        let failure = state.queue.fail(Instant::now(), retry_for, capacity);
        state.counters.failed += 1;
        state.counters.lost += u64::from(failure.is_lost);
        drop(state);
        if failure.is_first {
            // The text is the store's own code as well.
            let cause = contain(|| source_text(error));
            let cause = cause.unwrap_or_else(|panicked| panicked.to_string());
            growthbook_support::log!(Level::Warn, "sticky bucket documents are not saved: {cause}");
        }
        self.report(if failure.is_lost {
            WriteProblem::GaveUp { document, error }
        } else {
            WriteProblem::Failed { document, error }
        });
    }

    /// Calls the callback without holding the lock. A panic of the callback is ignored.
    fn report(&self, problem: WriteProblem<'_>) {
        if let Some(on_problem) = &self.options.on_problem {
            let _ = contain(|| on_problem(problem));
        }
    }

    fn wait_while<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        end: Option<Instant>,
        is_pending: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        while is_pending(&state) && end.is_none_or(|end| Instant::now() < end) {
            state = wait(&self.progress, state, end);
        }
        state
    }
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
