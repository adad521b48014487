//! Waking threads that wait for the network.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends waits on the network from another thread.
///
/// A thread that is about to wait registers a function that wakes it. [`interrupt`](Interrupt::interrupt)
/// calls all of these functions. A wait that was interrupted reports an error, and its connection
/// is not used again.
#[derive(Default)]
pub struct Interrupt {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// No thread may wait any more.
    stopped: bool,
    next: u64,
    wakers: BTreeMap<u64, Box<dyn Fn() + Send>>,
}

impl Interrupt {
    /// Registers a function that wakes a thread, for as long as the result is kept.
    ///
    /// # Errors
    ///
    /// After [`stop`](Interrupt::stop).
    pub fn register(
        self: &Arc<Self>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Registration> {
        let mut state = self.lock();
        if state.stopped {
            return Err(interrupted());
        }
        let id = state.next;
        state.next += 1;
        state.wakers.insert(id, Box::new(wake));
        Ok(Registration { interrupt: self.clone(), id })
    }

    /// Wakes all threads that wait now. Later waits are not affected.
    pub fn interrupt(&self) {
        // The functions hold locks for moments only, and do not wait.
        self.lock().wakers.values().for_each(|wake| wake());
    }

    /// Wakes all threads, and refuses later waits.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.interrupt();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Interrupt").finish_non_exhaustive()
    }
}

/// Ends a registration when dropped.
#[derive(Debug)]
pub struct Registration {
    interrupt: Arc<Interrupt>,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.interrupt.lock().wakers.remove(&self.id);
    }
}

/// Returns the error of an interrupted wait.
pub(crate) fn interrupted() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "interrupted")
}
