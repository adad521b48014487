//! The flags of the page.

use serde_json::{Value, json};

/// Flags that need each part of a hand-over: attributes of the request, an attribute that the browser
/// does not get, prerequisites, groups, and experiments with sticky buckets.
///
/// The experiments have these weights for their two variations.
pub(crate) fn payload(weights: [u8; 2]) -> String {
    let experiment = |key: &str, first: Value, second: Value| {
        json!({
            "key": key, "hashVersion": 2, "variations": [first, second], "weights": weights,
            "meta": [{"key": "first"}, {"key": "second"}],
        })
    };
    let when = |condition: Value| {
        json!({"defaultValue": false, "rules": [
            {"condition": condition, "force": true},
        ]})
    };
    json!({
        "features": {
            // The page of the service evaluates these.
            "new-checkout": when(json!({"country": {"$in": ["US", "CA"]}})),
            "button-color": {"defaultValue": "gray", "rules": [
                experiment("button-color-test", json!("blue"), json!("green")),
            ]},
            "max-items": {"defaultValue": 25},
            // Only the browser evaluates these.
            "abroad": when(json!({"country": {"$ne": "US"}})),
            "browser": when(json!({"browser": "chrome", "deviceType": "desktop"})),
            "host": when(json!({"host": {"$regex": "^127[.]0[.]0[.]1:[0-9]+$"}})),
            "path": when(json!({"path": "/", "query": {"$regex": "utm"}})),
            "campaign": when(json!({"utmSource": "mail", "url": {"$regex": "utm_source=mail"}})),
            "known": when(json!({"id": {"$regex": "^[0-9a-f-]{36}$"}})),
            "group": when(json!({"deviceType": {"$inGroup": "devices"}})),
            "text": {"defaultValue": {"html": "</script><!-- \u{2028} ü & \"", "list": [1, 2.5]}},
            "rollout": {"defaultValue": 0, "rules": [
                {"force": 1, "coverage": 0.5, "hashAttribute": "id", "seed": "rollout"},
            ]},
            "child": {"defaultValue": "no", "rules": [{
                "parentConditions": [{"id": "button-color", "condition": {"value": "green"}}],
                "force": "yes",
            }]},
            "later": {"defaultValue": 0, "rules": [experiment("later-test", json!(1), json!(2))]},
        },
        "savedGroups": {"devices": ["desktop"]},
    })
    .to_string()
}
