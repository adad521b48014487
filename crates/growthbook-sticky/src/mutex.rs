//! A mutex that never blocks forever.
//!
//! The other adapters have a copy: they do not depend on each other.

use std::{
    error::Error,
    fmt,
    sync::{Mutex, MutexGuard, TryLockError},
    thread,
    time::Duration,
};

/// A mutex whose lock gives up after about 100 ms.
///
/// Each holder here needs it for microseconds only. In the child of a fork it may stay locked
/// forever: a thread of the parent held it, and that thread does not exist in the child.
#[derive(Default)]
pub(crate) struct ForkSafeMutex<T>(Mutex<T>);

impl<T> ForkSafeMutex<T> {
    #[cfg(any(feature = "memory", feature = "redis"))]
    pub(crate) fn new(value: T) -> Self {
        ForkSafeMutex(Mutex::new(value))
    }

    /// Locks the mutex.
    ///
    /// # Errors
    ///
    /// When it stays locked.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, T>, StaysLocked> {
        // Counts attempts, not time. If the whole process is halted, the holder can run between
        // two attempts.
        const EAGER_ATTEMPTS: u32 = 200;
        const ATTEMPTS: u32 = EAGER_ATTEMPTS + 100;
        const PAUSE: Duration = Duration::from_millis(1);
        for attempt in 0..ATTEMPTS {
            match self.0.try_lock() {
                Ok(guard) => return Ok(guard),
                // No holder panics in the middle of a change, so the value is sound.
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if attempt < EAGER_ATTEMPTS => thread::yield_now(),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
        Err(StaysLocked)
    }

    /// Locks the mutex in a thread that this crate started. A fork does not copy such a thread, so
    /// the mutex was not locked by a thread that no longer exists.
    #[cfg(any(feature = "redis", feature = "write-behind"))]
    pub(crate) fn lock_in_own_thread(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The mutex stays locked.
#[derive(Debug)]
pub(crate) struct StaysLocked;

impl fmt::Display for StaysLocked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "the sticky bucket store stays locked; in a forked process, create the store after the fork",
        )
    }
}

impl Error for StaysLocked {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_gives_up_on_a_held_mutex() {
        let mutex = ForkSafeMutex::<u8>::default();
        let held = mutex.lock().unwrap();
        assert!(mutex.lock().is_err());
        drop(held);
        assert_eq!(*mutex.lock().unwrap(), 0);
    }
}
