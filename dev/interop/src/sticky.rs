//! Sticky buckets: the JavaScript SDK's `RedisStickyBucketService`, and our store.

use std::error::Error;
use std::time::Duration;

use growthbook::sticky::{RedisStickyBucketOptions, RedisStickyBucketStore, StickyBucketStore};
use growthbook::{Client, redis};
use serde_json::{Value, json};
use test_server::redis::RedisServer;

use crate::script;

const FEATURES: [&str; 2] = ["checkout", "banner"];

/// Returns a payload whose experiments give this variation to every user without a sticky bucket.
fn payload(variation: usize) -> Value {
    let weights: Vec<u8> = (0..3).map(|index| u8::from(index == variation)).collect();
    let rule = |key: &str, attribute: &str, fallback: Option<&str>| {
        json!({
            "key": key, "seed": key, "hashAttribute": attribute, "fallbackAttribute": fallback,
            "hashVersion": 2, "bucketVersion": 1, "minBucketVersion": 0, "weights": weights,
            "variations": ["control", "red", "grün"],
            "meta": [{"key": "0"}, {"key": "rot"}, {"key": "grün"}],
        })
    };
    json!({"features": {
        "checkout": {"defaultValue": null, "rules": [rule("checkout", "id", Some("deviceId"))]},
        "banner": {"defaultValue": null, "rules": [rule("banner", "company", None)]},
    }})
}

fn users() -> Vec<Value> {
    vec![
        json!({"id": "user-1", "company": "acme"}),
        json!({"id": 42, "company": 7.5}),
        json!({"id": "ünal", "deviceId": "設備"}),
        // This user has only the fallback attribute.
        json!({"deviceId": "device-2", "company": "a||b"}),
        json!({"id": "", "deviceId": "device-3"}),
        json!({"id": 1e21, "company": "\"quoted\" \\ \u{1f600}"}),
        json!({"id": -0.5}),
        json!({}),
    ]
}

pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    for merge in [false, true] {
        let redis = RedisServer::start();
        let assigned = ours(&redis, 1, merge)?;
        expect(&theirs(&redis, 2)?, &stuck(&assigned), "the JavaScript SDK reads our assignments")?;
        println!("sticky buckets: merge {merge}: the JavaScript SDK reads our documents");

        let redis = RedisServer::start();
        let assigned = theirs(&redis, 1)?;
        expect(
            &ours(&redis, 2, merge)?,
            &stuck(&assigned),
            "we read the assignments of the JavaScript SDK",
        )?;
        println!("sticky buckets: merge {merge}: we read the documents of the JavaScript SDK");
    }
    Ok(())
}

/// Returns the same answers, but every variation comes from a document.
fn stuck(answers: &Value) -> Value {
    let mut answers = answers.clone();
    for answer in answers.as_array_mut().into_iter().flatten() {
        for part in answer.as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
            let is_assigned = part.get(0).is_some_and(|key| !key.is_null());
            if let Some(is_stuck) = part.get_mut(1) {
                *is_stuck = Value::from(is_assigned);
            }
        }
    }
    answers
}

fn theirs(redis: &RedisServer, variation: usize) -> Result<Value, Box<dyn Error>> {
    let question = json!({
        "redis": redis.url(), "payload": payload(variation), "users": users(),
        "features": FEATURES,
    });
    script::javascript("sticky.mjs", &question)
}

fn ours(redis: &RedisServer, variation: usize, merge: bool) -> Result<Value, Box<dyn Error>> {
    let client = Client::from_json(payload(variation).to_string())?;
    let document = client.payload().to_json_string();
    let options = RedisStickyBucketOptions::new().merge(merge).deadline(Duration::from_secs(5));
    let store = RedisStickyBucketStore::with_options(redis::Client::open(redis.url())?, options);
    let client = with_store(&document, store)?;
    let mut answers = Vec::new();
    for user in users() {
        let scope = client.for_user(user);
        let mut answer = serde_json::Map::new();
        for feature in FEATURES {
            let result = scope.eval_feature(feature);
            let assigned = result.experiment_result.as_ref().filter(|it| it.in_experiment);
            let key = assigned.map(|it| it.key);
            let is_stuck = assigned.is_some_and(|it| it.sticky_bucket_used);
            answer.insert(feature.into(), json!([key, is_stuck]));
        }
        answers.push(Value::from(answer));
    }
    Ok(Value::from(answers))
}

fn with_store(
    document: &str,
    store: impl StickyBucketStore + 'static,
) -> Result<Client, Box<dyn Error>> {
    Ok(growthbook::Client::embedded().payload(document).sticky_bucket_store(store).build()?)
}

fn expect(answers: &Value, expected: &Value, what: &str) -> Result<(), Box<dyn Error>> {
    if answers == expected {
        return Ok(());
    }
    Err(format!("{what}, but the answers differ:\n  got      {answers}\n  expected {expected}")
        .into())
}
