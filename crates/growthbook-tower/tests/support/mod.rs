//! A client whose exposures a test can read.

use std::sync::{Arc, Mutex};

use growthbook::{Client, Embedded};
use serde_json::{Value, json};

/// The exposures that the plugins of a client have received, as `user experiment=variation`.
#[derive(Clone, Default)]
pub(crate) struct Exposures(Arc<Mutex<Vec<String>>>);

impl Exposures {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Features for the tests.
pub(crate) fn features() -> Value {
    json!({
        "mobile": {"defaultValue": false, "rules": [
            {"condition": {"deviceType": "mobile"}, "force": true},
        ]},
        "pro": {"defaultValue": false, "rules": [{"condition": {"plan": "pro"}, "force": true}]},
        "color": {"defaultValue": "none", "rules": [{
            "key": "color-test", "variations": ["blue", "green"], "weights": [0, 1],
            "condition": {"plan": {"$ne": "secret-plan"}},
            "meta": [{"key": "b"}, {"key": "g"}],
        }]},
        "company": {"defaultValue": 0, "rules": [
            {"key": "company-test", "hashAttribute": "company", "variations": [1, 2], "weights": [0, 1]},
        ]},
    })
}

/// Returns a client with these features, and its exposures.
pub(crate) fn client(features: Value) -> (Client, Exposures) {
    let exposures = Exposures::default();
    let received = exposures.clone();
    let builder: growthbook::ClientBuilder<Embedded> = Client::embedded();
    let client = builder
        .features(features)
        .on_experiment_viewed(move |viewed| {
            let user = viewed.user.id().unwrap_or_default();
            let text = format!("{user} {}={}", viewed.experiment.key(), viewed.result.key);
            received.0.lock().unwrap().push(text);
        })
        .build()
        .unwrap();
    (client, exposures)
}
