//! The memory of the flags whose problems were logged.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of flags whose problems a client can remember.
const REMEMBERED: usize = 1_024;
/// The number of places where a flag may be remembered. When all are taken, it is not logged.
const PLACES: usize = 16;

/// The flags whose problems a client has logged. It takes no lock, and at most 8 KiB.
#[derive(Default)]
pub(crate) struct LoggedFlags(OnceLock<Box<[AtomicU64]>>);

impl LoggedFlags {
    /// Whether the flag is not remembered yet. It is remembered from then on. The hash identifies
    /// the flag and its problem.
    pub(crate) fn is_new(&self, hash: u64) -> bool {
        // 0 is an empty place.
        let hash = hash.max(1);
        let table = self.0.get_or_init(|| (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect());
        let start = usize::try_from(hash % REMEMBERED as u64).unwrap_or_default();
        for place in table.iter().cycle().skip(start).take(PLACES) {
            match place.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(found) if found == hash => return false,
                Err(_) => {}
            }
        }
        false
    }
}
