//! Telling the application that features have changed.

use growthbook_core::{Payload, PayloadChange};

use crate::client::Inner;
use crate::tracking::contain;

/// A callback for changes.
pub(crate) type OnUpdate = Box<dyn Fn(&PayloadChange) + Send + Sync>;

impl Inner {
    /// What the callback is to hear; nothing when there is none.
    pub(crate) fn changes(&self, before: &Payload, after: &Payload) -> PayloadChange {
        match &self.on_update {
            Some(_) => after.changes_since(before),
            None => PayloadChange::default(),
        }
    }

    /// Calls the callback. Not under a lock: it may call back into the client.
    pub(crate) fn tell_change(&self, change: &PayloadChange) {
        if let Some(callback) = self.on_update.as_ref().filter(|_| !change.is_empty()) {
            contain("on_update", || callback(change));
        }
    }

    pub(crate) fn tell_update(&self, before: &Payload, after: &Payload) {
        self.tell_change(&self.changes(before, after));
    }
}
