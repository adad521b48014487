//! Hostile inputs: nested, chained and doubled as far as possible. Each evaluates within the
//! limits, gives a warning, and does not affect the feature next to it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use growthbook_core::condition::{Condition, ConditionError};
use growthbook_core::experiment::ExperimentError;
use growthbook_core::reduce::{ReduceOptions, reduce_payload};
use growthbook_core::{
    AttributeValue, Attributes, Experiment, FeatureResultSource as Source, Payload, Snapshot,
    UserContext,
};
use serde_json::{Value, json};

use crate::{SMALL_STACK, check_explanation, check_feature, on_small_stack};

/// Every limited evaluation ends long before. An exponential one ends long after.
const TOO_LONG: Duration = Duration::from_secs(60);

/// A payload, and the expected result of its feature `hostile`.
struct Case {
    name: &'static str,
    payload: String,
    source: Source,
    /// A part of the first warning. Empty when no warning is expected.
    warning: &'static str,
}

#[test]
fn payloads_evaluate_within_limits() {
    let not_json = r#"feature "hostile", rule 0: not valid JSON"#;
    let chained = r#"feature "hostile": prerequisites are chained more than 64 deep"#;
    let too_large = "never matches (too large";
    let cases = [
        Case {
            name: "a condition 10,000 levels deep",
            payload: targeted(&nested(10_000, r#"{"$not":"#, "{}", "}")),
            source: Source::DefaultValue,
            warning: not_json,
        },
        Case {
            name: "a condition as deep as text may be",
            payload: targeted(&nested(61, r#"{"$and":["#, "{}", "]}")),
            source: Source::Force,
            warning: "",
        },
        Case {
            name: "a value 10,000 levels deep",
            payload: document(
                &format!(r#""hostile":{{"defaultValue":{}}}"#, nested(10_000, "[", "", "]")),
                "",
            ),
            source: Source::DefaultValue,
            warning: r#"feature "hostile": not valid JSON"#,
        },
        Case {
            name: "10,000 prerequisites in a chain",
            payload: document(&prerequisites(10_000, 1), ""),
            source: Source::CyclicPrerequisite,
            warning: chained,
        },
        Case {
            name: "the longest chain of prerequisites",
            payload: document(&prerequisites(64, 1), ""),
            source: Source::Force,
            warning: "",
        },
        Case {
            name: "prerequisites that double 40 times",
            payload: document(&prerequisites(40, 2), ""),
            source: Source::CyclicPrerequisite,
            warning: "its prerequisites may take more than 10000 evaluations",
        },
        Case {
            name: "10,000 saved groups in a chain",
            payload: document(IN_FIRST_GROUP, &saved_groups(10_000, 1)),
            source: Source::DefaultValue,
            warning: r#"saved group "g0": saved groups are chained more than 128 deep"#,
        },
        Case {
            name: "the longest chain of saved groups, below the longest chain of prerequisites",
            payload: {
                let last = IN_FIRST_GROUP.replace("hostile", "f63");
                document(&format!("{},{last}", prerequisites(63, 1)), &saved_groups(126, 1))
            },
            source: Source::Force,
            warning: "",
        },
        Case {
            name: "saved groups that double 40 times",
            payload: document(IN_FIRST_GROUP, &saved_groups(40, 2)),
            source: Source::DefaultValue,
            warning: r#"saved group "g0": its saved groups may take more than 4096 evaluations"#,
        },
        Case {
            name: "a regular expression of 1 MB",
            payload: targeted(&matching(&"a".repeat(1 << 20))),
            source: Source::DefaultValue,
            warning: too_large,
        },
        Case {
            name: "a regular expression of groups within groups",
            payload: targeted(&matching(&nested(5_000, "(", "a", ")*"))),
            source: Source::DefaultValue,
            warning: too_large,
        },
        Case {
            name: "a regular expression that grows when compiled",
            payload: targeted(&matching("((.{1,99}){1,99}){1,99}")),
            source: Source::DefaultValue,
            warning: too_large,
        },
        Case {
            name: "a regular expression of nothing, repeated",
            payload: targeted(&matching("(((){90000}){90000}){90000}")),
            source: Source::DefaultValue,
            warning: too_large,
        },
        Case {
            name: "2,000 references to a group of 50,000 parts",
            payload: {
                let reference = vec![r#"{"$savedGroup":{"id":"g"}}"#; 2_000].join(",");
                let parts = vec![r#"{"x":null}"#; 50_000].join(",");
                let group =
                    format!(r#""g":{{"type":"condition","condition":{{"$and":[{parts}]}}}}"#);
                document(
                    &format!(
                        r#""hostile":{{"rules":[{{"condition":{{"$and":[{reference}]}},"force":1}}]}}"#
                    ),
                    &group,
                )
            },
            source: Source::DefaultValue,
            warning: "",
        },
        Case {
            name: "2,000 rules on a prerequisite of 2,000 rules",
            payload: {
                let rule =
                    r#"{"parentConditions":[{"id":"parent","condition":{"value":1}}],"force":1}"#;
                let (rules, nothing) = (vec![rule; 2_000].join(","), vec!["{}"; 2_000].join(","));
                document(
                    &format!(r#""hostile":{{"rules":[{rules}]}},"parent":{{"rules":[{nothing}]}}"#),
                    "",
                )
            },
            source: Source::CyclicPrerequisite,
            warning: "",
        },
        Case {
            name: "2,000 rules on a bandit of 2,000 leaves",
            payload: bandit(2_000),
            source: Source::Experiment,
            warning: "",
        },
    ];
    for case in cases {
        println!("{}", case.name);
        let Case { name, payload, source, warning } = case;
        within_limits(name, move || {
            let payload = Payload::from_json(&payload).unwrap();
            let snapshot = payload.compile();
            let first = snapshot.warnings().first().map(ToString::to_string).unwrap_or_default();
            assert!(first.contains(warning) && (first.is_empty() == warning.is_empty()), "{first}");
            let user = UserContext::new("user-1");
            let gb = snapshot.for_user(&user);
            let result = gb.eval_feature("hostile");
            assert_eq!(result.source, source);
            check_feature(&result);
            check_explanation(&gb, "hostile");
            assert!(gb.is_on("healthy"));

            let options = ReduceOptions::new().attributes(user.attributes().clone());
            let reduced = reduce_payload(&payload, &options).compile();
            let gb = reduced.for_user(&user);
            assert!(gb.is_on("healthy"));
            assert_eq!(gb.eval_feature("hostile").source, source, "reduced");
        });
    }
}

/// Every parser refuses text beyond the depth limit.
#[test]
fn text_nested_too_deep_is_refused() {
    let arrays = nested(100_000, "[", "", "]");
    let object = format!(r#"{{"a":{arrays}}}"#);
    let experiment = format!(r#"{{"key":"k","variations":[0,1],"condition":{object}}}"#);
    on_small_stack(|| {
        assert!(serde_json::from_str::<AttributeValue>(&arrays).is_err());
        assert!(Attributes::from_json(&object).is_err());
        let error = Condition::from_json(&object).unwrap_err();
        assert!(matches!(error, ConditionError::Syntax { .. }));
        let error = Experiment::from_json(&experiment).unwrap_err();
        assert!(matches!(error, ExperimentError::Syntax { .. }));
        assert!(Payload::from_json(&arrays).is_err());
        // Unknown sections of a payload are not parsed.
        let payload = Payload::from_json(format!(r#"{{"features":{{}},"other":{object}}}"#));
        assert!(payload.is_ok());
    });
}

/// Beyond every limit of this crate, but not so deep that serde_json overflows a small stack.
const DEEP: usize = 400;

/// Values made in code are cut at the limit, in every way to make them.
#[test]
fn values_nested_too_deep_are_cut() {
    let value = (0..DEEP).fold(json!(1), |inner, _| json!([inner]));
    let object = json!({"a": value.clone()});
    let list = (0..100_000).fold(AttributeValue::from(1), |inner, _| vec![inner].into());
    on_small_stack(|| {
        let condition = Condition::from(object.clone());
        for attribute in [AttributeValue::from(&value), list] {
            assert_eq!(depth(&attribute.to_json()), 128);
            let user = UserContext::new("user-1").attribute("a", attribute);
            let _ = Snapshot::empty().for_user(&user).eval_condition(&condition);
        }
    });
}

#[test]
fn deep_definitions_and_forced_values_are_cut() {
    let value = (0..DEEP).fold(json!(1), |inner, _| json!([inner]));
    let features = json!({"hostile": {"defaultValue": value}, "healthy": {"defaultValue": true}});
    on_small_stack(|| {
        let snapshot = Payload::from_parts(&features, Some(&features)).unwrap().compile();
        let warning = snapshot.warnings().iter().map(ToString::to_string).collect::<String>();
        assert!(warning.contains(r#"feature "hostile": not valid JSON"#), "{warning}");
        let user = UserContext::new("user-1").forced_feature("forced", value);
        let gb = snapshot.for_user(&user);
        assert!(gb.is_on("healthy") && gb.is_off("hostile"));
        assert_eq!(depth(gb.eval_feature("forced").value()), 128);
    });
}

fn depth(value: &Value) -> usize {
    std::iter::successors(Some(value), |value| value.get(0)).skip(1).count()
}

/// Runs on a small stack, and fails if it does not end.
pub(crate) fn within_limits(name: &'static str, work: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel();
    let worker = thread::Builder::new().stack_size(SMALL_STACK).spawn(move || {
        work();
        let _ = done.send(());
    });
    let worker = worker.unwrap();
    if waiting.recv_timeout(TOO_LONG) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("{name}: still running");
    }
    assert!(worker.join().is_ok(), "{name}");
}

const IN_FIRST_GROUP: &str =
    r#""hostile":{"rules":[{"condition":{"$savedGroup":{"id":"g0"}},"force":1}]}"#;

fn document(features: &str, saved_groups: &str) -> String {
    format!(
        r#"{{"features":{{"healthy":{{"rules":[{{"force":true}}]}},{features}}},"savedGroups":{{{saved_groups}}}}}"#
    )
}

fn targeted(condition: &str) -> String {
    document(&format!(r#""hostile":{{"rules":[{{"condition":{condition},"force":1}}]}}"#), "")
}

fn matching(pattern: &str) -> String {
    format!(r#"{{"id":{{"$regex":"{pattern}"}}}}"#)
}

fn nested(levels: usize, open: &str, inner: &str, close: &str) -> String {
    [&open.repeat(levels), inner, &close.repeat(levels)].concat()
}

/// A chain of features: each requires the next one, `times` times. The first is `hostile`.
fn prerequisites(levels: usize, times: usize) -> String {
    let features: Vec<String> = (0..levels)
        .map(|level| {
            let key = if level == 0 { "hostile".into() } else { format!("f{level}") };
            let parent =
                format!(r#"{{"id":"f{}","condition":{{"value":{{"$ne":"none"}}}}}}"#, level + 1);
            let parents = vec![parent; times].join(",");
            format!(r#""{key}":{{"rules":[{{"parentConditions":[{parents}],"force":1}}]}}"#)
        })
        .collect();
    features.join(",")
}

/// A chain of groups: each refers to the next one, `times` times. The first is `g0`.
fn saved_groups(levels: usize, times: usize) -> String {
    let groups = (0..levels).map(|level| {
        let inner = format!(r#"{{"$savedGroup":{{"id":"g{}"}}}}"#, level + 1);
        let inner = vec![inner; times].join(",");
        format!(r#""g{level}":{{"type":"condition","condition":{{"$and":[{inner}]}}}}"#)
    });
    let last = format!(r#""g{levels}":{{"type":"condition","condition":{{"id":"user-1"}}}}"#);
    groups.chain([last]).collect::<Vec<_>>().join(",")
}

fn bandit(size: usize) -> String {
    let rule = r#"{"contextualBanditRef":"b","contextualVariations":[0,1]}"#;
    let leaf = r#"{"leafId":1,"weights":[0.5,0.5]}"#;
    let (rules, leaves) = (vec![rule; size].join(","), vec![leaf; size].join(","));
    format!(
        r#"{{"features":{{"healthy":{{"defaultValue":1}},"hostile":{{"rules":[{rules}]}}}},"contextualBandits":{{"b":{{"contexts":[{leaves}]}}}}}}"#
    )
}
