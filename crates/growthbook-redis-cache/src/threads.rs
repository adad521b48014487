//! Waiting for threads that are about to end.

use std::process;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use growthbook_support::ForkSafeMutex;

/// The threads of a cache that were asked to end.
#[derive(Default)]
pub(crate) struct EndingThreads(ForkSafeMutex<Vec<EndingThread>>);

struct EndingThread {
    handle: JoinHandle<()>,
    /// The process that the thread runs in.
    process: u32,
}

impl EndingThreads {
    /// Adds a thread of this process that was asked to end.
    pub(crate) fn add(&self, handle: JoinHandle<()>) {
        if let Ok(mut threads) = self.0.lock() {
            threads.push(EndingThread { handle, process: process::id() });
        }
    }

    /// Waits until all threads have ended; false if that takes longer than the limit.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        const PAUSE: Duration = Duration::from_millis(1);
        let start = Instant::now();
        loop {
            let Ok(mut threads) = self.0.lock() else { return false };
            for thread in threads.extract_if(.., |thread| thread.needs_no_waiting()) {
                if thread.handle.is_finished() {
                    // An error means that the thread panicked. The panic was reported already.
                    let _ = thread.handle.join();
                }
            }
            if threads.is_empty() {
                return true;
            }
            drop(threads);
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            thread::sleep(left.min(PAUSE));
        }
    }
}

impl EndingThread {
    /// Whether the thread has ended, is the calling thread, or runs in the parent of this fork.
    fn needs_no_waiting(&self) -> bool {
        self.handle.is_finished()
            || self.process != process::id()
            || self.handle.thread().id() == thread::current().id()
    }
}
