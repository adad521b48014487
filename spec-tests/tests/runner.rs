//! Tests of the runner. Each suite has a case that must pass with the right expectation, and must
//! fail with wrong ones.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use spec_tests::{Corpus, Engines, Exceptions, Report};

/// A suite, a case that contains `EXPECTED`, the right expectation, and wrong ones.
const CASES: &[(&str, &str, &str, &[&str])] = &[
    (
        "evalCondition",
        r#"["n", {"a": {"$inGroup": "g"}}, {"a": 1}, EXPECTED, {"g": [1]}]"#,
        "true",
        &["false", "null", "1", r#""true""#],
    ),
    (
        "pruneCondition",
        r#"["n", {"$savedGroup": {"id": "g"}, "b": 2}, {"a": 1}, EXPECTED,
            {"g": {"type": "list", "attributeKey": "a", "values": [1]}}]"#,
        r#"{"b": 2}"#,
        &["true", "false", "{}", r#"{"b": 2, "c": 3}"#, r#"{"$savedGroup": {"id": "g"}, "b": 2}"#],
    ),
    (
        "reducePayload",
        r#"["n", {"payload": {"features": {"f": {"metadata": {"tags": ["t"]}}, "g": {}}},
            "include": {"tags": ["t"]}}, EXPECTED]"#,
        r#"{"features": {"f": {"metadata": {"tags": ["t"]}}}, "experiments": [], "savedGroups": {}}"#,
        &[
            r#"{"features": {"f": {"metadata": {"tags": ["t"]}}}, "experiments": []}"#,
            r#"{"features": {"f": {"metadata": {"tags": ["t"]}}, "g": {}}, "experiments": [], "savedGroups": {}}"#,
            "null",
        ],
    ),
    ("hash", r#"["seed", "a", 2, EXPECTED]"#, "0.0505", &["0.05050001", "null", r#""0.0505""#]),
    ("hash", r#"["seed", "a", 3, EXPECTED]"#, "null", &["0", "false"]),
    (
        "getBucketRange",
        r#"["n", [3, 1, null], EXPECTED]"#,
        "[[0, 0.33333333], [0.33333333, 0.66666667], [0.66666667, 1]]",
        &["[[0, 0.3333], [0.3333, 0.66666667], [0.66666667, 1]]", "[]", "null"],
    ),
    ("chooseVariation", r#"["n", 0.5, [[0, 0.5], [0.5, 1]], EXPECTED]"#, "1", &["0", "-1", "null"]),
    ("chooseVariation", r#"["n", 0.5, [], EXPECTED]"#, "-1", &["0", "null"]),
    (
        "getQueryStringOverride",
        r#"["n", "exp", "http://x.org/?exp=1", 2, EXPECTED]"#,
        "1",
        &["0", "null"],
    ),
    ("inNamespace", r#"["n", "1", ["namespace1", 0.4, 1], EXPECTED]"#, "true", &["false"]),
    ("getEqualWeights", "[2, EXPECTED]", "[0.5, 0.5]", &["[0.5]", "[0.5, 0.5, 0.5]", "[0.5, 0.4]"]),
    (
        "decrypt",
        r#"["n", "m5ylFM6ndyOJA2OPadubkw==.Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj", "Zvwv/+uhpFDznZ6SX28Yjg==", EXPECTED]"#,
        r#""{\"feature\":{\"defaultValue\":true}}""#,
        &["null", r#""""#],
    ),
    (
        "feature",
        r#"["n", {"attributes": {"id": 123}, "features": {"f": {"rules": [{"variations": [0, 1]}]}}}, "f", {
            "value": 1, "on": true, "off": false, "source": "experiment", "ruleId": "",
            "experiment": {"key": "f", "variations": [0, 1]}, "experimentResult": EXPECTED}]"#,
        r#"{"featureId": "f", "hashAttribute": "id", "hashValue": 123, "hashUsed": true,
            "inExperiment": true, "value": 1, "variationId": 1, "key": "1", "bucket": 0.647,
            "stickyBucketUsed": false}"#,
        &[
            // A member is missing, a member is too much, and a member has another type.
            r#"{"featureId": "f", "hashAttribute": "id", "hashValue": 123, "hashUsed": true,
                "inExperiment": true, "value": 1, "variationId": 1, "key": "1",
                "stickyBucketUsed": false}"#,
            r#"{"featureId": "f", "hashAttribute": "id", "hashValue": 123, "hashUsed": true,
                "inExperiment": true, "value": 1, "variationId": 1, "key": "1", "bucket": 0.647,
                "stickyBucketUsed": false, "name": null}"#,
            r#"{"featureId": "f", "hashAttribute": "id", "hashValue": "123", "hashUsed": true,
                "inExperiment": true, "value": 1, "variationId": 1, "key": "1", "bucket": 0.647,
                "stickyBucketUsed": false}"#,
            "null",
        ],
    ),
    (
        "run",
        r#"["n", {"attributes": {"id": "1"}}, {"key": "my-test", "variations": [0, 1]}, EXPECTED]"#,
        "1, true, true",
        &["0, true, true", "1, false, true", "1, true, false", "1.5, true, true"],
    ),
    (
        "contextualBandit",
        r#"["n", {"features": {"f": {"defaultValue": EXPECTED}}}, "f",
            {"value": 7, "on": true, "off": false, "source": "defaultValue", "ruleId": ""}]"#,
        "7",
        &["8", "null"],
    ),
    (
        "stickyBucket",
        r#"["n", {"attributes": {"id": "1"}, "features": {"f": {"rules": [{"variations": [0, 1], "coverage": 0}]}}},
            [{"attributeName": "id", "attributeValue": "1", "assignments": {}}], "f", null, EXPECTED]"#,
        r#"{"id||1": {"attributeName": "id", "attributeValue": "1", "assignments": {}}}"#,
        &[
            "{}",
            r#"{"id||1": {"attributeName": "id", "attributeValue": "1", "assignments": {"f__0": "0"}}}"#,
        ],
    ),
    (
        "remoteEval",
        r#"["n", {"features": {"f": {"rules": [{"variations": [0, 1]}]}}}, {"attributes": {"id": "1"},
            "forcedFeatures": [["f", 7]]}, [], EXPECTED]"#,
        r#"{"features": {"f": {"defaultValue": 7}}, "experiments": []}, {}"#,
        &[
            r#"{"features": {"f": {"defaultValue": 7}}}, {}"#,
            r#"{"features": {"f": {"defaultValue": 8}}, "experiments": []}, {}"#,
            r#"{"features": {"f": {"defaultValue": 7}}, "experiments": []}, {"id||1": {}}"#,
        ],
    ),
];

fn run(suite: &str, case: &str) -> Report {
    Corpus::parse(&format!(r#"{{"specVersion": "0.12.0", "{suite}": [{case}]}}"#)).unwrap().run(&[])
}

#[test]
fn right_expectation_passes() {
    for (suite, case, right, _) in CASES {
        let report = run(suite, &case.replace("EXPECTED", right));
        let failures: Vec<String> = report.failures().map(ToString::to_string).collect();
        assert_eq!((report.passed(), report.is_success()), (1, true), "{failures:?}");
    }
}

#[test]
fn wrong_expectation_fails() {
    for (suite, case, _, wrong) in CASES {
        for expected in *wrong {
            let report = run(suite, &case.replace("EXPECTED", expected));
            assert_eq!((report.passed(), report.failed()), (0, 1), "{suite}: {expected}");
            assert!(!report.is_success());
        }
    }
}

#[test]
fn malformed_case_fails() {
    for (suite, ..) in CASES {
        for case in ["[]", "{}", "null", r#"["n"]"#, r#"["n", 1, 2, 3, 4, 5, 6]"#] {
            assert_eq!(run(suite, case).failed(), 1, "{suite}: {case}");
        }
    }
}

#[test]
fn recorded_remote_evaluations_pass() {
    let report = Corpus::parse(include_str!("../corpus/remote_eval.json")).unwrap().run(&[]);
    let failures: Vec<String> = report.failures().map(ToString::to_string).collect();
    assert_eq!((report.passed(), failures), (100, Vec::new()));
}

#[test]
fn unknown_suite_counts_as_skipped() {
    let corpus =
        Corpus::parse(r#"{"news": [[1], [2]], "empty": [], "nested": {"hash": []}}"#).unwrap();
    let report = corpus.run(&[]);
    assert_eq!((report.passed(), report.failed(), report.skipped()), (0, 0, 3));
    assert!(!report.is_success());
    let lines: Vec<String> = report.suites().map(ToString::to_string).collect();
    assert_eq!(lines[0], "news: 0 passed, 0 failed, 2 skipped");
    assert_eq!(report.to_string(), "spec: 0 passed, 0 failed, 3 skipped");
}

#[test]
fn suites_nest_and_are_selected_by_name() {
    let corpus = Corpus::parse(
        r#"{"outer": {"hash": [["seed", "a", 2, 0.0505]]}, "hash": [["seed", "a", 2, 0]]}"#,
    )
    .unwrap();
    assert_eq!(corpus.spec_version(), None);
    let select = |name: &str| {
        let report = corpus.run(&[name.to_owned()]);
        (report.passed(), report.failed())
    };
    assert_eq!(select("outer"), (1, 0));
    assert_eq!(select("outer.hash"), (1, 0));
    assert_eq!(select("hash"), (0, 1));
    assert!(corpus.has_suite("outer") && !corpus.has_suite("out"));
}

#[test]
fn exception_must_fail() {
    let corpus =
        Corpus::parse(r#"{"inNamespace": [["n", "1", ["namespace1", 0.4, 1], false]], "hash": [["seed", "a", 2, 0.0505]]}"#)
            .unwrap();
    let except = |suite: &str, case: &str| {
        let text = format!(r#"[{{"suite": "{suite}", "case": "{case}", "reason": "because"}}]"#);
        let report =
            corpus.run_except(&[], &Exceptions::parse(&text).unwrap(), &Engines::default());
        (report.passed(), report.failed(), report.excepted().count())
    };
    assert_eq!(except("inNamespace", "n"), (1, 0, 1));
    assert_eq!(except("inNamespace", "other"), (1, 1, 0));
    assert_eq!(except("hash", "seed"), (0, 2, 0));
}

#[test]
fn case_at_the_step_limit_is_counted_apart() {
    let text = "a".repeat(1_000);
    let case =
        format!(r#"["n", {{"t": {{"$regex": "(?=(a+)+b)"}}}}, {{"t": "{text}"}}, EXPECTED]"#);
    let report = run("evalCondition", &case.replace("EXPECTED", "true"));
    assert_eq!(report.at_step_limit().collect::<Vec<_>>(), ["n"]);
    assert_eq!((report.passed(), report.failed()), (0, 0));
    // A user does not pass, so this answer is right.
    let report = run("evalCondition", &case.replace("EXPECTED", "false"));
    assert_eq!((report.at_step_limit().count(), report.passed()), (0, 1));
}

#[test]
fn malformed_corpus_is_refused() {
    for text in ["", "[]", "1", r#"{"specVersion": 1}"#, r#"{"hash": 1}"#, r#"{"hash": {"a": 1}}"#]
    {
        assert!(Corpus::parse(text).is_err(), "{text}");
    }
}
