//! The state that all evaluations of a client share.

use core::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use growthbook_core::GlobalContext;
use growthbook_core::cache::UnixMillis;
use growthbook_core::sticky::StickyBucketStore;
use growthbook_fetch::LivePayload;

use crate::counts::EventCounters;
use crate::listeners::Listeners;
use crate::logged_flags::LoggedFlags;
use crate::seen::{DEFAULT_EXPOSURE_CACHE_SIZE, Exposures, Identities, Memory, UsageDeduplication};

/// The payload in use, together with the state.
pub(crate) type Live = LivePayload<State>;

/// The state that evaluations need besides the payload. It is swapped together with the payload, so
/// that one load gives a scope both. Making a scope changes no counter that threads share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) globals: Arc<GlobalContext>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) effects: Arc<Effects>,
    /// Whether a plugin is notified of evaluations.
    pub(crate) has_listeners: bool,
}

/// The clock of the timestamps of events.
pub(crate) type Clock = Box<dyn Fn() -> UnixMillis + Send + Sync>;

/// What evaluations need to report events and to save documents.
pub(crate) struct Effects {
    pub(crate) identities: Identities,
    pub(crate) exposures: Exposures,
    pub(crate) usage_deduplication: UsageDeduplication,
    /// `None` unless events are counted.
    pub(crate) event_counters: Option<Arc<EventCounters>>,
    pub(crate) clock: Option<Clock>,
    pub(crate) sticky_store: Option<Box<dyn StickyBucketStore>>,
    pub(crate) results: Results,
    pub(crate) logged_flags: LoggedFlags,
}

impl Effects {
    /// Returns the time for an event; 0 if it is unknown. A clock that panics does not know it.
    pub(crate) fn now(&self) -> UnixMillis {
        match &self.clock {
            Some(clock) => growthbook_support::contain(clock).unwrap_or_default(),
            None => growthbook_support::unix_millis().unwrap_or_default(),
        }
    }
}

/// The last result of each user and experiment: inclusion and variation. It takes memory once a
/// plugin wants results.
#[derive(Default)]
pub(crate) struct Results(OnceLock<Memory<(bool, usize)>>);

impl Results {
    /// How many results are remembered.
    const BOUND: NonZeroUsize = DEFAULT_EXPOSURE_CACHE_SIZE;

    pub(crate) fn get(&self) -> &Memory<(bool, usize)> {
        self.0.get_or_init(|| Memory::new(Self::BOUND))
    }
}

impl State {
    pub(crate) fn new(globals: GlobalContext, listeners: Listeners, effects: Effects) -> Self {
        let state = State {
            globals: Arc::new(globals),
            listeners: Arc::default(),
            effects: Arc::new(effects),
            has_listeners: false,
        };
        state.with_listeners(listeners)
    }

    /// The same with other globals.
    pub(crate) fn with_globals(&self, globals: Arc<GlobalContext>) -> Self {
        State { globals, ..self.clone() }
    }

    /// The same with other plugins.
    pub(crate) fn with_listeners(&self, listeners: Listeners) -> Self {
        let has_listeners = listeners.wants_any();
        State { listeners: Arc::new(listeners), has_listeners, ..self.clone() }
    }

    /// Whether a scope has to remember what it has reported.
    pub(crate) fn remembers_per_scope(&self) -> bool {
        self.has_listeners
            && (self.effects.exposures.is_per_scope()
                || self.effects.usage_deduplication == UsageDeduplication::PerScope)
    }
}
