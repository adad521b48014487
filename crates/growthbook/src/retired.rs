//! Payloads that were replaced, until nobody evaluates with them any more.

use core::mem;
use std::sync::{Arc, Mutex, PoisonError};

use growthbook_core::{Payload, Snapshot};

use crate::client::State;

/// Whoever lets go of a payload last frees it, which takes milliseconds for a large one. That is
/// to be whoever replaces payloads, never a scope: so old ones are kept here while scopes have
/// them, and freed when the next one is replaced.
#[derive(Default)]
pub(crate) struct Retired(Mutex<Vec<(Arc<Payload>, Arc<Snapshot>)>>);

impl Retired {
    pub(crate) fn add(&self, state: Arc<State>) {
        let retired = (state.payload.clone(), state.snapshot.clone());
        drop(state);
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
