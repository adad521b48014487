//! Locks in a process that may be the child of a fork.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anybody holds a lock here.
const LONGEST_HOLD: Duration = Duration::from_millis(50);

/// Locks. `None` when that takes too long: in the child of a fork, somebody may hold it who is not
/// there.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    let start = Instant::now();
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) if start.elapsed() >= LONGEST_HOLD => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_micros(200)),
        }
    }
}
