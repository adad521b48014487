//! Explanations: their text, and that they agree with evaluation.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::sticky::StickyBuckets;
use growthbook_core::{Payload, Snapshot, UserContext};
use proptest::prelude::*;
use serde_json::json;

const PAYLOAD: &str = r#"{
    "features": {
        "parent": {"defaultValue": "off", "rules": [
            {"id": "p1", "condition": {"beta": true}, "force": "on"}
        ]},
        "child": {"defaultValue": 0, "rules": [
            {"id": "gate", "parentConditions": [
                {"id": "parent", "condition": {"value": "on"}, "gate": true}]},
            {"id": "c1", "force": 1}
        ]},
        "loop": {"defaultValue": 0, "rules": [
            {"parentConditions": [{"id": "loop", "condition": {"value": 1}}], "force": 1}
        ]},
        "mixed": {"defaultValue": "default", "rules": [
            {"id": "r0", "parentConditions": [{"id": "parent", "condition": {"value": "on"}}], "force": 0},
            {"id": "r1", "filters": [{"seed": "s", "ranges": [[0, 0.1]]}], "force": 1},
            {"id": "r2", "condition": {"age": {"$gte": 18, "$lt": 65}, "country": {"$in": ["US", "CA"]}}, "force": 2},
            {"id": "r3", "condition": {"$or": [{"plan": "pro"}, {"tags": {"$elemMatch": {"$eq": "vip"}}}]}, "force": 3},
            {"id": "r4", "condition": {"id": {"$inGroup": "vips"}}, "force": 4},
            {"id": "r5", "condition": {"a": {"$future": 1}}, "force": 5},
            {"id": "r6", "coverage": 0.001, "force": 6},
            {"id": "r7", "key": "exp", "coverage": 0.001, "variations": ["a", "b"]},
            {"id": "r8", "key": "exp2", "condition": {"email": {"$regex": "@acme"}}, "variations": ["a", "b"]},
            {"id": "r9", "key": "exp3", "variations": ["a", "b"], "hashAttribute": "company"},
            {"id": "r10", "key": "holdout", "variations": ["a", "b"], "ranges": [[0, 0], [0, 1]],
             "meta": [{"key": "holdout"}, {"key": "treatment", "passthrough": true}]},
            {"id": "r11"},
            {"id": "r12", "key": "last", "hashVersion": 2, "variations": ["a", "b"], "weights": [0, 1]},
            {"id": "never", "force": 13}
        ]}
    },
    "savedGroups": {"vips": ["user-9"]}
}"#;

fn snapshot() -> Snapshot {
    Payload::from_json(PAYLOAD).unwrap().compile()
}

#[test]
fn an_explanation_is_readable_text() {
    let user = UserContext::new("user-1").attribute("age", 17).attribute("plan", "free");
    let expected = r#"
mixed = "b" (experiment, rule r12)
  rule 0 (r0): skipped, prerequisite parent failed
    parent = "off" (defaultValue)
      rule 0 (p1): skipped, the condition failed
        beta must be true, but it is null
  rule 1 (r1): skipped, filtered out: id = "user-1", bucket 0.7569, ranges [0, 0.1)
  rule 2 (r2): skipped, the condition failed
    age must pass $gte 18, but it is 17
  rule 3 (r3): skipped, the condition failed
    $or must pass in some part
      plan must be "pro", but it is "free"
      tags must pass $elemMatch ($eq "vip"), but it is null
  rule 4 (r4): skipped, the condition failed
    id must pass $inGroup "vips", but it is "user-1"
  rule 5 (r5): skipped, the condition failed
    a must pass an operator or pattern (not known to this SDK), but it is null
  rule 6 (r6): skipped, not in the rollout: id = "user-1", bucket 0.043, ranges [0, 0.001)
  rule 7 (r7): skipped, not in experiment exp: not covered, id = "user-1", bucket 0.331, ranges [0, 0.0005) [0.5, 0.5005)
  rule 8 (r8): skipped, not in experiment exp2: the condition failed
    email must pass $regex /@acme/, but it is null
  rule 9 (r9): skipped, not in experiment exp3: no hash attribute, company = "", no bucket
  rule 10 (r10): passed through variation 1 (treatment) of experiment holdout: id = "user-1", bucket 0.067
  rule 11 (r11): skipped, nothing to apply
  rule 12 (r12): assigned variation 1 (1) of experiment last: id = "user-1", bucket 0.7277
"#;
    let text = snapshot().for_user(&user).explain("mixed").to_string();
    assert_eq!(text, expected.trim());
}

#[test]
fn every_source_is_explained() {
    let user = UserContext::new("user-1").forced_feature("forced", 7);
    let snapshot = snapshot();
    let gb = snapshot.for_user(&user);
    let cases = [
        ("child", "child = null (prerequisite)\n  rule 0 (gate): a gating prerequisite failed"),
        ("loop", "loop = null (cyclicPrerequisite)\n  rule 0: prerequisites form a cycle"),
        ("nothing", "nothing = null (unknownFeature)"),
        ("forced", "forced = 7 (override)"),
    ];
    for (feature, start) in cases {
        let text = gb.explain(feature).to_string();
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn rule_numbers_are_positions_in_the_payload() {
    // The second feature cannot be read as a whole.
    let payload = r#"{"features": {
        "f": {"rules": [0, {"force": 1, "condition": {"a": 1}}, [], {"force": 3}]},
        "g": {"rules": [0, {"force": 1e400}, {"force": 2, "condition": {"a": 1}},
            {"force": 1e400, "parentConditions": [{"id": "none", "gate": false}]}, {"force": 4}]}
    }}"#;
    let (snapshot, user) = (Payload::from_json(payload).unwrap().compile(), UserContext::new("1"));
    let numbers = |key: &str| -> Vec<usize> {
        snapshot.for_user(&user).explain(key).rules.iter().map(|rule| rule.index).collect()
    };
    assert_eq!((numbers("f"), numbers("g")), (vec![1, 3], vec![2, 3, 4]));
}

#[test]
fn an_explanation_serializes() {
    let user = UserContext::new("user-1").attribute("beta", true);
    let value = serde_json::to_value(snapshot().for_user(&user).explain("child")).unwrap();
    let forced = json!({"verdict": "forced", "details": {"rollout": null}});
    assert_eq!(
        value,
        json!({
            "feature": "child", "value": 1, "source": "force", "ruleId": "c1",
            "rules": [
                {"index": 0, "id": "gate", "verdict": {"verdict": "nothingToApply"},
                 "prerequisites": [{
                    "feature": "parent", "value": "on", "source": "force", "ruleId": "p1",
                    "rules": [{"index": 0, "id": "p1", "verdict": forced}]}]},
                {"index": 1, "id": "c1", "verdict": forced}
            ]
        })
    );
}

proptest! {
    /// Random users are evaluated by every kind of rule.
    #[test]
    fn an_explanation_agrees_with_the_evaluation(
        id in "[a-z0-9]{0,6}",
        age in prop::option::of(0..80_i64),
        beta in prop::option::of(any::<bool>()),
        country in prop::option::of("US|FR"),
        forced in prop::option::of(-1..3_i64),
        sticky in any::<bool>(),
    ) {
        let mut user = UserContext::new(id)
            .attribute("age", age)
            .attribute("beta", beta)
            .attribute("country", country);
        if let Some(forced) = forced {
            user = user.forced_variation("exp", forced);
        }
        let snapshot = snapshot();
        let gb = snapshot.for_user(&user);
        for feature in snapshot.feature_keys() {
            let mut buckets = StickyBuckets::new();
            let (explanation, result) = if sticky {
                let explanation = gb.sticky(&mut buckets).explain(feature);
                (explanation, gb.sticky(&mut buckets).eval_feature(feature))
            } else {
                (gb.explain(feature), gb.eval_feature(feature))
            };
            prop_assert_eq!(&explanation.value, result.value());
            prop_assert_eq!(explanation.source, result.source);
            prop_assert_eq!(&explanation.rule_id, result.rule_id);
            prop_assert_eq!(&explanation.feature, feature);
        }
    }
}

/// Keys, ids and values that contain line breaks, a terminal's control sequence, and text that is
/// written from right to left.
#[test]
fn explanation_escapes_control_characters() {
    let nasty = "k\n  rule 9: forced\u{1b}[2J\u{85}\u{2028}\u{202e}";
    let payload = json!({
        "features": {
            "parent": {"defaultValue": nasty},
            nasty: {"defaultValue": nasty, "rules": [
                {"id": nasty, "condition": {nasty: nasty}, "force": 1},
                {"id": nasty, "condition": {"id": {"$regex": nasty}}, "force": 1},
                {"id": nasty, "parentConditions": [{"id": nasty, "condition": {"value": 1}}]},
            ]},
            "flag": {"defaultValue": 0, "rules": [
                {"parentConditions": [{"id": "parent", "condition": {"value": 1}}], "force": 1},
                {"key": nasty, "variations": [0, 1], "hashAttribute": nasty},
                {"key": nasty, "variations": [0, 1], "coverage": 0},
                {"id": nasty, "key": nasty, "variations": [0, 1], "meta": [{"key": nasty}, {"key": nasty}]},
            ]},
        },
    });
    let snapshot = Payload::from_json(payload.to_string()).unwrap().compile();
    let user = UserContext::new(nasty).attribute(nasty, nasty);
    for (key, lines) in [(nasty, 8), ("flag", 7)] {
        let text = snapshot.for_user(&user).explain(key).to_string();
        let is_plain = |it: char| !it.is_control() && !('\u{2028}'..='\u{202e}').contains(&it);
        assert!(text.lines().all(|line| line.chars().all(is_plain)), "{text}");
        assert!(!text.contains("\n  rule 9"), "{text}");
        assert!(text.lines().count() <= lines, "{text}");
    }
}
