//! Events of user scopes: their own plugins, what they have reported, and their record.

use core::any::Any;
use core::hash::Hash;
use core::mem;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use growthbook_core::event::{ExperimentViewed, ExperimentViewedRecord};
use growthbook_support::Level;

use crate::listeners::Listeners;
use crate::seen::Identity;

/// The number of exposures that a scope [records](crate::UserScope::recording), together with the
/// scopes that were made from it. It does not record later ones. The same limit holds for results
/// of experiments.
pub const MAX_RECORDED_EVENTS: usize = 10_000;

/// The number of entries of a memory for repetitions. A full memory is cleared, and so an event may
/// be reported once more.
const MAX_REMEMBERED: usize = 10_000;

/// Events of one user scope. A clone shares its memory and its record. So do scopes that are made
/// from one another.
#[derive(Clone, Default)]
pub(crate) struct ScopeEvents {
    /// The scope's own plugins.
    pub(crate) listeners: Listeners,
    /// Data of the application, for plugins.
    pub(crate) extra: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) is_recording: bool,
    /// Whether the client's plugins do not receive the scope's exposures.
    pub(crate) defers_exposures: bool,
    /// The number of the user, among the users of the memory.
    user: usize,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    /// The number of users after the first one.
    other_users: usize,
    viewed: HashSet<Identity>,
    /// The hash of the last value of each feature, by user and by the hash of its key.
    used: HashMap<(usize, u64), u64>,
    /// The inclusion and variation of the last result of each experiment.
    results: HashMap<Identity, (bool, usize)>,
    record: Record,
}

/// What scopes have recorded.
#[derive(Default)]
struct Record {
    exposures: Vec<ExperimentViewedRecord>,
    /// The exposures from here on were not taken yet.
    taken: usize,
    /// The last result of each experiment, in the order of their first results.
    results: Vec<ExperimentViewedRecord>,
    /// The places of experiments in `results`, by key.
    result_places: HashMap<String, usize>,
    is_full: bool,
}

impl ScopeEvents {
    /// Returns the events of another user, with the same plugins, memory and record.
    pub(crate) fn for_other_user(&self) -> Self {
        let mut memory = self.lock();
        memory.other_users += 1;
        ScopeEvents { user: memory.other_users, ..self.clone() }
    }

    /// Whether the exposure is the first of its kind.
    pub(crate) fn is_first_exposure(&self, identity: Identity) -> bool {
        let viewed = &mut self.lock().viewed;
        if viewed.len() >= MAX_REMEMBERED {
            viewed.clear();
        }
        viewed.insert(identity)
    }

    /// Whether the feature has another value than before for the user.
    pub(crate) fn is_new_usage(&self, key: u64, value: u64) -> bool {
        remember(&mut self.lock().used, (self.user, key), value)
    }

    /// Whether the experiment has another result than before.
    pub(crate) fn is_new_result(&self, identity: Identity, result: (bool, usize)) -> bool {
        remember(&mut self.lock().results, identity, result)
    }

    pub(crate) fn record_exposure(&self, viewed: &ExperimentViewed<'_>) {
        if self.is_recording {
            let viewed = viewed.to_record();
            self.lock().record.add_exposure(viewed);
        }
    }

    pub(crate) fn record_result(&self, result: &ExperimentViewed<'_>) {
        if self.is_recording {
            let result = result.to_record();
            self.lock().record.add_result(result);
        }
    }

    pub(crate) fn exposures(&self) -> Vec<ExperimentViewedRecord> {
        self.lock().record.exposures.clone()
    }

    /// Returns the exposures that were not taken yet.
    pub(crate) fn take_exposures(&self) -> Vec<ExperimentViewedRecord> {
        let record = &mut self.lock().record;
        let taken = mem::replace(&mut record.taken, record.exposures.len());
        record.exposures.iter().skip(taken).cloned().collect()
    }

    pub(crate) fn results(&self) -> Vec<ExperimentViewedRecord> {
        self.lock().record.results.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn add_exposure(&mut self, viewed: ExperimentViewedRecord) {
        if self.has_room(self.exposures.len()) {
            self.exposures.push(viewed);
        }
    }

    /// Adds a result. It replaces the one that its experiment had before.
    fn add_result(&mut self, result: ExperimentViewedRecord) {
        let place = self.result_places.get(result.experiment.key());
        if let Some(before) = place.and_then(|place| self.results.get_mut(*place)) {
            *before = result;
        } else if self.has_room(self.results.len()) {
            self.result_places.insert(result.experiment.key().to_owned(), self.results.len());
            self.results.push(result);
        }
    }

    /// Whether a list of this length has room for another event. Logs when one does not for the
    /// first time.
    fn has_room(&mut self, length: usize) -> bool {
        let has_room = length < MAX_RECORDED_EVENTS;
        if !has_room && !mem::replace(&mut self.is_full, true) {
            growthbook_support::log!(
                Level::Warn,
                "a scope has recorded {MAX_RECORDED_EVENTS} events and records no more: make a new \
                 scope for each request",
            );
        }
        has_room
    }
}

/// Sets the value of a key. Returns whether it is another one than before.
fn remember<K: Eq + Hash, V: PartialEq>(memory: &mut HashMap<K, V>, key: K, value: V) -> bool {
    if memory.len() >= MAX_REMEMBERED && !memory.contains_key(&key) {
        memory.clear();
    }
    match memory.get_mut(&key) {
        Some(before) if *before == value => false,
        Some(before) => {
            *before = value;
            true
        }
        None => memory.insert(key, value).is_none(),
    }
}
