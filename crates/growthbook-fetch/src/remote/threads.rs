//! The threads of remote evaluation: a bounded number of workers, and one that follows the stream.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use super::source::{RemoteSource, State};

/// The threads that run.
#[derive(Default)]
pub(super) struct Threads {
    running: HashMap<ThreadId, Running>,
    pub(super) workers: usize,
    /// The workers that wait for a request.
    pub(super) idle_workers: usize,
    pub(super) follows_stream: bool,
}

struct Running {
    handle: JoinHandle<()>,
    /// Set by the thread itself, when it no longer uses the source.
    has_ended: bool,
}

impl RemoteSource {
    /// Starts a worker for one more request, unless an idle one will take it or there are enough.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread, and there is no worker.
    pub(super) fn provide_worker(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let threads = &state.threads;
        if threads.idle_workers > state.flights.waiting() || threads.workers >= self.max_workers {
            return Ok(());
        }
        match self.start(state, "growthbook-remote", Self::work) {
            Ok(()) => state.threads.workers += 1,
            Err(error) if state.threads.workers == 0 => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Starts the thread that follows the stream, unless it runs.
    pub(super) fn provide_follower(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        if !state.threads.follows_stream {
            self.start(state, "growthbook-notices", Self::follow_changes)?;
            state.threads.follows_stream = true;
        }
        Ok(())
    }

    fn start(
        self: &Arc<Self>,
        state: &mut State,
        name: &str,
        run: fn(&Arc<Self>),
    ) -> io::Result<()> {
        let source = self.clone();
        let handle = thread::Builder::new().name(name.into()).spawn(move || {
            let _ = contain(|| run(&source));
            source.thread_ends();
        })?;
        state.threads.running.insert(handle.thread().id(), Running { handle, has_ended: false });
        Ok(())
    }

    fn thread_ends(&self) {
        let id = thread::current().id();
        let mut state = self.lock();
        if state.is_stopped {
            if let Some(thread) = state.threads.running.get_mut(&id) {
                thread.has_ended = true;
            }
        } else {
            state.threads.running.remove(&id);
        }
        drop(state);
        self.thread_ended.notify_all();
    }

    /// Waits for all threads to end, after [`stop`](Self::stop); false if that takes longer. A thread
    /// that closes the client in a callback does not wait for itself.
    pub(super) fn wait_for_threads(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let own = thread::current().id();
        let mut state = self.lock();
        while state.threads.running.iter().any(|(id, thread)| *id != own && !thread.has_ended) {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            let waited = self.thread_ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let ended: Vec<_> = state.threads.running.extract_if(|id, _| *id != own).collect();
        drop(state);
        for (_, thread) in ended {
            // Its panics were contained.
            let _ = thread.handle.join();
        }
        true
    }
}
