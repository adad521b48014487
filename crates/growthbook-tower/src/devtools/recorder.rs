//! The log of the evaluations of a request, in the form of the JavaScript SDK.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use growthbook::Plugin;
use growthbook::tracking::{CustomEvent, ExperimentViewed, FeatureUsage};
use serde_json::{Value, json};

/// The most entries in the log of a request. Later ones are lost.
const MAX_ENTRIES: usize = 1_000;

/// A plugin that keeps the log of a request. A clone shares the log.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    entries: Vec<Value>,
    /// The last value of each feature.
    values: HashMap<String, Value>,
}

impl Recorder {
    /// Returns the entries so far, oldest first.
    pub(crate) fn entries(&self) -> Vec<Value> {
        self.lock().entries.clone()
    }

    fn add(&self, entry: Value) {
        let entries = &mut self.lock().entries;
        if entries.len() < MAX_ENTRIES {
            entries.push(entry);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin for Recorder {
    fn name(&self) -> &str {
        "devtools"
    }

    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        let call = serde_json::to_value(viewed.to_record()).unwrap_or_default();
        self.add(json!({
            "experiment": call.get("experiment"),
            "result": call.get("result"),
            "timestamp": viewed.timestamp.to_string(),
            "logType": "experiment",
        }));
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        let value = usage.result.value();
        {
            let values = &mut self.lock().values;
            if values.get(usage.key) == Some(value) {
                return;
            }
            // A feature with the same value again is one entry.
            if values.len() < MAX_ENTRIES {
                values.insert(usage.key.to_owned(), value.clone());
            }
        }
        self.add(json!({
            "featureKey": usage.key,
            "result": usage.result,
            "timestamp": usage.timestamp.to_string(),
            "logType": "feature",
        }));
    }

    fn event(&self, event: &CustomEvent<'_>) {
        self.add(json!({
            "eventName": event.name,
            "properties": event.properties,
            "timestamp": event.timestamp.to_string(),
            "logType": "event",
        }));
    }
}
