//! Overrides of experiments in the global context.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::{Exclusion, GlobalContext, Payload, Snapshot, UserContext};
use serde_json::{Value, json};

fn snapshot() -> Snapshot {
    let rule = r#"{"key":"e","variations":["a","b"],"weights":[1,0],"namespace":["n",0,1]}"#;
    let text = format!(r#"{{"features":{{"f":{{"defaultValue":"d","rules":[{rule}]}}}}}}"#);
    Payload::from_json(text).unwrap().compile()
}

fn globals(settings: Value) -> GlobalContext {
    GlobalContext::new().experiment_overrides([("e", settings)])
}

#[test]
fn each_setting_is_replaced() {
    let snapshot = snapshot();
    let excluded = [
        (json!({}), None),
        (json!({"condition": {"id": "other"}}), Some(Exclusion::ConditionFailed)),
        (json!({"coverage": 0}), Some(Exclusion::NotCovered)),
        (json!({"active": false}), Some(Exclusion::Inactive)),
        (json!({"status": "stopped"}), Some(Exclusion::Inactive)),
        (json!({"groups": ["beta"]}), Some(Exclusion::NotInGroup)),
        (json!({"namespace": ["n", 0, 0]}), Some(Exclusion::NotInNamespace)),
        (json!({"url": "^/other"}), Some(Exclusion::Url)),
        (json!({"condition": 1}), Some(Exclusion::ConditionFailed)),
        (json!(1), Some(Exclusion::Inactive)),
    ];
    let user = UserContext::new("1").url("https://example.com/page");
    for (settings, expected) in excluded {
        let globals = globals(settings.clone());
        let gb = snapshot.for_user_with(&globals, &user);
        let mut seen = None;
        gb.observed(Ran(&mut seen)).is_on("f");
        assert_eq!(seen.unwrap(), expected, "{settings}");
    }
    for (settings, expected) in [
        (json!({}), "a"),
        (json!({"weights": [0, 1]}), "b"),
        (json!({"weights": [0, 1], "coverage": 0}), "d"),
        (json!({"force": 1}), "b"),
    ] {
        let globals = globals(settings.clone());
        let gb = snapshot.for_user_with(&globals, &user);
        assert_eq!(gb.feature_value("f", ""), expected, "{settings}");
    }
}

/// Notes why the user was excluded.
struct Ran<'s>(&'s mut Option<Option<Exclusion>>);

impl growthbook_core::observe::Observer for Ran<'_> {
    fn wants_results(&self) -> bool {
        true
    }

    fn experiment_ran(&mut self, result: &growthbook_core::observe::Exposure<'_>) {
        *self.0 = Some(result.result.exclusion);
    }
}

/// An override may be large, and is used in each evaluation.
#[test]
fn override_is_not_copied() {
    let snapshot = snapshot();
    let ids: Vec<String> = (0..10_000).map(|number| format!("user-{number}")).collect();
    let globals = globals(json!({"condition": {"id": {"$in": ids}}, "groups": ["beta"]}));
    let user = UserContext::new("user-1").groups(["beta"]);
    let measured = allocation_counter::measure(|| {
        assert_eq!(snapshot.for_user_with(&globals, &user).feature_value("f", ""), "a");
    });
    assert_eq!(measured.count_total, 0);
}
