//! Events and counters of evaluations.

use std::sync::{Arc, Mutex};

use growthbook::Client;
use growthbook::tracking::{
    EVALUATION_TARGET, MAX_TRACED_VALUE_BYTES, MetricsPlugin, TracedValues, TracingPlugin,
};
use opentelemetry_semantic_conventions::attribute;
use serde_json::{Map, Value, json};

use crate::recorder;
use crate::subscriber::{self, Recorded};
use crate::support::{ATTRIBUTE, DATE_UPDATED, builder, built, scope};

/// Returns the fields of the events of a call.
fn fields(call: impl FnOnce()) -> Vec<Map<String, Value>> {
    let recorded = subscriber::Memory::default().record(call);
    recorded.into_iter().map(|it: Recorded| it.fields).collect()
}

/// Returns the fields of the last event of a question.
fn event(client: &Client, key: &str) -> Map<String, Value> {
    fields(|| {
        scope(client).is_on(key);
    })
    .pop()
    .unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn each_source_has_its_event() {
    // Feature, reason, and the other fields: variant, value, type of error.
    let cases = [
        ("default", "default", json!({"feature_flag.result.value": 7})),
        ("force", "targeting_match", json!({"feature_flag.result.value": "forced"})),
        ("experiment", "split", json!({"feature_flag.result.variant": "treatment"})),
        ("override", "static", json!({"feature_flag.result.value": "in code"})),
        ("prerequisite", "disabled", json!({})),
        ("unknown", "error", json!({"error.type": "flag_not_found"})),
        ("cyclic", "error", json!({"error.type": "general"})),
        // The variation of a holdout does not decide.
        ("holdout", "targeting_match", json!({"feature_flag.result.value": 3})),
    ];
    let client = built(builder().plugin(TracingPlugin::new()));
    for (key, reason, others) in cases {
        let events = fields(|| {
            scope(&client).is_on(key);
        });
        let mut expected = object(others);
        expected.extend(object(json!({
            "feature_flag.key": key,
            "feature_flag.provider.name": "growthbook",
            "feature_flag.result.reason": reason,
            "feature_flag.version": DATE_UPDATED,
        })));
        assert_eq!(events.last(), Some(&expected), "{key}");
        // Every way of asking reports the same.
        let of_result = fields(|| {
            scope(&client).eval_feature(key);
        });
        assert_eq!(of_result, events);
        let of_value = fields(|| {
            scope(&client).feature_value(key, 0);
        });
        assert_eq!(of_value, events);
    }
}

#[test]
fn event_has_name_target_and_level() {
    let client = built(builder().plugin(TracingPlugin::new()));
    let recorded = subscriber::Memory::default().record(|| {
        // The prerequisite `off` has an event of its own, before the feature.
        scope(&client).is_on("prerequisite");
    });
    let keys: Vec<&Value> = recorded.iter().map(|it| &it.fields["feature_flag.key"]).collect();
    assert_eq!(keys, ["off", "prerequisite"]);
    for event in &recorded {
        let described = (event.name, event.target, event.level.as_str());
        assert_eq!(described, ("feature_flag.evaluation", EVALUATION_TARGET, "INFO"));
    }
}

#[test]
fn names_are_those_of_the_conventions() {
    let plugin = TracingPlugin::new().set_id("web").context_id("id").values(TracedValues::Always);
    let client = built(builder().plugin(plugin));
    let mut names: Vec<String> = Vec::new();
    for key in ["experiment", "unknown"] {
        names.extend(event(&client, key).keys().cloned());
    }
    names.sort();
    names.dedup();
    let mut expected = [
        attribute::ERROR_TYPE,
        attribute::FEATURE_FLAG_CONTEXT_ID,
        attribute::FEATURE_FLAG_KEY,
        attribute::FEATURE_FLAG_PROVIDER_NAME,
        attribute::FEATURE_FLAG_RESULT_REASON,
        attribute::FEATURE_FLAG_RESULT_VALUE,
        attribute::FEATURE_FLAG_RESULT_VARIANT,
        attribute::FEATURE_FLAG_SET_ID,
        attribute::FEATURE_FLAG_VERSION,
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn optional_fields_are_opted_in() {
    let one = |plugin: TracingPlugin, key: &str| event(&built(builder().plugin(plugin)), key);
    let event = one(TracingPlugin::new().set_id("web/production").context_id("plan"), "default");
    assert_eq!(event["feature_flag.set.id"], "web/production");
    assert_eq!(event["feature_flag.context.id"], ATTRIBUTE);
    let event = one(TracingPlugin::new().context_id("missing"), "default");
    assert_eq!(event.get("feature_flag.context.id"), None);

    let value = "feature_flag.result.value";
    let always = || TracingPlugin::new().values(TracedValues::Always);
    assert_eq!(one(always(), "experiment").get(value), Some(&json!("b")));
    assert_eq!(one(always(), "default").get(value), Some(&json!(7)));
    let never = TracingPlugin::new().values(TracedValues::Never);
    assert_eq!(one(never, "default").get(value), None);
}

#[test]
fn values_keep_their_type() {
    let long = "é".repeat(MAX_TRACED_VALUE_BYTES);
    let odd = format!("x{long}");
    let cases = [
        (json!(true), json!(true)),
        (json!(-3), json!(-3)),
        (json!(u64::MAX), json!(u64::MAX)),
        (json!(2.5), json!(2.5)),
        (json!("text"), json!("text")),
        (json!([1, "a"]), json!(r#"[1,"a"]"#)),
        (json!({"rps": 5}), json!(r#"{"rps":5}"#)),
        (json!(long), json!("é".repeat(MAX_TRACED_VALUE_BYTES / 2))),
        // A character is not cut.
        (json!(odd), json!(format!("x{}", "é".repeat(MAX_TRACED_VALUE_BYTES / 2 - 1)))),
        (json!([odd]), json!(format!("[\"x{}", "é".repeat(MAX_TRACED_VALUE_BYTES / 2 - 2)))),
    ];
    for (value, expected) in cases {
        let features = json!({"flag": {"defaultValue": value}});
        let builder = Client::embedded().features(features).plugin(TracingPlugin::new());
        let client = built(builder);
        let event = event(&client, "flag");
        assert_eq!(event.get("feature_flag.result.value"), Some(&expected));
        // The payload has no date.
        assert_eq!(event.get("feature_flag.version"), None);
    }
}

#[test]
fn no_attribute_is_reported_by_default() {
    let client = built(builder().plugin(TracingPlugin::new().values(TracedValues::Always)));
    let recorded = subscriber::Memory::default().record(|| {
        let scope = scope(&client);
        for key in ["default", "force", "experiment", "override", "prerequisite", "unknown"] {
            scope.is_on(key);
        }
    });
    assert_eq!(recorded.len(), 7);
    let text = format!("{recorded:?} {:?}", TracingPlugin::new().context_id("id"));
    assert!(!text.contains(ATTRIBUTE), "{text}");
}

#[test]
fn plugin_of_a_scope_reports_too() {
    let client = built(builder());
    let events = fields(|| {
        scope(&client).is_on("default");
        scope(&client).with_plugin(TracingPlugin::new()).is_on("override");
    });
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["feature_flag.key"], "override");
}

#[test]
fn panic_of_a_subscriber_costs_no_answer() {
    let client = built(builder().plugin(TracingPlugin::new()));
    let subscriber = subscriber::Memory::panicking();
    subscriber.record(|| assert!(scope(&client).is_on("default")));
    assert_eq!(client.status().lost_events, 1);
}

#[test]
fn overrides_are_reported_on_request_only() {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let used = keys.clone();
    let client = built(
        builder()
            .plugin(TracingPlugin::new())
            .on_feature_usage(move |usage| used.lock().unwrap().push(usage.key.to_owned())),
    );
    let events = fields(|| {
        scope(&client).is_on("override");
        scope(&client).is_on("default");
    });
    assert_eq!(events.len(), 2);
    assert_eq!(*keys.lock().unwrap(), ["default"]);
}

#[test]
fn events_are_counted_by_source() {
    let recorder = recorder::Memory::default();
    recorder.record(|| {
        let client = built(builder().plugin(MetricsPlugin::new()));
        let scope = scope(&client);
        for key in ["force", "experiment", "override", "prerequisite", "unknown", "cyclic"] {
            scope.is_on(key);
        }
        for _ in 0..3 {
            scope.is_on("default");
            scope.is_on("experiment");
        }
        scope.log_event("Sign Up", [("plan", json!(ATTRIBUTE))]);
        client.set_payload(json!({"features": {}}).to_string()).unwrap();
    });
    let expected = [
        ("growthbook_evaluations_total{source=cyclicPrerequisite}", 1),
        // The prerequisite `off` counts by itself.
        ("growthbook_evaluations_total{source=defaultValue}", 4),
        ("growthbook_evaluations_total{source=experiment}", 4),
        ("growthbook_evaluations_total{source=force}", 1),
        ("growthbook_evaluations_total{source=override}", 1),
        ("growthbook_evaluations_total{source=prerequisite}", 1),
        ("growthbook_evaluations_total{source=unknownFeature}", 1),
        ("growthbook_exposures_total", 1),
        ("growthbook_logged_events_total", 1),
        ("growthbook_payload_changes_total", 1),
    ];
    assert_eq!(recorder.counters(), expected.map(|(name, count)| (name.to_owned(), count)));
    // Each counter is described. No event was lost.
    let described = recorder.described();
    assert_eq!(described.len(), 6);
    for (name, _) in expected {
        assert!(described.iter().any(|it| name.starts_with(it)), "{name}");
    }
}
