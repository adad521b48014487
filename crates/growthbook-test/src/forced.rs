//! Forced values that undo themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use growthbook::{Client, GlobalContext};
use serde_json::Value;

/// A forced value, until it is dropped: see
/// [`TestClient::force_feature`](crate::TestClient::force_feature).
#[must_use = "dropping the guard ends it"]
pub struct ForcedFeature {
    forced: ForcedFeatures,
    key: Box<str>,
    number: u64,
}

/// The forced values of a client.
#[derive(Clone)]
pub(crate) struct ForcedFeatures {
    client: Client,
    guards: Arc<Mutex<Guards>>,
}

#[derive(Default)]
struct Guards {
    /// The number of guards that were made.
    made: u64,
    by_feature: BTreeMap<Box<str>, Feature>,
}

/// The guards of one feature.
struct Feature {
    /// The value that was forced before the first guard.
    before: Option<Value>,
    /// The number and value of each guard, the newest one last.
    guards: Vec<(u64, Value)>,
}

impl ForcedFeatures {
    pub(crate) fn new(client: &Client) -> Self {
        ForcedFeatures { client: client.clone(), guards: Arc::default() }
    }

    pub(crate) fn force(&self, key: &str, value: Value) -> ForcedFeature {
        let number = self.change(key, |feature, number| {
            feature.guards.push((number, value));
            number
        });
        ForcedFeature { forced: self.clone(), key: key.into(), number }
    }

    /// Changes the guards of a feature, and forces the value of the newest one. The function gets a
    /// number for a new guard.
    fn change(&self, key: &str, change: impl FnOnce(&mut Feature, u64) -> u64) -> u64 {
        // It stays locked until the client has the new value, so that two threads do not cross.
        let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        let number = guards.made;
        guards.made += 1;
        let feature = guards.by_feature.entry(key.into()).or_insert_with(|| Feature {
            before: forced_value(&self.client.globals(), key),
            guards: Vec::new(),
        });
        let number = change(feature, number);
        let newest = feature.guards.last().map(|(_, value)| value);
        let value = newest.or(feature.before.as_ref()).cloned();
        self.client.change_globals(|globals| with_forced_value(globals, key, value.as_ref()));
        if feature.guards.is_empty() {
            guards.by_feature.remove(key);
        }
        number
    }
}

impl Drop for ForcedFeature {
    fn drop(&mut self) {
        self.forced.change(&self.key, |feature, _| {
            feature.guards.retain(|(number, _)| *number != self.number);
            self.number
        });
    }
}

impl fmt::Debug for ForcedFeature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ForcedFeature").field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for ForcedFeatures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        formatter.debug_set().entries(guards.by_feature.keys()).finish()
    }
}

fn forced_value(globals: &GlobalContext, key: &str) -> Option<Value> {
    let mut forced = globals.iter_forced_features();
    forced.find(|(forced, _)| *forced == key).map(|(_, value)| value.clone())
}

/// Returns the context in which a feature has this forced value, or none.
fn with_forced_value(globals: GlobalContext, key: &str, value: Option<&Value>) -> GlobalContext {
    let others = globals.iter_forced_features().filter(|(forced, _)| *forced != key);
    let others = others.map(|(key, value)| (Box::from(key), value.clone()));
    let forced: Vec<(Box<str>, Value)> =
        others.chain(value.map(|value| (key.into(), value.clone()))).collect();
    globals.forced_features(forced)
}
