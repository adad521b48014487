//! Events of one user scope: its own plugins, what it has reported, and its record.

use core::any::Any;
use core::mem;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use growthbook_core::event::{ExperimentViewed, ExperimentViewedRecord};

use crate::listeners::{DEFAULT_PLUGIN_STOP_TIMEOUT, Listeners};
use crate::seen::Identity;

/// Events of one user scope.
#[derive(Default)]
pub(crate) struct ScopeEvents {
    /// The scope's own plugins.
    pub(crate) listeners: Listeners,
    /// Data of the application, for plugins.
    pub(crate) extra: Option<Box<dyn Any + Send + Sync>>,
    pub(crate) is_recording: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    viewed: HashSet<Identity>,
    /// The hash of the last value of each feature, by the hash of its key.
    used: HashMap<u64, u64>,
    /// The inclusion and variation of the last result of each experiment.
    results: HashMap<Identity, (bool, usize)>,
    record: Record,
}

/// What a scope has recorded.
#[derive(Default)]
struct Record {
    exposures: Vec<ExperimentViewedRecord>,
    /// The exposures from here on were not taken yet.
    taken: usize,
    /// The last result of each experiment, in the order of their first results.
    results: Vec<ExperimentViewedRecord>,
}

impl ScopeEvents {
    /// Whether the exposure is the first of its kind in the scope.
    pub(crate) fn is_first_exposure(&self, identity: Identity) -> bool {
        self.lock().viewed.insert(identity)
    }

    /// Whether the feature has another value than before in the scope.
    pub(crate) fn is_new_usage(&self, key: u64, value: u64) -> bool {
        self.lock().used.insert(key, value) != Some(value)
    }

    /// Whether the experiment has another result than before in the scope.
    pub(crate) fn is_new_result(&self, identity: Identity, result: (bool, usize)) -> bool {
        self.lock().results.insert(identity, result) != Some(result)
    }

    pub(crate) fn record_exposure(&self, viewed: &ExperimentViewed<'_>) {
        if self.is_recording {
            let record = viewed.to_record();
            self.lock().record.exposures.push(record);
        }
    }

    pub(crate) fn record_result(&self, result: &ExperimentViewed<'_>) {
        if !self.is_recording {
            return;
        }
        let record = result.to_record();
        let results = &mut self.lock().record.results;
        match results.iter_mut().find(|it| it.experiment.key() == record.experiment.key()) {
            Some(before) => *before = record,
            None => results.push(record),
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScopeEvents {
    fn drop(&mut self) {
        self.listeners.stop(DEFAULT_PLUGIN_STOP_TIMEOUT);
    }
}
