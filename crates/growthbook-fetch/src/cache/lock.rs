//! A lock that never waits forever. The other adapters have one of their own, because adapters do
//! not depend on each other.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

/// Locks a mutex, or returns `None` if it is still locked after a while.
///
/// A living thread holds the lock for microseconds. But in the child of a `fork()`, a lock that
/// another thread of the parent held stays locked forever.
pub(crate) fn lock_patiently<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    // Attempts are counted, not timed: if the whole process stops for a while, the holder still runs
    // between two attempts.
    const EAGER_ATTEMPTS: u32 = 200;
    const ATTEMPTS: u32 = EAGER_ATTEMPTS + 100;
    const PAUSE: Duration = Duration::from_millis(1);
    for attempt in 0..ATTEMPTS {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            // No change panics halfway.
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if attempt < EAGER_ATTEMPTS => thread::yield_now(),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuck_lock_does_not_hang() {
        let mutex = Mutex::new(1);
        let held = mutex.lock().unwrap();
        assert!(lock_patiently(&mutex).is_none());
        drop(held);
        assert_eq!(*lock_patiently(&mutex).unwrap(), 1);
    }
}
