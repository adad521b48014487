//! A limit for look-ups of names that hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most look-ups of one agent that have not ended. Each has a thread. Further ones fail, until one
/// of these ends.
pub(crate) const MAX_LOOK_UPS: usize = 4;

/// The number of look-ups that have not ended.
#[derive(Debug, Default)]
pub(crate) struct LookUps(AtomicUsize);

impl LookUps {
    /// Counts a look-up until the returned value is dropped. `None` if too many have not ended.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<LookUp> {
        let add = |count: usize| (count < MAX_LOOK_UPS).then_some(count + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(LookUp(self.clone()))
    }

    /// Returns the number of look-ups that have not ended.
    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A look-up that has not ended.
pub(crate) struct LookUp(Arc<LookUps>);

impl Drop for LookUp {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
