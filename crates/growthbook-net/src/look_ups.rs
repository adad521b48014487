//! Limits for look-ups of names that hang.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// The most look-ups of one agent that have not ended. Each has a thread. Further ones fail, until one
/// of these ends.
pub(crate) const MAX_LOOK_UPS: usize = 4;

/// The same for all agents of a process. A program with many client keys has many agents.
const MAX_LOOK_UPS_OF_PROCESS: usize = 128;

/// The look-ups of all agents.
static ALL: ProcessLookUps = ProcessLookUps::new();

/// The number of look-ups of an agent that have not ended.
#[derive(Debug, Default)]
pub(crate) struct LookUps(AtomicUsize);

impl LookUps {
    /// Counts a look-up until the returned value is dropped. `None` if too many have not ended.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<LookUp> {
        let of_process = ALL.begin(process::id())?;
        add(&self.0, MAX_LOOK_UPS)?;
        Some(LookUp { look_ups: self.clone(), _of_process: of_process })
    }

    /// Returns the number of look-ups that have not ended.
    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A look-up that has not ended.
pub(crate) struct LookUp {
    look_ups: Arc<LookUps>,
    _of_process: ProcessLookUp<'static>,
}

impl Drop for LookUp {
    fn drop(&mut self) {
        self.look_ups.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of look-ups of a process. The child of a fork inherits the number, but not the threads.
/// So it counts from zero.
struct ProcessLookUps {
    process: AtomicU32,
    running: AtomicUsize,
}

impl ProcessLookUps {
    const fn new() -> Self {
        ProcessLookUps { process: AtomicU32::new(0), running: AtomicUsize::new(0) }
    }

    fn begin(&self, process: u32) -> Option<ProcessLookUp<'_>> {
        if self.process.swap(process, Ordering::Relaxed) != process {
            self.running.store(0, Ordering::Relaxed);
        }
        add(&self.running, MAX_LOOK_UPS_OF_PROCESS)?;
        Some(ProcessLookUp(self))
    }
}

/// A look-up in the count of the process.
struct ProcessLookUp<'a>(&'a ProcessLookUps);

impl Drop for ProcessLookUp<'_> {
    fn drop(&mut self) {
        // The count may have begun again meanwhile, so it may be zero.
        let subtract = |count: usize| Some(count.saturating_sub(1));
        let _ = self.0.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, subtract);
    }
}

/// Adds one, unless that exceeds the limit.
fn add(count: &AtomicUsize, most: usize) -> Option<usize> {
    let add = |count: usize| (count < most).then_some(count + 1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_ups_of_a_process_are_limited() {
        let all = ProcessLookUps::new();
        let running: Vec<_> = (0..MAX_LOOK_UPS_OF_PROCESS).map(|_| all.begin(1)).collect();
        assert!(running.iter().all(Option::is_some));
        assert!(all.begin(1).is_none());
        // The look-ups of a parent process do not run in its child.
        core::mem::forget(running);
        let in_child = all.begin(2);
        assert!(in_child.is_some());
        drop(in_child);
        assert_eq!(all.running.load(Ordering::Relaxed), 0);
    }
}
