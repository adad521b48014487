//! A mutex that never blocks forever.

use std::error::Error;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

/// A mutex whose lock gives up after about 100 ms.
///
/// It is for values that every holder needs for microseconds only. In the child of a fork such a
/// mutex may stay locked forever: a thread of the parent held it, and that thread does not exist in
/// the child.
#[derive(Default)]
pub struct ForkSafeMutex<T>(Mutex<T>);

impl<T> ForkSafeMutex<T> {
    /// A mutex that is not locked.
    pub const fn new(value: T) -> Self {
        ForkSafeMutex(Mutex::new(value))
    }

    /// Locks the mutex. A poisoned one is locked as well: no holder may panic in the middle of a
    /// change.
    ///
    /// # Errors
    ///
    /// When it stays locked.
    pub fn lock(&self) -> Result<MutexGuard<'_, T>, StaysLocked> {
        // Counts attempts, not time. If the whole process is halted, the holder can run between
        // two attempts.
        const EAGER_ATTEMPTS: u32 = 200;
        const ATTEMPTS: u32 = EAGER_ATTEMPTS + 100;
        const PAUSE: Duration = Duration::from_millis(1);
        for attempt in 0..ATTEMPTS {
            match self.0.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if attempt < EAGER_ATTEMPTS => thread::yield_now(),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
        Err(StaysLocked)
    }

    /// Locks the mutex if it is not locked now.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Locks the mutex, and waits as long as that takes. It is for threads that this process
    /// started. A fork does not copy them, so they never meet a mutex that stays locked.
    pub fn lock_in_own_thread(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The mutex stays locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaysLocked;

impl fmt::Display for StaysLocked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a lock stays held; in a forked process, create the client and its stores after the fork",
        )
    }
}

impl Error for StaysLocked {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_gives_up_on_a_held_mutex() {
        let mutex = ForkSafeMutex::new(1);
        let held = mutex.lock().unwrap();
        assert_eq!(mutex.lock().err(), Some(StaysLocked));
        assert!(mutex.try_lock().is_none());
        drop(held);
        assert_eq!(*mutex.lock().unwrap(), 1);
        assert_eq!(*mutex.lock_in_own_thread(), 1);
    }
}
