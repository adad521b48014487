//! The events of the JavaScript SDK's tracking plugin and of ours, compared member by member.

use std::error::Error;
use std::time::Duration;

use growthbook::ingestor::{IngestorTracking, TrackingOptions};
use growthbook::{Client, UserContext};
use serde_json::{Map, Value, json};
use test_server::FeaturesServer;

use crate::script::javascript;

/// Members that name the SDK.
const OWN_MEMBERS: [&str; 2] = ["sdk_language", "sdk_version"];
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    let question = question();
    let theirs = events(|ingestor| {
        let mut question = question.clone();
        question["ingestor"] = ingestor.into();
        javascript("tracking.mjs", &question).map(drop)
    })?;
    let ours = events(|ingestor| send(&question, ingestor))?;
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        if ours != theirs {
            return Err(
                format!("event {index} differs\nours:   {ours}\nJavaScript: {theirs}").into()
            );
        }
    }
    if ours.len() != theirs.len() {
        return Err(format!("{} events, and {} of JavaScript", ours.len(), theirs.len()).into());
    }
    println!("tracking: {} events are those of the JavaScript SDK", ours.len());
    Ok(())
}

/// Returns the events that an ingestor receives, without the members that name the SDK.
fn events(
    send: impl FnOnce(&str) -> Result<(), Box<dyn Error>>,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let server = FeaturesServer::start("{}");
    send(&server.url())?;
    let mut events = Vec::new();
    for request in server.requests() {
        assert_eq!(request.path, "/track?client_key=sdk-abc123");
        events.extend(serde_json::from_slice::<Vec<Value>>(&request.body)?);
    }
    for event in &mut events {
        let members = event.as_object_mut().ok_or("an event is not an object")?;
        for name in OWN_MEMBERS {
            members.remove(name).ok_or_else(|| format!("an event lacks {name}"))?;
        }
    }
    Ok(events)
}

/// Sends the events of a question with our plugin.
fn send(question: &Value, ingestor: &str) -> Result<(), Box<dyn Error>> {
    let options = TrackingOptions::new().host(ingestor).client_key("sdk-abc123");
    let tracking = IngestorTracking::new(options)?;
    let client = Client::embedded()
        .payload(question["payload"].to_string())
        .attributes(question["globalAttributes"].clone())
        .plugin(tracking.clone())
        .build()?;
    for user in array(&question["users"]) {
        let forced_variations = object(&user["forcedVariations"]);
        let forced_variations =
            forced_variations.iter().filter_map(|(key, index)| Some((&**key, index.as_i64()?)));
        let forced_features = object(&user["forcedFeatures"]);
        let context = UserContext::from_attributes(user["attributes"].clone())
            .url(user["url"].as_str().unwrap_or_default())
            .forced_variations(forced_variations)
            .forced_features(forced_features);
        let scope = client.for_user(context);
        for feature in array(&user["features"]).iter().filter_map(Value::as_str) {
            scope.eval_feature(feature);
        }
        for event in array(&user["events"]) {
            scope.log_event(event[0].as_str().unwrap_or_default(), object(&event[1]));
        }
    }
    tracking.close(DEADLINE)?;
    Ok(())
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Returns the payload and the users that both SDKs evaluate.
fn question() -> Value {
    let experiment = |key: &str| {
        json!({"rules": [{
            "key": key, "name": "Color", "phase": "1", "variations": ["red", "blue"],
            "meta": [{"key": "r", "name": "Red"}, {"key": "b", "name": "Blue"}],
        }]})
    };
    let user = |attributes: Value| {
        json!({
            "attributes": attributes, "url": "https://example.com/a?b=c#d",
            "forcedVariations": {}, "forcedFeatures": {},
            "features": [
                "default", "force", "experiment", "plain", "experiment", "gated", "numeric",
                "company", "passthrough", "unknown", "off",
            ],
            "events": [["Clicked", {"button": "buy", "count": 2}], ["Bare", {}], ["Clicked", {}]],
        })
    };
    let mut forced = user(json!({"id": "forced"}));
    forced["forcedVariations"] = json!({"experiment": 1, "plain": 0});
    forced["forcedFeatures"] = json!({"default": "other", "new": 1});
    forced["features"] = json!(["default", "new", "experiment", "plain"]);
    json!({
        "clientKey": "sdk-abc123",
        "globalAttributes": {"region": "eu", "plan": "free", "pageTitle": "Global"},
        "payload": {"features": {
            "default": {"defaultValue": {"a": [1, 2.5, null]}},
            "force": {"defaultValue": 0, "rules": [
                {"id": "fr_1", "condition": {"country": "US"}, "force": 1},
                {"force": 2},
            ]},
            "experiment": experiment("experiment"),
            "plain": {"rules": [{"variations": [0, 1], "id": "r_plain"}]},
            "gated": {"defaultValue": 1, "rules": [{
                "parentConditions": [{"id": "experiment", "condition": {"value": "blue"}}],
                "force": 2,
            }]},
            "numeric": {"rules": [
                {"key": "numeric", "hashAttribute": "number", "variations": [1, 2]},
            ]},
            "company": {"rules": [
                {"key": "company", "hashAttribute": "company", "variations": [1, 2]},
            ]},
            "passthrough": {"defaultValue": 9, "rules": [{
                "key": "holdout", "variations": [0, 1],
                "meta": [{"passthrough": true}, {"passthrough": true}],
            }]},
            "off": {"defaultValue": false, "rules": [
                {"key": "off", "active": false, "variations": [1, 2], "coverage": 0},
            ]},
        }},
        "users": [
            user(json!({"id": "u1", "country": "US", "company": "c1", "number": 12.5})),
            user(json!({
                "id": "u2", "user_id": "person", "device_id": "phone", "page_id": "p",
                "session_id": "s", "plan": "pro", "tags": ["a", "b"], "nested": {"x": {"y": null}},
                "utmSource": "mail", "utmMedium": "m", "utmCampaign": "c", "utmTerm": "t",
                "utmContent": "", "pageTitle": "Own", "number": 12.5,
            })),
            user(json!({"id": 7, "user_id": 8, "page_id": false, "utmSource": 3})),
            user(json!({"id": "", "anonymous_id": "anonymous", "device_id": ""})),
            user(json!({})),
            // The same events again: both plugins drop them, but for the logged ones.
            user(json!({"id": "u1", "country": "US", "company": "c1", "number": 12.5})),
            forced,
        ],
    })
}
