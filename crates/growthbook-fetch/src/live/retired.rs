//! Replaced payloads that evaluations still use.

use std::mem;
use std::sync::Arc;

use growthbook_core::{Payload, Snapshot};
use growthbook_support::ForkSafeMutex;

use super::InUse;

/// Replaced payloads that evaluations still use.
///
/// The last owner of a payload frees it, which takes milliseconds for a large one. This list makes
/// sure that the last owner is a thread that replaces payloads, not one that evaluates: it keeps
/// each payload until no evaluation uses it, and frees it at the next replacement.
#[derive(Default)]
pub(super) struct Retired(ForkSafeMutex<Vec<(Arc<Payload>, Arc<Snapshot>)>>);

impl Retired {
    /// Keeps a payload that was replaced, and frees those that are no longer used.
    pub(super) fn add<T>(&self, replaced: Arc<InUse<T>>) {
        let retired = (replaced.payload.clone(), replaced.snapshot.clone());
        drop(replaced);
        // In the child of a fork the list may stay locked. Then an evaluation may free a payload.
        let Ok(mut kept) = self.0.lock() else { return };
        let all = mem::take(&mut *kept).into_iter().chain([retired]);
        let (used, unused): (Vec<_>, Vec<_>) = all.partition(|(payload, snapshot)| {
            Arc::strong_count(payload) > 1 || Arc::strong_count(snapshot) > 1
        });
        *kept = used;
        drop(kept);
        drop(unused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the child of a fork, a lock that a thread of the parent held is never released.
    #[test]
    fn held_lock_does_not_stop_a_replacement() {
        let retired = Retired::default();
        let in_use = Arc::new(InUse::new(()));
        let payload = in_use.payload.clone();
        let held = retired.0.lock().unwrap();
        retired.add(in_use.clone());
        drop(held);
        retired.add(in_use);
        assert_eq!(retired.0.lock().unwrap().len(), 1);
        drop(payload);
    }
}
