//! A mutex that never blocks forever.
//!
//! The other adapters have a copy: they do not depend on each other.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

/// A mutex whose lock gives up after about 100 ms.
///
/// Each holder here needs it for microseconds only. In the child of a fork it may stay locked
/// forever: a thread of the parent held it, and that thread does not exist in the child.
#[derive(Default)]
pub(crate) struct ForkSafeMutex<T>(Mutex<T>);

impl<T> ForkSafeMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        ForkSafeMutex(Mutex::new(value))
    }

    /// Locks the mutex; `None` if it stays locked.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, T>> {
        // Counts attempts, not time. If the whole process is halted, the holder can run between
        // two attempts.
        const EAGER_ATTEMPTS: u32 = 200;
        const ATTEMPTS: u32 = EAGER_ATTEMPTS + 100;
        const PAUSE: Duration = Duration::from_millis(1);
        for attempt in 0..ATTEMPTS {
            match self.0.try_lock() {
                Ok(guard) => return Some(guard),
                // No holder panics in the middle of a change, so the value is sound.
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if attempt < EAGER_ATTEMPTS => thread::yield_now(),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_gives_up_on_a_held_mutex() {
        let mutex = ForkSafeMutex::new(1);
        let held = mutex.lock().unwrap();
        assert!(mutex.lock().is_none());
        drop(held);
        assert_eq!(*mutex.lock().unwrap(), 1);
    }
}
