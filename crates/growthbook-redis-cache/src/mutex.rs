//! Locks that nobody waits for without end. The same stands in the other adapters, which do not
//! depend on one another.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

/// The lock, unless it is still held after a while. Whoever lives holds it for microseconds; in
/// the child of a `fork()`, one that another thread of the parent held stays locked for ever.
pub(crate) fn lock_patiently<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    // Counted, not timed: where the whole process is halted for a while, the holder gets its turn
    // between two attempts.
    const EAGER_ATTEMPTS: u32 = 200;
    const ATTEMPTS: u32 = EAGER_ATTEMPTS + 100;
    const PAUSE: Duration = Duration::from_millis(1);
    for attempt in 0..ATTEMPTS {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            // Nothing panics halfway through a change.
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
    fn a_lock_that_stays_locked_hangs_nobody() {
        let mutex = Mutex::new(1);
        let held = mutex.lock().unwrap();
        assert!(lock_patiently(&mutex).is_none());
        drop(held);
        assert_eq!(*lock_patiently(&mutex).unwrap(), 1);
    }
}
