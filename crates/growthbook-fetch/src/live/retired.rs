//! Replaced payloads that evaluations still use.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use growthbook_core::{Payload, Snapshot};

use super::InUse;

/// Replaced payloads that evaluations still use.
///
/// The last owner of a payload frees it, which takes milliseconds for a large one. This list makes
/// sure that the last owner is a thread that replaces payloads, not one that evaluates: it keeps
/// each payload until no evaluation uses it, and frees it at the next replacement.
#[derive(Default)]
pub(super) struct Retired(Mutex<Vec<(Arc<Payload>, Arc<Snapshot>)>>);

impl Retired {
    /// Keeps a payload that was replaced, and frees those that are no longer used.
    pub(super) fn add<T>(&self, replaced: Arc<InUse<T>>) {
        let retired = (replaced.payload.clone(), replaced.snapshot.clone());
        drop(replaced);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = mem::take(&mut *kept).into_iter().chain([retired]);
        let (used, unused): (Vec<_>, Vec<_>) = all.partition(|(payload, snapshot)| {
            Arc::strong_count(payload) > 1 || Arc::strong_count(snapshot) > 1
        });
        *kept = used;
        drop(kept);
        drop(unused);
    }
}
