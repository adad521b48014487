//! Remote evaluation where it differs from GrowthBook's package on purpose, and what a client gets.
//! The corpus `spec-tests/corpus/remote_eval.json` compares everything else.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::observe::{Exposure, Observer};
use growthbook_core::remote_eval::RemoteEvalRequest;
use growthbook_core::sticky::{StickyBucketDocument, StickyBuckets};
use growthbook_core::{Payload, UserContext};
use serde_json::{Value, json};

fn request(body: &Value) -> RemoteEvalRequest {
    RemoteEvalRequest::from_json(body.to_string()).unwrap()
}

fn respond(payload: &Value, body: &Value, buckets: Option<&mut StickyBuckets>) -> Payload {
    let payload = Payload::from_json(payload.to_string()).unwrap();
    let (snapshot, request) = (payload.compile(), request(body));
    let gb = snapshot.for_user(request.user());
    match buckets {
        Some(buckets) => gb.sticky(buckets).remote_eval(&payload),
        None => gb.remote_eval(&payload),
    }
}

fn response(payload: &Value, body: &Value) -> Value {
    serde_json::from_str(&respond(payload, body, None).to_json_string()).unwrap()
}

/// A payload with secrets, a prerequisite with an experiment, and an auto experiment.
fn payload() -> Value {
    json!({"features": {
        "base": {"defaultValue": false, "rules": [
            {"key": "p", "variations": [true, true], "condition": {"id": {"$ne": "secret-id"}}},
        ]},
        "child": {"defaultValue": "secret-default", "rules": [
            {"condition": {"plan": "secret-plan"}, "force": "secret-value"},
            {"key": "c", "variations": ["secret-a", "b"], "weights": [0, 1],
             "parentConditions": [{"id": "base", "condition": {"value": true}}]},
        ]},
        "plain": {"defaultValue": 1},
    }, "experiments": [
        {"key": "auto", "variations": [{"css": "secret-css"}, {"css": "b"}], "weights": [0, 1],
         "condition": {"id": {"$ne": "secret-id"}}},
    ]})
}

/// Notes the exposures, in order.
#[derive(Default)]
struct Viewed(Vec<String>);

impl Observer for Viewed {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let result = exposure.result;
        let (key, feature) = (exposure.experiment.key(), result.feature_id.unwrap_or("-"));
        self.0.push(format!("{key}={} of {feature}", result.variation_id));
    }
}

#[test]
fn client_gets_values_and_exposures_of_the_server() {
    let body = json!({"attributes": {"id": "user-1"}});
    let response = respond(&payload(), &body, None).compile();
    let payload = Payload::from_json(payload().to_string()).unwrap().compile();
    // The client knows its attributes, and the server's rules do not need them.
    let user = UserContext::new("user-1");
    let mut answers = [Viewed::default(), Viewed::default()].map(|viewed| (viewed, Vec::new()));
    for (snapshot, (viewed, values)) in [&payload, &response].into_iter().zip(&mut answers) {
        for key in ["child", "plain"] {
            let result = snapshot.for_user(&user).observed(&mut *viewed).eval_feature(key);
            values.push(result.value().clone());
        }
    }
    let [server, client] = answers;
    assert_eq!((&server.1, &client.1), (&vec![json!("b"), json!(1)], &server.1));
    let [first, second] = server.0.0.as_slice() else { panic!("{:?}", server.0.0) };
    assert!(["p=0 of base", "p=1 of base"].contains(&first.as_str()), "{first}");
    assert_eq!((second.as_str(), &client.0.0), ("c=1 of child", &server.0.0));
}

#[test]
fn response_reveals_nothing_of_others() {
    let body = json!({"attributes": {"id": "user-1"}});
    let text = respond(&payload(), &body, None).to_json_string();
    assert!(!text.contains("secret"), "{text}");
    assert!(!text.contains("\"condition\""), "{text}");
}

#[test]
fn only_tracked_features_have_rules() {
    let body = json!({"attributes": {"id": "user-1"}});
    let response = response(&payload(), &body);
    assert_eq!(response["features"]["plain"], json!({"defaultValue": 1}));
    let keys = |feature: &str| -> Vec<&str> {
        let tracks = response["features"][feature]["rules"][0]["tracks"].as_array().unwrap();
        tracks.iter().map(|track| track["experiment"]["key"].as_str().unwrap()).collect()
    };
    // The first feature has the auto experiment, and children repeat their prerequisites.
    assert_eq!(keys("base"), ["auto", "p"]);
    assert_eq!(keys("child"), ["p", "c"]);
    assert_eq!(
        response["experiments"],
        json!([{"key": "auto", "variations": [{}, {"css": "b"}], "weights": [0, 1]}])
    );
}

#[test]
fn forced_values_are_used_and_tracked() {
    let body = json!({
        "attributes": {"id": "user-1"},
        "forcedVariations": {"c": 0},
        "forcedFeatures": [["base", true], ["unknown", 1]],
    });
    let response = response(&payload(), &body);
    assert_eq!(response["features"].get("unknown"), None);
    let rule = &response["features"]["child"]["rules"][0];
    assert_eq!(rule["force"], "secret-a");
    assert_eq!(rule["tracks"].as_array().unwrap().len(), 1);
    assert_eq!(rule["tracks"][0]["experiment"]["variations"], json!(["secret-a", {}]));
    assert_eq!(rule["tracks"][0]["result"]["hashUsed"], false);
}

#[test]
fn fractional_variation_is_not_assigned() {
    let payload = json!({"features": {"f": {"defaultValue": "d", "rules": [
        {"key": "exp", "variations": ["a", "b"]},
    ]}}});
    let body = json!({"attributes": {"id": "1"}, "forcedVariations": {"exp": 0.5}});
    assert_eq!(response(&payload, &body)["features"], json!({"f": {"defaultValue": "d"}}));
}

#[test]
fn range_without_a_variation_is_not_tracked() {
    let payload = json!({"features": {"f": {"defaultValue": "d", "rules": [
        {"key": "exp", "variations": ["a", "b"], "ranges": [[0, 0], [0, 0], [0, 1]]},
    ]}}});
    let body = json!({"attributes": {"id": "1"}});
    assert_eq!(response(&payload, &body)["features"], json!({"f": {"defaultValue": "d"}}));
}

#[test]
fn bandit_uses_the_weights_of_the_leaf() {
    let payload = json!({
        "features": {"f": {"rules": [
            {"key": "exp", "contextualVariations": ["a", "b"], "contextualBanditRef": "cb"},
        ]}},
        "contextualBandits": {"cb": {"version": 3, "contexts": [
            {"leafId": 7, "condition": {"country": "US"}, "weights": [0, 1]},
            {"leafId": 8, "condition": {}, "weights": [1, 0]},
        ]}},
    });
    for (country, variation, leaf) in [("US", "b", 7), ("NL", "a", 8)] {
        let body = json!({"attributes": {"id": "1", "country": country}});
        let response = response(&payload, &body);
        let rule = &response["features"]["f"]["rules"][0];
        assert_eq!(
            (&rule["force"], &rule["tracks"][0]["result"]["leafId"]),
            (&json!(variation), &json!(leaf))
        );
        assert_eq!(rule["tracks"][0]["experiment"]["contextualBandit"]["leafId"], leaf);
    }
}

#[test]
fn auto_experiments_keep_sticky_assignments() {
    let payload = json!({"features": {}, "experiments": [
        {"key": "auto", "variations": [{"css": "a"}, {"css": "b"}], "weights": [0, 1],
         "meta": [{"key": "a"}, {"key": "b"}]},
        {"key": "new", "variations": [{"css": "a"}, {"css": "b"}]},
    ]});
    let document: StickyBucketDocument = serde_json::from_value(json!({
        "attributeName": "id", "attributeValue": "1",
        "assignments": {"auto__0": "a", "other__0": "x"},
    }))
    .unwrap();
    let mut buckets: StickyBuckets = [document].into_iter().collect();
    let body = json!({"attributes": {"id": "1"}});
    let response = respond(&payload, &body, Some(&mut buckets)).to_json_string();
    let response: Value = serde_json::from_str(&response).unwrap();
    assert_eq!(response["experiments"][0]["variations"], json!([{"css": "a"}, {}]));
    let changed = buckets.take_changed();
    assert_eq!(changed.len(), 1);
    let keys: Vec<&str> = changed[0].assignments.keys().map(|key| &**key).collect();
    assert_eq!(keys, ["auto__0", "new__0", "other__0"]);
}

#[test]
fn other_sections_stay_as_written() {
    let text = concat!(
        r#"{"status":200,"features":{"b":{"defaultValue":9007199254740993},"10":5},"#,
        r#""savedGroups":{"g":[1,  2]},"new":[ 1e400 ],"experiments":[7,{"key":1}]}"#
    );
    let payload = Payload::from_json(text).unwrap();
    let response = payload.compile().for_user(&UserContext::default()).remote_eval(&payload);
    assert_eq!(
        response.to_json_string(),
        concat!(
            r#"{"status":200,"features":{"10":{"defaultValue":null},"#,
            r#""b":{"defaultValue":9007199254740993}},"#,
            r#""savedGroups":{"g":[1,  2]},"new":[ 1e400 ],"experiments":[]}"#
        )
    );
}
