//! The state that all evaluations of a client share.

use std::sync::Arc;

use growthbook_core::GlobalContext;
use growthbook_core::sticky::StickyBucketStore;
use growthbook_fetch::LivePayload;

use crate::tracking::Tracking;

/// The payload in use, together with the state.
pub(crate) type Live = LivePayload<State>;

/// The state that evaluations need besides the payload. It is swapped together with the payload, so
/// that one load gives a scope both. Making a scope changes no counter that threads share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) globals: Arc<GlobalContext>,
    pub(crate) effects: Arc<Effects>,
    /// Whether a callback is notified of evaluations.
    pub(crate) has_listeners: bool,
}

/// The targets of an evaluation's effects.
pub(crate) struct Effects {
    pub(crate) tracking: Tracking,
    pub(crate) sticky_store: Option<Box<dyn StickyBucketStore>>,
}

impl State {
    pub(crate) fn new(globals: GlobalContext, effects: Effects) -> Self {
        let has_listeners = effects.tracking.has_listeners();
        State { globals: Arc::new(globals), effects: Arc::new(effects), has_listeners }
    }

    /// The same with other globals.
    pub(crate) fn with_globals(&self, globals: Arc<GlobalContext>) -> Self {
        State { globals, ..self.clone() }
    }
}
