//! Events: exposures of evaluations and of `tracks`, and their owned records.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::event::{EventUser, ExperimentViewed, ExperimentViewedRecord, FeatureUsage};
use growthbook_core::observe::{Exposure, Observer};
use growthbook_core::{GlobalContext, Payload, UserContext};
use serde_json::{Value, json};

/// Keeps a record of each exposure, and the names of the experiments that ran.
struct Recorder<'a> {
    user: EventUser<'a>,
    exposures: Vec<ExperimentViewedRecord>,
    ran: Vec<(String, bool)>,
}

impl Observer for Recorder<'_> {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        self.exposures.push(ExperimentViewed::new(exposure, self.user, 42).to_record());
    }

    fn wants_results(&self) -> bool {
        true
    }

    fn experiment_ran(&mut self, result: &Exposure<'_>) {
        self.ran.push((result.experiment.key().into(), result.result.in_experiment));
    }
}

/// Evaluates the feature `flag`.
fn record(
    features: &Value,
    user: &UserContext,
) -> (Vec<ExperimentViewedRecord>, Vec<(String, bool)>) {
    let snapshot = Payload::from_parts(features, None).unwrap().compile();
    assert_eq!(snapshot.warnings(), []);
    let user = EventUser::new(user);
    let mut recorder = Recorder { user, exposures: Vec::new(), ran: Vec::new() };
    snapshot.for_user(user.context()).observed(&mut recorder).eval_feature("flag");
    (recorder.exposures, recorder.ran)
}

#[test]
fn exposure_serializes_as_a_tracking_call() {
    let features = json!({"flag": {"rules": [{
        "key": "exp", "name": "Experiment", "phase": "1", "variations": ["a", "b"],
        "weights": [0, 1], "meta": [{"key": "v0"}, {"key": "v1", "name": "Blue"}],
    }]}});
    let user = UserContext::new(7).attribute("plan", "pro").url("https://example.com/");
    let (exposures, _) = record(&features, &user);
    let bucket = exposures[0].result.bucket;
    assert_eq!(
        serde_json::to_value(&exposures).unwrap(),
        json!([{
            "experiment": {
                "key": "exp", "name": "Experiment", "phase": "1", "variations": ["a", "b"],
                "weights": [0, 1], "meta": [{"key": "v0"}, {"key": "v1", "name": "Blue"}],
            },
            "result": {
                "value": "b", "key": "v1", "name": "Blue", "featureId": "flag", "bucket": bucket,
                "inExperiment": true, "hashUsed": true, "variationId": 1, "hashAttribute": "id",
                "hashValue": 7, "stickyBucketUsed": false,
            },
            "user": {"attributes": {"id": 7, "plan": "pro"}, "url": "https://example.com/"},
            "timestamp": 42,
        }])
    );
    assert_eq!(exposures[0].user_id().as_deref(), Some("7"));
    assert_eq!(exposures[0].hash_value_text(), "7");
}

#[test]
fn bandit_is_in_the_tracking_call() {
    let payload = json!({
        "features": {"flag": {"rules": [{
            "key": "exp", "contextualVariations": ["a", "b"], "contextualBanditRef": "cb",
        }]}},
        "contextualBandits": {"cb": {"banditVersion": 3, "contexts": [
            {"leafId": 5, "weights": [0.1, 0.9]}]}},
    });
    let snapshot = Payload::from_json(payload.to_string()).unwrap().compile();
    let user = UserContext::new("1");
    let mut recorder =
        Recorder { user: EventUser::new(&user), exposures: Vec::new(), ran: Vec::new() };
    snapshot.for_user(&user).observed(&mut recorder).is_on("flag");
    let call = serde_json::to_value(&recorder.exposures[0]).unwrap();
    assert_eq!(call["experiment"]["weights"], json!([0.1, 0.9]));
    let members = json!({"leafId": 5, "variationWeights": [0.1, 0.9], "banditVersion": 3});
    assert_eq!(call["experiment"]["contextualBandit"], members);
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(call["result"][name], *value);
    }
    let again: ExperimentViewedRecord = serde_json::from_value(call.clone()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), call);
}

#[test]
fn tracking_calls_of_other_sdks_are_read() {
    let cases = [
        // Python writes null for an unset member.
        json!({"experiment": {"key": "e", "variations": [0, 1], "name": null},
            "result": {"variationId": 1, "key": "1", "bucket": null, "featureId": null,
                "inExperiment": true, "hashUsed": false, "hashAttribute": "id", "hashValue": "u"},
            "user": {"attributes": null, "url": null}}),
        json!({"experiment": {"key": "e"}, "result": {"variationId": 1}}),
        json!({"experiment": {"key": "e"}, "result": {"variationId": 1}, "user": null}),
    ];
    for case in cases {
        let call: ExperimentViewedRecord = serde_json::from_value(case).unwrap();
        assert_eq!(call.experiment.key(), "e");
        assert_eq!((call.result.variation_id, call.result.key.as_str()), (1, "1"));
        call.with_view(|viewed| {
            assert_eq!(viewed.properties()["variationId"], "1");
            assert_eq!(viewed.user.url(), "");
        });
    }
    let broken = [
        json!({"result": {}}),
        json!({"experiment": {}, "result": {}}),
        json!(5),
        json!({"experiment": {"key": "e"}, "result": 5}),
    ];
    for case in broken {
        assert!(serde_json::from_value::<ExperimentViewedRecord>(case).is_err());
    }
}

#[test]
fn tracks_are_reported_when_the_rule_applies() {
    let track = |key: &str| {
        json!({"experiment": {"key": key, "variations": [{}, "b"]},
            "result": {"key": "v1", "variationId": 1, "value": "b", "inExperiment": true,
                "hashUsed": false, "hashAttribute": "id", "hashValue": "1", "featureId": "parent"}})
    };
    let features = json!({"flag": {"rules": [
        {"condition": {"id": "2"}, "force": 1, "tracks": [track("skipped")]},
        {"coverage": 1, "force": 2, "tracks": [track("first"), track("second")]},
        {"force": 3, "tracks": [track("never")]},
    ]}});
    let (exposures, ran) = record(&features, &UserContext::new("1"));
    let keys: Vec<&str> = exposures.iter().map(|it| it.experiment.key()).collect();
    assert_eq!(keys, ["first", "second"]);
    assert!(ran.is_empty());
    let call = serde_json::to_value(&exposures[0]).unwrap();
    assert_eq!(call["experiment"], track("first")["experiment"]);
    assert_eq!(call["result"]["value"], "b");
    assert_eq!(call["result"]["featureId"], "parent");
}

#[test]
fn broken_track_is_left_out_with_a_warning() {
    let features = json!({"flag": {"rules": [{"id": "r", "force": 1, "tracks": [
        5, {"experiment": {}, "result": {}}, {"experiment": {"key": "e"}, "result": {}},
    ]}, {"id": "s", "force": 2, "tracks": 5}]}});
    let snapshot = Payload::from_parts(&features, None).unwrap().compile();
    let warnings: Vec<String> = snapshot.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            r#"feature "flag", rule 0 (r): "experiment" must be an object"#,
            r#"feature "flag", rule 0 (r): "key" must be a string"#,
            r#"feature "flag", rule 1 (s): "tracks" must be a list"#,
        ]
    );
    assert_eq!(snapshot.for_user(&UserContext::new("1")).feature_value("flag", 0), 1);
}

#[test]
fn results_are_reported_for_excluded_users() {
    let features = json!({"flag": {"rules": [
        {"key": "out", "variations": [0, 1], "condition": {"id": "2"}},
        {"key": "in", "variations": [0, 1]},
    ]}});
    let (exposures, ran) = record(&features, &UserContext::new("1"));
    assert_eq!(exposures.len(), 1);
    assert_eq!(ran, [("out".to_owned(), false), ("in".to_owned(), true)]);
}

#[test]
fn usage_has_the_properties_of_the_event() {
    let features = json!({"flag": {"defaultValue": 5}, "exp": {"rules": [
        {"id": "r1", "variations": ["a", "b"], "weights": [0, 1]}]}});
    let snapshot = Payload::from_parts(&features, None).unwrap().compile();
    let (user, globals) = (UserContext::new("1"), GlobalContext::new().url("https://x/"));
    let gb = snapshot.for_user_with(&globals, &user);
    let cases = [
        (
            "flag",
            json!({"feature": "flag", "source": "defaultValue", "value": 5,
            "ruleId": "$default", "variationId": ""}),
        ),
        (
            "exp",
            json!({"feature": "exp", "source": "experiment", "value": "b",
            "ruleId": "r1", "variationId": "1"}),
        ),
        (
            "no",
            json!({"feature": "no", "source": "unknownFeature", "value": null,
            "ruleId": "", "variationId": ""}),
        ),
    ];
    for (key, expected) in cases {
        let result = gb.eval_feature(key);
        let event_user = EventUser::new(&user).with_globals(&globals);
        let usage = FeatureUsage::new(key, &result, event_user, 42);
        assert_eq!(Value::Object(usage.properties()), expected);
        let mut record = serde_json::to_value(usage.to_record()).unwrap();
        let user = record.as_object_mut().unwrap().remove("user");
        assert_eq!(user, Some(json!({"attributes": {"id": "1"}, "url": "https://x/"})));
        let timestamp = record.as_object_mut().unwrap().remove("timestamp");
        assert_eq!(timestamp, Some(json!(42)));
        assert_eq!(record, expected);
    }
}

#[test]
fn owned_result_serializes_like_the_result() {
    let payload = json!({
        "features": {
            "default": {"defaultValue": {"a": [1.5, null]}},
            "empty": {},
            "forced": {"rules": [{"id": "fr_1", "force": "x"}]},
            "experiment": {"rules": [{
                "id": "fr_2", "key": "exp", "name": "Experiment", "variations": ["a", "b"],
                "weights": [0, 1], "meta": [{"key": "v0"}, {"key": "v1", "name": "Blue"}],
            }]},
            "bandit": {"rules": [{
                "key": "exp", "contextualVariations": ["a", "b"], "contextualBanditRef": "cb",
            }]},
            "gated": {"rules": [
                {"parentConditions": [{"id": "empty", "condition": {"value": 1}, "gate": true}]},
            ]},
        },
        "contextualBandits": {"cb": {"banditVersion": 3, "contexts": [
            {"leafId": 5, "weights": [0.1, 0.9]}]}},
    });
    let snapshot = Payload::from_json(payload.to_string()).unwrap().compile();
    let user = UserContext::new("u").forced_feature("override", 1);
    let gb = snapshot.for_user(&user);
    let keys =
        ["default", "empty", "forced", "experiment", "bandit", "gated", "override", "unknown"];
    for key in keys {
        let result = gb.eval_feature(key);
        let record = result.to_record();
        assert_eq!(record.source, result.source, "{key}");
        let (owned, borrowed) = (serde_json::to_string(&record), serde_json::to_string(&result));
        assert_eq!(owned.unwrap(), borrowed.unwrap(), "{key}");
    }
    assert!(gb.eval_feature("bandit").to_record().experiment.unwrap().contextual_bandit.is_some());
    // The user's id is not printed.
    let secret = UserContext::new("s3cret");
    let record = snapshot.for_user(&secret).eval_feature("experiment").to_record();
    assert!(!format!("{record:?}").contains("s3cret"));
}
