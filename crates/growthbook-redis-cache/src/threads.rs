//! Threads that were told to end.

use std::process;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::lock::lock_patiently;

/// Threads that were told to end, and for which somebody may wait.
#[derive(Default)]
pub(crate) struct Ending {
    threads: Mutex<Vec<Told>>,
}

struct Told {
    thread: JoinHandle<()>,
    process: u32,
}

impl Ending {
    /// This thread was told to end, by the process that started it.
    pub(crate) fn add(&self, thread: JoinHandle<()>) {
        if let Some(mut threads) = lock_patiently(&self.threads) {
            threads.push(Told { thread, process: process::id() });
        }
    }

    /// Waits until all of them have ended: false when that takes longer than this.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        const PAUSE: Duration = Duration::from_millis(1);
        let start = Instant::now();
        loop {
            let Some(mut threads) = lock_patiently(&self.threads) else { return false };
            for told in threads.extract_if(.., |told| told.needs_no_waiting()) {
                if told.thread.is_finished() {
                    // An error means that it panicked, and has said so.
                    let _ = told.thread.join();
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

impl Told {
    /// It has ended; or it is not in this child of a fork; or it is the one that asks.
    fn needs_no_waiting(&self) -> bool {
        self.thread.is_finished()
            || self.process != process::id()
            || self.thread.thread().id() == thread::current().id()
    }
}
