//! The warnings of experiments that are declared in code.

use growthbook_core::condition::Condition;
use growthbook_core::{Experiment, bucketing::BucketRange};

fn texts<T>(experiment: &Experiment<T>) -> Vec<String> {
    experiment.warnings().iter().map(ToString::to_string).collect()
}

const WEIGHTS: &str = r#""weights" must be one share for each variation, with the sum 1"#;
const COVERAGE: &str = r#""coverage" must be from 0 to 1"#;
const NAMESPACE: &str = r#""namespace" must be a range from 0 to 1 that is not empty"#;
const HASH_VERSION: &str = r#""hashVersion" must be 1 or 2"#;

#[test]
fn settings_outside_their_range_are_reported() {
    let new = || Experiment::new("exp", [0, 1]);
    let condition = Condition::from_json(r#"{"age": {"$around": 5}}"#).unwrap();
    let parent = Condition::from_json(r#"{"value": {"$is": 5}}"#).unwrap();
    let cases = [
        (new(), None),
        (new().weights([0.3, 0.7]).coverage(0.0).namespace("n", 0.0, 1.0).hash_version(2), None),
        (new().weights([0.333, 0.66]), None),
        (new().weights([]), None),
        (new().weights([0.3, 0.3]), Some(WEIGHTS)),
        (new().weights([1.0]), Some(WEIGHTS)),
        (new().weights([1.5, -0.5]), Some(WEIGHTS)),
        (new().weights([f64::NAN, 1.0]), Some(WEIGHTS)),
        (new().coverage(1.01), Some(COVERAGE)),
        (new().coverage(-0.1), Some(COVERAGE)),
        (new().coverage(f64::NAN), Some(COVERAGE)),
        (new().namespace("n", 0.5, 0.5), Some(NAMESPACE)),
        (new().namespace("n", 0.5, 1.5), Some(NAMESPACE)),
        (new().namespace("n", -0.5, 0.5), Some(NAMESPACE)),
        (new().namespace("n", 0.0, f64::NAN), Some(NAMESPACE)),
        (new().hash_version(3), Some(HASH_VERSION)),
        (new().condition(condition), Some("unknown operator \"$around\"")),
        (new().parent_condition("f", parent), Some("unknown operator \"$is\"")),
        // A later setting counts.
        (new().weights([0.3, 0.3]).weights([0.5, 0.5]), None),
        (new().hash_version(3).hash_version(1), None),
        // Ranges replace weights and coverage.
        (new().weights([9.0]).ranges([BucketRange { start: 0.0, end: 0.5 }]), None),
    ];
    for (index, (experiment, expected)) in cases.into_iter().enumerate() {
        assert_eq!(texts(&experiment), Vec::from_iter(expected), "case {index}");
    }
}

#[test]
fn all_problems_are_reported() {
    let experiment = Experiment::new("exp", [0, 1])
        .weights([1.0])
        .coverage(2.0)
        .namespace("n", 1.0, 0.0)
        .hash_version(0);
    assert_eq!(texts(&experiment), [WEIGHTS, COVERAGE, NAMESPACE, HASH_VERSION]);
}

#[test]
fn experiment_of_json_is_checked_once() {
    let read = |members: &str| {
        let text = format!(r#"{{"key": "exp", "variations": [0, 1], {members}}}"#);
        texts(&Experiment::from_json(&text).unwrap())
    };
    assert_eq!(read(r#""weights": [0.3, 0.3], "coverage": 2"#), [WEIGHTS, COVERAGE]);
    assert_eq!(read(r#""namespace": ["n", 1, 0]"#), [NAMESPACE]);
    assert_eq!(read(r#""namespace": 7"#).len(), 1);
    assert_eq!(read(r#""weights": 7"#).len(), 1);
    assert_eq!(read(r#""hashVersion": 3"#), ["unknown hash version"]);
    let filter = r#""filters": [{"ranges": [[0, 1]], "hashVersion": 3}]"#;
    assert_eq!(read(filter), ["unknown hash version"]);
}
