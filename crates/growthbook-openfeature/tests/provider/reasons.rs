//! Reasons, variants, metadata and error codes.

use growthbook::Client;
use growthbook_openfeature::GrowthBookProvider;
use open_feature::{EvaluationContext, EvaluationErrorCode as Code, StructValue};
use serde_json::{Value, json};

use crate::support::{client, code, flags_of, metadata, provider, reason, user};

fn features() -> Value {
    json!({
        "plain": {"defaultValue": 25},
        "whole": {"defaultValue": 17.0},
        "half": {"defaultValue": 17.5},
        "big": {"defaultValue": 9_223_372_036_854_775_807_i64},
        "too-big": {"defaultValue": 18_446_744_073_709_551_615_u64},
        "rule": {"defaultValue": 0, "rules": [{"id": "fr_1", "force": 1}]},
        "rule-without-id": {"defaultValue": 0, "rules": [{"force": 1}]},
        "split": {"defaultValue": 0, "rules": [{
            "id": "rule_7", "key": "exp", "phase": "2", "variations": [1, 1], "weights": [0, 1],
            "hashVersion": 2, "meta": [{"key": "control"}, {"key": "blue", "name": "Blue"}],
        }]},
        "rollout": {"defaultValue": 0, "rules": [
            {"id": "some", "condition": {"plan": "pro"}, "coverage": 1, "force": 1},
        ]},
        "targeted-split": {"defaultValue": 0, "rules": [
            {"key": "exp-2", "condition": {"plan": "pro"}, "variations": [1, 2]},
        ]},
        "by-company": {"defaultValue": 0, "rules": [
            {"key": "exp-3", "hashAttribute": "company", "variations": [1, 1]},
        ]},
        "child": {"defaultValue": 0, "rules": [
            {"parentConditions": [{"id": "rollout", "condition": {"value": 1}}], "force": 1},
        ]},
        "gated": {"defaultValue": 1, "rules": [
            {"parentConditions": [{"id": "plain", "condition": {"value": 1}, "gate": true}]},
        ]},
        "cyclic": {"defaultValue": 1, "rules": [
            {"parentConditions": [{"id": "cyclic", "condition": {"value": 1}}]},
        ]},
        "id-list": {"defaultValue": 0, "rules": [{"condition": {"id": {"$in": ["a"]}}, "force": 1}]},
        "null-in-list": {"defaultValue": {"a": [null]}},
    })
}

#[tokio::test]
async fn each_source_has_its_reason_and_variant() {
    let client = Client::embedded().features(features()).forced_features([("forced", json!(3))]);
    let client = client.build().unwrap();
    let flags = flags_of(GrowthBookProvider::new(client)).await;
    for (flag, value, expected, variant) in [
        ("plain", 25, "DEFAULT", None),
        ("rule", 1, "TARGETING_MATCH", Some("fr_1")),
        ("rule-without-id", 1, "TARGETING_MATCH", None),
        ("split", 1, "SPLIT", Some("blue")),
        ("forced", 3, "STATIC", None),
    ] {
        let details = flags.get_int_details(flag, Some(&user("u")), None).await.unwrap();
        assert_eq!(details.value, value, "{flag}");
        assert_eq!(reason(&details), (expected.into(), variant), "{flag}");
    }
}

#[tokio::test]
async fn metadata_describes_the_assignment() {
    let flags = flags_of(provider(features())).await;
    let details = flags.get_int_details("split", Some(&user("u")), None).await.unwrap();
    let mut metadata_of_split = metadata(&details);
    let bucket = metadata_of_split["bucket"].take();
    assert!(bucket.as_f64().is_some_and(|bucket| (0.0..1.0).contains(&bucket)));
    let expected = json!({
        "source": "experiment", "ruleId": "rule_7", "version": "2026-01-01T00:00:00.000Z",
        "experimentKey": "exp", "phase": "2", "inExperiment": true, "variationId": 1,
        "variationName": "Blue", "hashAttribute": "id", "hashUsed": true, "bucket": null,
        "stickyBucketUsed": false,
    });
    assert_eq!(metadata_of_split, expected);

    let details = flags.get_int_details("plain", None, None).await.unwrap();
    let expected = json!({"source": "defaultValue", "version": "2026-01-01T00:00:00.000Z"});
    assert_eq!(metadata(&details), expected);
}

#[tokio::test]
async fn sticky_assignment_is_in_the_metadata() {
    let store = memory_store();
    let client = Client::embedded().features(features()).sticky_bucket_store(store).build();
    let flags = flags_of(GrowthBookProvider::new(client.unwrap())).await;
    for expected in [false, true] {
        let details = flags.get_int_details("split", Some(&user("u")), None).await.unwrap();
        assert_eq!(metadata(&details)["stickyBucketUsed"], expected);
    }
}

/// A store in memory, in a few lines.
fn memory_store() -> impl growthbook::sticky::StickyBucketStore {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use growthbook::sticky::{
        StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError,
        StickyBuckets,
    };

    #[derive(Default)]
    struct Memory(Mutex<HashMap<StickyBucketKey, StickyBucketDocument>>);
    impl StickyBucketStore for Memory {
        fn get_all(
            &self,
            keys: &[StickyBucketKey],
        ) -> Result<StickyBuckets, StickyBucketStoreError> {
            let documents = self.0.lock().unwrap();
            Ok(keys.iter().filter_map(|key| documents.get(key).cloned()).collect())
        }

        fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
            self.0.lock().unwrap().insert(document.key().clone(), document.clone());
            Ok(())
        }
    }
    Memory::default()
}

#[tokio::test]
async fn whole_float_is_an_integer() {
    let flags = flags_of(provider(features())).await;
    assert_eq!(flags.get_int_value("whole", None, None).await.unwrap(), 17);
    assert_eq!(flags.get_float_value("whole", None, None).await.unwrap(), 17.0);
    assert_eq!(flags.get_float_value("plain", None, None).await.unwrap(), 25.0);
    assert_eq!(flags.get_int_value("big", None, None).await.unwrap(), i64::MAX);
    assert_eq!(flags.get_float_value("too-big", None, None).await.unwrap(), u64::MAX as f64);
    for flag in ["half", "too-big"] {
        assert_eq!(code(flags.get_int_value(flag, None, None).await), Some(Code::TypeMismatch));
    }
}

#[tokio::test]
async fn list_with_null_is_a_mismatch() {
    let flags = flags_of(provider(features())).await;
    let error = flags.get_struct_details::<StructValue>("null-in-list", None, None).await;
    let error = error.unwrap_err();
    assert_eq!(error.code, Code::TypeMismatch);
    assert!(error.message.unwrap().contains("a list contains null"));
}

#[tokio::test]
async fn failed_gate_disables_the_flag() {
    let flags = flags_of(provider(features())).await;
    let value = flags.get_int_value("gated", None, None).await;
    assert_eq!(value.clone().unwrap_or(10), 10);
    assert_eq!(code(value), Some(Code::General("DISABLED".into())));

    let flags = flags_of(provider(features()).empty_value_when_disabled(true)).await;
    let details = flags.get_int_details("gated", None, None).await.unwrap();
    assert_eq!((details.value, reason(&details)), (0, ("DISABLED".into(), None)));
    let details = flags.get_string_details("gated", None, None).await.unwrap();
    assert_eq!((&*details.value, &metadata(&details)["source"]), ("", &json!("prerequisite")));
}

#[tokio::test]
async fn cycle_is_an_error() {
    let flags = flags_of(provider(features())).await;
    for flags in [flags, flags_of(provider(features()).empty_value_when_disabled(true)).await] {
        let error = flags.get_int_value("cyclic", None, None).await.unwrap_err();
        assert_eq!(error.code, Code::ParseError);
        assert!(error.message.unwrap().contains("\"cyclic\""));
    }
}

#[tokio::test]
async fn missing_targeting_key_is_an_error_where_needed() {
    let flags = flags_of(provider(features())).await;
    let free = EvaluationContext::default();
    let pro = free.clone().with_custom_field("plan", "pro");
    let missing = Some(Code::TargetingKeyMissing);
    for (flag, context, expected) in [
        ("plain", &free, None),
        ("rule", &free, None),
        ("id-list", &free, None),
        ("by-company", &free, None),
        ("unknown", &free, Some(Code::FlagNotFound)),
        ("split", &free, missing.clone()),
        // The condition fails, with and without a key.
        ("rollout", &free, None),
        ("targeted-split", &free, None),
        ("child", &free, None),
        ("rollout", &pro, missing.clone()),
        ("targeted-split", &pro, missing.clone()),
        ("child", &pro, missing.clone()),
    ] {
        let result = flags.get_int_value(flag, Some(context), None).await;
        assert_eq!(code(result), expected, "{flag}");
        let with_key = context.clone().with_targeting_key("u");
        let result = flags.get_int_value(flag, Some(&with_key), None).await;
        assert_eq!(result.is_ok(), flag != "unknown", "{flag}");
    }
    // An empty key does not identify a user.
    let result = flags.get_int_value("split", Some(&user("")), None).await;
    assert_eq!(code(result), missing);
}

#[tokio::test]
async fn missing_targeting_key_skips_rules_if_allowed() {
    let flags = flags_of(provider(features()).require_targeting_key(false)).await;
    let details = flags.get_int_details("split", None, None).await.unwrap();
    assert_eq!((details.value, reason(&details)), (0, ("DEFAULT".into(), None)));
}

#[tokio::test]
async fn targeting_attribute_can_be_chosen() {
    let provider = GrowthBookProvider::new(client(features())).targeting_attribute("company");
    let flags = flags_of(provider).await;
    let details = flags.get_int_details("by-company", Some(&user("acme")), None).await.unwrap();
    assert_eq!(metadata(&details)["hashAttribute"], "company");
    let result = flags.get_int_value("by-company", None, None).await;
    assert_eq!(code(result), Some(Code::TargetingKeyMissing));
}
