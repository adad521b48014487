//! Features with every source of a value.

use growthbook::{Client, ClientBuilder, Embedded, PayloadError, UserContext, UserScope};
use serde_json::{Value, json};

/// When the payload was last changed.
pub(crate) const DATE_UPDATED: &str = "2026-01-02T03:04:05.000Z";
/// The value of every attribute of the user.
pub(crate) const ATTRIBUTE: &str = "attr1buteThatNobodyReads";

/// Returns a payload with a feature for each source. The feature has the name of the source, except
/// for those without a definition.
pub(crate) fn payload() -> Value {
    json!({"dateUpdated": DATE_UPDATED, "features": {
        "default": {"defaultValue": 7},
        "force": {"rules": [{"condition": {"plan": ATTRIBUTE}, "force": "forced"}]},
        "experiment": {"rules": [{
            "key": "exp", "variations": ["a", "b"], "weights": [0, 1],
            "meta": [{"key": "control"}, {"key": "treatment"}],
        }]},
        "off": {"defaultValue": false},
        "prerequisite": {"defaultValue": 1, "rules": [{
            "parentConditions": [{"id": "off", "condition": {"value": true}, "gate": true}],
            "force": 2,
        }]},
        "cyclic": {"defaultValue": 1, "rules": [{
            "parentConditions": [{"id": "cyclic", "condition": {"value": true}}], "force": 2,
        }]},
        "holdout": {"defaultValue": 1, "rules": [
            {"key": "holdout", "variations": [0, 1], "weights": [0, 1],
             "meta": [{}, {"passthrough": true}]},
            {"force": 3},
        ]},
    }})
}

/// Returns a builder with the payload, and a value that is forced in code.
pub(crate) fn builder() -> ClientBuilder<Embedded> {
    Client::embedded()
        .payload(payload().to_string())
        .forced_features([("override", json!("in code"))])
}

pub(crate) fn built(builder: ClientBuilder<Embedded>) -> Client {
    let client: Result<Client, PayloadError> = builder.build();
    client.unwrap()
}

/// Returns a scope of a user whose attributes are all [`ATTRIBUTE`].
pub(crate) fn scope(client: &Client) -> UserScope<'static> {
    client.for_user(UserContext::new(ATTRIBUTE).attribute("plan", ATTRIBUTE))
}
