//! Deferred tracking calls: each SDK replays the calls that the other one has recorded.

use std::error::Error;
use std::sync::{Arc, Mutex};

use growthbook::tracking::DeferredCalls;
use growthbook::{Client, UserContext};
use serde_json::{Value, json};

use crate::script;

pub(crate) const FEATURES: [&str; 6] =
    ["rule", "child", "holdout", "bandit", "tracked", "excluded"];

/// A payload with each kind of exposure.
pub(crate) fn payload() -> Value {
    let experiment = |key: &str| {
        json!({
            "id": "fr_1", "key": key, "seed": key, "hashVersion": 2, "name": "Name", "phase": "1",
            "variations": ["a", {"b": [1, 2.5]}], "weights": [0.3, 0.7], "coverage": 1,
            "meta": [{"key": "control", "name": "Control"}, {"key": "grün"}],
        })
    };
    let holdout = json!({
        "key": "holdout", "variations": [0, 1], "ranges": [[0, 0], [0, 1]],
        "meta": [{"key": "h"}, {"key": "t", "passthrough": true}],
    });
    let bandit = json!({
        "key": "bandit", "contextualVariations": ["a", "b"], "contextualBanditRef": "cb",
        "condition": {"id": {"$exists": true}},
    });
    let track = json!({
        "experiment": {"key": "remote", "variations": [{}, "b"]},
        "result": {
            "key": "1", "variationId": 1, "value": "b", "featureId": "tracked", "bucket": 0.5,
            "inExperiment": true, "hashUsed": true, "hashAttribute": "id", "hashValue": "u",
            "stickyBucketUsed": false,
        },
    });
    let excluded = json!({"key": "excluded", "variations": [0, 1], "coverage": 0});
    json!({
        "features": {
            "rule": {"defaultValue": 0, "rules": [experiment("rule-exp")]},
            "child": {"defaultValue": 0, "rules": [{
                "parentConditions": [{"id": "parent", "condition": {"value": {"$exists": true}}}],
                "force": 1,
            }]},
            "parent": {"defaultValue": 0, "rules": [experiment("parent-exp")]},
            "holdout": {"defaultValue": 0, "rules": [holdout, experiment("inner")]},
            "bandit": {"defaultValue": 0, "rules": [bandit]},
            "tracked": {"defaultValue": 0, "rules": [{"force": "b", "tracks": [track]}]},
            "excluded": {"defaultValue": 0, "rules": [excluded]},
        },
        "contextualBandits": {"cb": {"banditVersion": 2, "contexts": [
            {"leafId": 1, "condition": {"plan": "pro"}, "weights": [0.2, 0.8]},
        ]}},
    })
}

pub(crate) fn users() -> Vec<Value> {
    vec![
        json!({"attributes": {"id": "u", "plan": "pro"}, "url": "https://example.com/?a=1"}),
        json!({"attributes": {"id": 42, "plan": "free"}, "url": ""}),
        json!({"attributes": {"id": "ünal", "tags": ["x", {"y": null}]}, "url": "https://x/"}),
        json!({"attributes": {}, "url": ""}),
    ]
}

pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    let ours = users().iter().map(record).collect::<Result<Vec<Value>, _>>()?;
    let ours = Value::from(ours);
    let question =
        json!({"payload": payload(), "users": users(), "features": FEATURES, "calls": ours});
    let theirs = script::javascript("deferred.mjs", &question)?;
    let part = |name| theirs.get(name).ok_or("an answer without calls");
    expect(part("recorded")?, &ours, "both SDKs record the same calls")?;
    expect(part("replayed")?, &ours, "the JavaScript SDK replays our calls")?;
    println!("deferred calls: the JavaScript SDK replays our calls");

    let recorded = part("recorded")?.as_array().ok_or("not a list")?;
    let replayed = recorded.iter().map(replay).collect::<Result<Vec<Value>, _>>()?;
    expect(&Value::from(replayed), &ours, "we replay the calls of the JavaScript SDK")?;
    println!("deferred calls: we replay the calls of the JavaScript SDK");
    Ok(())
}

/// Returns our calls for a user.
fn record(user: &Value) -> Result<Value, Box<dyn Error>> {
    let client = Client::from_json(payload().to_string())?;
    let context = UserContext::from(user["attributes"].clone());
    let context = context.url(user["url"].as_str().unwrap_or_default());
    let gb = client.for_user(context).recording();
    for feature in FEATURES {
        gb.is_on(feature);
        gb.is_on(feature);
    }
    without_times(&gb.take_deferred_calls())
}

/// Returns what a callback receives for calls.
fn replay(calls: &Value) -> Result<Value, Box<dyn Error>> {
    let records = Arc::new(Mutex::new(Vec::new()));
    let received = records.clone();
    let client = Client::embedded()
        .on_experiment_viewed(move |viewed| {
            if let Ok(mut records) = received.lock() {
                records.push(viewed.to_record());
            }
        })
        .build()?;
    client.fire_deferred_calls(&DeferredCalls::from_json(&calls.to_string())?);
    let records = records.lock().map_err(|_| "a poisoned lock")?.drain(..).collect();
    without_times(&records)
}

/// Returns calls as JSON. The JavaScript SDK does not record the time.
fn without_times(calls: &DeferredCalls) -> Result<Value, Box<dyn Error>> {
    let mut calls: Value = serde_json::from_str(&calls.to_json())?;
    for call in calls.as_array_mut().into_iter().flatten() {
        call.as_object_mut().and_then(|call| call.remove("timestamp"));
    }
    Ok(calls)
}

fn expect(found: &Value, expected: &Value, what: &str) -> Result<(), Box<dyn Error>> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}:\nfound    {found}\nexpected {expected}").into())
}
