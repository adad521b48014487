//! Malformed payloads. A document that is not a payload gives a typed error. A malformed part gives
//! a warning with its location, and everything else evaluates.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::condition::Condition;
use growthbook_core::reduce::{ReduceOptions, reduce_payload};
use growthbook_core::{Payload, PayloadError, Snapshot, UserContext};
use serde_json::{Value, json};

const HALF_A_PAIR: &str = r#""\ud800""#;
const OUT_OF_RANGE: &str = "1e400";

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

/// The texts of a snapshot's warnings.
fn warnings(snapshot: &Snapshot) -> Vec<String> {
    snapshot.warnings().iter().map(ToString::to_string).collect()
}

fn value(snapshot: &Snapshot, key: &str) -> Value {
    snapshot.for_user(&UserContext::new("u")).eval_feature(key).value().clone()
}

// Documents.

#[test]
fn an_invalid_document_is_a_typed_error() {
    let syntax = |line, column| PayloadError::Syntax { line, column };
    let cases: [(&[u8], PayloadError); 14] = [
        (b"", syntax(1, 0)),
        (b"<!doctype html>\n<html></html>", syntax(1, 1)),
        (b"{'features': {}}", syntax(1, 2)),
        (b"{\"features\": {},}", syntax(1, 17)),
        (b"{\"features\": {}} x", syntax(1, 18)),
        (b"{\n\"features\": nil}", syntax(2, 14)),
        (b"{\"features\": {}, \"a\": \"\xff\"}", PayloadError::NotUtf8),
        (b"[]", PayloadError::NotAnObject),
        (b"null", PayloadError::NotAnObject),
        (b"\"features\"", PayloadError::NotAnObject),
        (b"{}", PayloadError::MissingFeatures),
        (b"{\"features\": null}", PayloadError::MissingFeatures),
        (b"{\"features\": []}", PayloadError::FeaturesNotAnObject),
        (b"{\"features\": \"{}\"}", PayloadError::FeaturesNotAnObject),
    ];
    for (document, expected) in cases {
        let error = Payload::from_json(document).unwrap_err();
        assert_eq!(error, expected, "{}", String::from_utf8_lossy(document));
        assert!(error.to_string().starts_with("the payload"), "{error}");
    }
    for features in [json!(null), json!([]), json!("{}"), json!(1)] {
        let error = Payload::from_parts(&features, None).unwrap_err();
        assert_eq!(error, PayloadError::FeaturesNotAnObject);
    }
}

#[test]
fn a_truncated_document_is_a_syntax_error() {
    let rule = r#"{"condition": {"id": "\u00e9"}, "force": [1, -0.5e3, true, null]}"#;
    let document =
        format!(r#"{{"features": {{"f": {{"rules": [{rule}]}}}}, "savedGroups": {{}}}}"#);
    for length in 0..document.len() {
        let error = Payload::from_json(&document[..length]).unwrap_err();
        assert!(matches!(error, PayloadError::Syntax { .. }), "{length}: {error}");
    }
    assert!(Payload::from_json(&document).is_ok());
    assert!(Payload::from_json(format!("\u{feff}{document}\n")).is_ok());
}

// Rules.

/// Compiles a feature `f` of this rule and a good rule, between two good features. Checks that the
/// good ones evaluate, and returns the warnings.
fn rule_warnings(rule: &str) -> Vec<String> {
    let document = format!(
        r#"{{"features": {{
            "before": {{"defaultValue": "before"}},
            "f": {{"defaultValue": "default", "rules": [{rule}, {{"force": "next rule"}}]}},
            "after": {{"defaultValue": "after"}}
        }}}}"#
    );
    let snapshot = Payload::from_json(&document).unwrap().compile();
    for (key, expected) in [("before", "before"), ("f", "next rule"), ("after", "after")] {
        assert_eq!(value(&snapshot, key), expected, "{key} with the rule {rule}");
    }
    warnings(&snapshot)
}

#[test]
fn a_rule_of_invalid_json_is_left_out() {
    let deep = nested(127);
    let members = [
        format!(r#""force": {OUT_OF_RANGE}"#),
        format!(r#""force": -{OUT_OF_RANGE}"#),
        format!(r#""force": 1, "unheardOf": {OUT_OF_RANGE}"#),
        format!(r#""force": {HALF_A_PAIR}"#),
        r#""force": "\udc00\ud800""#.into(),
        r#""force": 1, "\ud800": 2"#.into(),
        format!(r#""force": {{"a": {deep}}}"#),
        format!(r#""force": 1, "condition": {{"id": {deep}}}"#),
        format!(r#""variations": [0, {OUT_OF_RANGE}]"#),
    ];
    for member in members {
        let rule = format!(r#"{{"id": "fr_1", {member}}}"#);
        assert_eq!(rule_warnings(&rule), [r#"feature "f", rule 0: not valid JSON, left out"#]);
    }
}

#[test]
fn a_wrongly_typed_rule_applies_to_no_user() {
    let cases = [
        (r#""force": 1, "coverage": "half""#, r#""coverage" must be a number"#),
        (r#""force": 1, "coverage": [0.5]"#, r#""coverage" must be a number"#),
        (r#""force": 1, "range": 0.5"#, r#""range" must be a pair of numbers"#),
        (r#""force": 1, "range": [0]"#, r#""range" must be a pair of numbers"#),
        (
            r#""force": 1, "coverage": 1, "hashAttribute": {}"#,
            r#""hashAttribute" must be a string"#,
        ),
        (r#""force": 1, "coverage": 1, "seed": []"#, r#""seed" must be a string"#),
        (r#""force": 1, "coverage": 1, "hashVersion": 3"#, "unknown hash version"),
        (r#""force": 1, "filters": {}"#, r#""filters" must be a list"#),
        (r#""force": 1, "filters": [7]"#, r#""filters" must be a list of objects"#),
        (
            r#""force": 1, "filters": [{"seed": "s"}]"#,
            r#""filters" must be a list of objects with ranges"#,
        ),
        (
            r#""force": 1, "filters": [{"seed": "s", "ranges": [7]}]"#,
            r#""ranges" must be pairs of numbers"#,
        ),
        (r#""force": 1, "condition": 7"#, "malformed condition"),
        (r#""force": 1, "condition": {"$or": {}}"#, "malformed condition"),
        (r#""force": 1, "condition": {"$not": {"$and": [7]}}"#, "malformed condition"),
        (r#""force": 1, "condition": {"id": {"$near": 1}}"#, r#"unknown operator "$near""#),
        (
            r#""force": 1, "condition": {"$not": {"id": {"$near": 1}}}"#,
            r#"unknown operator "$near""#,
        ),
        (
            r#""force": 1, "condition": {"id": {"$regex": "("}}"#,
            r#"regular expression "(" never matches (invalid: unterminated group)"#,
        ),
        (
            r#""force": 1, "condition": {"id": {"$regex": "a{100001}"}}"#,
            r#"regular expression "a{100001}" never matches (too large: more than 32768 bytes, more than 1048576 bytes when compiled, or more than 4194304 bytes together with earlier patterns of the payload)"#,
        ),
        (r#""variations": {"0": 1}"#, r#""variations" must be a list"#),
        (r#""contextualVariations": 2"#, r#""contextualVariations" must be a list"#),
        (r#""variations": [0, 1], "coverage": true"#, r#""coverage" must be a number"#),
        (r#""variations": [0, 1], "ranges": 7"#, r#""ranges" must be a list"#),
        (r#""variations": [0, 1], "ranges": [[0]]"#, r#""ranges" must be pairs of numbers"#),
        (r#""variations": [0, 1], "meta": {"key": 1}"#, r#""meta" must be a list"#),
        (r#""variations": [0, 1], "key": {}"#, r#""key" must be a string"#),
        (r#""variations": [0, 1], "name": [1]"#, r#""name" must be a string"#),
        (r#""variations": [0, 1], "phase": true"#, r#""phase" must be a string"#),
        (r#""variations": [0, 1], "bucketVersion": "one""#, r#""bucketVersion" must be a number"#),
        (
            r#""variations": [0, 1], "minBucketVersion": {}"#,
            r#""minBucketVersion" must be a number"#,
        ),
        (
            r#""variations": [0, 1], "fallbackAttribute": [0]"#,
            r#""fallbackAttribute" must be a string"#,
        ),
        (r#""variations": [0, 1], "hashVersion": "two""#, "unknown hash version"),
        (
            r#""variations": [0, 1], "namespace": ["n", 0]"#,
            r#""namespace" must be a list of an id and two numbers"#,
        ),
    ];
    for (members, expected) in cases {
        let rule = format!(r#"{{"id": "fr_1", {members}}}"#);
        let expected = format!(r#"feature "f", rule 0 (fr_1): {expected}"#);
        assert_eq!(rule_warnings(&rule), [expected], "{rule}");
    }
    for rule in ["null", "7", r#""force""#, "[]"] {
        assert_eq!(rule_warnings(rule), [r#"feature "f", rule 0: must be an object"#], "{rule}");
    }
}

/// This is also so for a wrong number of weights.
#[test]
fn invalid_weights_become_equal_ones() {
    for weights in [r#""half""#, r#"[0.5, "half"]"#, "{}", "true"] {
        let rule = format!(r#"{{"id": "e", "variations": [0, 1], "weights": {weights}}}"#);
        let document = format!(r#"{{"features": {{"f": {{"rules": [{rule}]}}}}}}"#);
        let snapshot = Payload::from_json(&document).unwrap().compile();
        let expected = r#"feature "f", rule 0 (e): "weights" must be a list of numbers"#;
        assert_eq!(warnings(&snapshot), [expected], "{weights}");
        let user = UserContext::new("u");
        let result = snapshot.for_user(&user).eval_feature("f");
        let ranges = result.experiment.unwrap().definition.ranges();
        assert_eq!(ranges, [(0.0, 0.5).into(), (0.5, 1.0).into()], "{weights}");
    }
}

/// A gate that does not name its feature is still a gate.
#[test]
fn a_gate_without_an_id_stays_closed() {
    let gate = json!({"condition": {"value": {"$exists": true}}, "gate": true});
    let rules = json!([{"id": "fr_1", "parentConditions": [gate]}, {"force": "next rule"}]);
    let features = json!({"f": {"rules": rules}, "good": {"defaultValue": 1}});
    let snapshot = Payload::from_parts(&features, None).unwrap().compile();
    let place = r#"feature "f", rule 0 (fr_1)"#;
    let expected = format!(r#"{place}: "parentConditions" must be a list of objects with an id"#);
    assert_eq!(warnings(&snapshot), [expected]);
    assert_eq!(value(&snapshot, "f"), json!(null));
    assert_eq!(value(&snapshot, "good"), 1);
}

// Features and the other sections.

/// A gate holds when another part of its rule is malformed. An unreadable prerequisite is a gate.
#[test]
fn a_gate_holds_in_a_malformed_rule() {
    let gate = r#"{"id": "off", "condition": {"value": true}, "gate": true}"#;
    let rules = [
        format!(r#"{{"parentConditions": [{gate}, 5]}}"#),
        format!(r#"{{"parentConditions": [{gate}], "filters": 5}}"#),
        format!(r#"{{"parentConditions": [{gate}], "force": {OUT_OF_RANGE}}}"#),
        format!(r#"{{"parentConditions": [{gate}], "note": {HALF_A_PAIR}}}"#),
        r#"{"parentConditions": [null]}"#.to_owned(),
        format!(r#"{{"parentConditions": {gate}}}"#),
        format!(r#"{{"parentConditions": [{OUT_OF_RANGE}]}}"#),
    ];
    for rule in rules {
        let document = format!(
            r#"{{"features": {{"off": {{"defaultValue": false}},
                "gated": {{"defaultValue": true, "rules": [{rule}]}}}}}}"#
        );
        let payload = Payload::from_json(document).unwrap();
        let reduced = reduce_payload(&payload, &ReduceOptions::new());
        let reduced = Payload::from_json(reduced.to_json_string()).unwrap();
        assert!(!payload.compile().warnings().is_empty(), "{rule}");
        for snapshot in [payload.compile(), reduced.compile()] {
            let user = UserContext::new("u");
            let result = snapshot.for_user(&user).eval_feature("gated");
            assert_eq!(result.source.as_str(), "prerequisite", "{rule}");
        }
    }
}

/// No user passes a pattern that is too large, negated or not. An invalid pattern matches nothing.
#[test]
fn no_user_passes_a_pattern_that_is_too_large() {
    let cases = [
        (r#"{"id": {"$regex": "u|a{100001}"}}"#, false),
        (r#"{"id": {"$not": {"$regex": "a{100001}"}}}"#, false),
        (r#"{"$not": {"id": {"$regex": "a{100001}"}}}"#, false),
        (r#"{"$nor": [{"id": {"$regex": "a{100001}"}}]}"#, false),
        (r#"{"id": {"$notRegex": "a{100001}"}}"#, false),
        (r#"{"id": {"$regex": "("}}"#, false),
        (r#"{"id": {"$notRegex": "("}}"#, true),
    ];
    let user = UserContext::new("u");
    for (condition, expected) in cases {
        let condition = growthbook_core::condition::Condition::from_json(condition).unwrap();
        assert_eq!(condition.warnings().len(), 1);
        let passes = Snapshot::empty().for_user(&user).eval_condition(&condition);
        assert_eq!(passes, expected, "{condition:?}");
    }
}

/// A search that reaches its limit has an unknown outcome: no user passes, negated or not, and
/// other branches decide.
#[test]
fn no_user_passes_a_search_at_its_limit() {
    let cases = [
        (r#"{"id": {"$regex": "(?=(a+)+$)b|(?=(a+)+b)"}}"#, false),
        (r#"{"id": {"$notRegex": "(?=(a+)+$)b|(?=(a+)+b)"}}"#, false),
        (r#"{"$not": {"id": {"$regex": "(?=(a+)+$)b|(?=(a+)+b)"}}}"#, false),
        (r#"{"$or": [{"id": {"$regex": "(?=(a+)+b)"}}, {"id": {"$regex": "^a"}}]}"#, true),
        (r#"{"id": {"$regex": "^(?=a)(?!.*b)"}}"#, true),
    ];
    let user = UserContext::new("a".repeat(1_000));
    for (condition, expected) in cases {
        let condition = growthbook_core::condition::Condition::from_json(condition).unwrap();
        assert!(condition.warnings().is_empty());
        let passes = Snapshot::empty().for_user(&user).eval_condition(&condition);
        assert_eq!(passes, expected, "{condition:?}");
    }
}

#[test]
fn a_malformed_part_spoils_nothing_else() {
    let cases = [
        (r#""features": {"f": 7}"#, vec![r#"feature "f": must be an object"#], json!(null)),
        (r#""features": {"f": []}"#, vec![r#"feature "f": must be an object"#], json!(null)),
        (
            r#""features": {"f": {"defaultValue": 1, "rules": {}}}"#,
            vec![r#"feature "f": "rules" must be a list"#],
            json!(1),
        ),
        (
            r#""features": {"f": {"defaultValue": 1e400, "rules": [{"force": 2}]}}"#,
            vec![r#"feature "f": not valid JSON, left out"#],
            json!(2),
        ),
        (
            r#""features": {"\ud800": {"defaultValue": 1}, "f": {"defaultValue": 2}}"#,
            vec![r#"feature "\\ud800": not valid JSON, left out"#],
            json!(2),
        ),
        (r#""features": {"f": {"\ud800": 1, "defaultValue": 2}}"#, vec![], json!(2)),
        (r#""\ud800": 1, "features": {"f": {"defaultValue": 2}}"#, vec![], json!(2)),
    ];
    for (members, expected, expected_value) in cases {
        let (start, features) = members.split_once(r#""features": {"#).unwrap();
        let document =
            format!(r#"{{{start}"features": {{"good": {{"defaultValue": "good"}}, {features}}}"#);
        let snapshot = Payload::from_json(&document).unwrap().compile();
        assert_eq!(warnings(&snapshot), expected, "{document}");
        assert_eq!(value(&snapshot, "f"), expected_value, "{document}");
        assert_eq!(value(&snapshot, "good"), "good", "{document}");
    }
}

/// No user is inside or outside of an unreadable group.
#[test]
fn no_user_passes_a_malformed_saved_group() {
    let section = r#"section "savedGroups": must be an object"#;
    let cases = [
        ("7", section),
        ("[]", section),
        (r#"{"g": 7}"#, r#"saved group "g": malformed saved group"#),
        (r#"{"g": [1e400]}"#, r#"saved group "g": not valid JSON, left out"#),
        (r#"{"g": {"type": "list", "values": 7}}"#, r#"saved group "g": malformed saved group"#),
        (r#"{"g": {"type": "condition"}}"#, r#"saved group "g": malformed saved group"#),
        (r#"{"g": {"type": "cohort"}}"#, r#"saved group "g": unknown saved group type"#),
    ];
    for (groups, expected) in cases {
        let document = format!(
            r#"{{"features": {{
                "in": {{"rules": [{{"condition": {{"id": {{"$inGroup": "g"}}}}, "force": 1}}]}},
                "out": {{"rules": [{{"condition": {{"id": {{"$notInGroup": "g"}}}}, "force": 1}}]}},
                "good": {{"defaultValue": 1}}
            }}, "savedGroups": {groups}}}"#
        );
        let snapshot = Payload::from_json(&document).unwrap().compile();
        assert_eq!(warnings(&snapshot)[0], expected, "{groups}");
        for (key, expected_value) in [("in", json!(null)), ("out", json!(null)), ("good", json!(1))]
        {
            assert_eq!(value(&snapshot, key), expected_value, "{key} with {groups}");
        }
    }
    let unnamed = r#"{"features": {"f": {"rules": [
        {"condition": {"id": {"$inGroup": "g"}}, "force": 1}
    ]}}, "savedGroups": {"\ud800": ["v"], "g": ["u"]}}"#;
    let snapshot = Payload::from_json(unnamed).unwrap().compile();
    assert_eq!(warnings(&snapshot), [r#"saved group "\\ud800": not valid JSON, left out"#]);
    assert_eq!(value(&snapshot, "f"), 1);
}

#[test]
fn a_rule_keeps_its_weights_without_a_valid_bandit() {
    let leaves =
        r#"contextual bandit "b": "contexts" must be a list of objects with leafId and weights"#;
    let cases = [
        ("7", r#"section "contextualBandits": must be an object"#),
        (r#"{"b": 7}"#, r#"contextual bandit "b": must be an object"#),
        (r#"{"b": {"contexts": [7]}}"#, leaves),
        (r#"{"b": {"contexts": [{"leafId": 1, "weights": ["x"]}]}}"#, leaves),
        (r#"{"b": {"contexts": [{"leafId": "1", "weights": [1, 0]}]}}"#, leaves),
    ];
    for (bandits, expected) in cases {
        let document = format!(
            r#"{{"features": {{"f": {{"rules": [{{
                "contextualBanditRef": "b", "contextualVariations": [0, 1], "weights": [0, 1]
            }}]}}}}, "contextualBandits": {bandits}}}"#
        );
        let snapshot = Payload::from_json(&document).unwrap().compile();
        assert_eq!(warnings(&snapshot), [expected], "{bandits}");
        assert_eq!(value(&snapshot, "f"), 1, "{bandits}");
    }
}

// Encrypted sections.

#[cfg(feature = "encryption")]
mod encrypted {
    use std::error::Error as _;

    use growthbook_core::DecryptionKey;
    use growthbook_core::encryption::DecryptError;

    use super::*;

    const KEY: &str = "Zvwv/+uhpFDznZ6SX28Yjg==";
    const WRONG_KEY: &str = "Ns04T5n9+59rl2x3SlNHtQ==";
    /// `{"f":{"defaultValue":1}}`
    const FEATURES: &str = "AAAAAAAAAAAAAAAAAAAAAA==.vxy8S1oLorZspuSE//y2xybd9QcwWLY3n7fUAOeSWio=";
    /// `{"g":["u"]}`
    const GROUPS: &str = "AAAAAAAAAAAAAAAAAAAAAA==.TO/JsoMe25ORRLy8nEFbwA==";
    /// `[1]`
    const A_LIST: &str = "AAAAAAAAAAAAAAAAAAAAAA==.PZw5cEBg6yhSohtJ41380Q==";
    /// `no JSON`
    const NO_JSON: &str = "AAAAAAAAAAAAAAAAAAAAAA==.jwDJn3muAVW6vPBnJMmggg==";
    /// The bytes FF FE.
    const NO_UTF8: &str = "AAAAAAAAAAAAAAAAAAAAAA==.AeYhZFjSdMepr/tcncEY5w==";

    fn key(text: &str) -> DecryptionKey {
        DecryptionKey::from_base64(text).unwrap()
    }

    #[test]
    fn undecryptable_features_are_a_typed_error() {
        let wrong = PayloadError::Decrypt(DecryptError::WrongKey);
        let malformed = PayloadError::Decrypt(DecryptError::Malformed);
        let invalid = PayloadError::EncryptedFeaturesInvalid;
        let cases = [
            (WRONG_KEY, json!(FEATURES), wrong),
            (KEY, json!("nonsense"), malformed),
            (KEY, json!("no.base64!"), malformed),
            (KEY, json!("AAAA.AAAA"), malformed),
            (KEY, json!(NO_UTF8), wrong),
            (KEY, json!(NO_JSON), invalid),
            (KEY, json!(A_LIST), PayloadError::FeaturesNotAnObject),
            (KEY, json!(7), invalid),
            (KEY, json!({}), invalid),
        ];
        for (with, encrypted, expected) in cases {
            // Plain features are ignored next to encrypted ones.
            let document = json!({"features": {}, "encryptedFeatures": encrypted}).to_string();
            let error = Payload::from_encrypted_json(&document, &key(with)).unwrap_err();
            assert_eq!(error, expected, "{encrypted}");
            assert_eq!(error.source().is_some(), matches!(error, PayloadError::Decrypt(_)));
        }
        let document = json!({"features": {}, "encryptedFeatures": FEATURES}).to_string();
        let error = Payload::from_json(&document).unwrap_err();
        assert_eq!(error, PayloadError::MissingDecryptionKey);
    }

    #[test]
    fn truncated_text_does_not_decrypt() {
        for length in 1..FEATURES.len() {
            let document = json!({"encryptedFeatures": FEATURES[..length]}).to_string();
            let error = Payload::from_encrypted_json(&document, &key(KEY)).unwrap_err();
            assert!(matches!(error, PayloadError::Decrypt(_)), "{length}: {error}");
        }
    }

    #[test]
    fn encrypted_features_replace_plain_ones() {
        let plain = json!({"f": {"defaultValue": 0}});
        let cases = [(FEATURES, json!(1)), ("", json!(0))];
        for (encrypted, expected_value) in cases {
            let document = json!({"features": plain, "encryptedFeatures": encrypted}).to_string();
            let snapshot = Payload::from_encrypted_json(&document, &key(KEY)).unwrap().compile();
            assert_eq!(value(&snapshot, "f"), expected_value);
        }
    }

    #[test]
    fn no_user_passes_undecryptable_saved_groups() {
        let in_group = json!({"rules": [{"condition": {"id": {"$inGroup": "g"}}, "force": 1}]});
        let out = json!({"rules": [{"condition": {"id": {"$notInGroup": "g"}}, "force": 1}]});
        let features = json!({"in": in_group, "out": out, "good": {"defaultValue": 1}});
        let warning = |what: &str| vec![format!(r#"section "savedGroups": {what}"#)];
        let wrong_key = warning("the decryption key does not decrypt it");
        let cases = [
            (Some(KEY), json!(GROUPS), vec![], json!(1)),
            (
                None,
                json!(GROUPS),
                warning("it is encrypted, and no decryption key is set"),
                json!(null),
            ),
            (Some(WRONG_KEY), json!(GROUPS), wrong_key.clone(), json!(null)),
            (Some(KEY), json!(NO_UTF8), wrong_key.clone(), json!(null)),
            (Some(KEY), json!("nonsense"), wrong_key, json!(null)),
            (Some(KEY), json!(NO_JSON), warning("not valid JSON, left out"), json!(null)),
            (Some(KEY), json!(7), warning("must be a string"), json!(null)),
            (Some(KEY), json!(A_LIST), warning("must be an object"), json!(null)),
        ];
        for (with, encrypted, expected, expected_value) in cases {
            // Plain groups are ignored next to encrypted ones.
            let document = json!({
                "features": features,
                "savedGroups": {"g": ["u"]},
                "encryptedSavedGroups": encrypted,
            });
            let payload = match with {
                Some(text) => Payload::from_encrypted_json(document.to_string(), &key(text)),
                None => Payload::from_json(document.to_string()),
            };
            let snapshot = payload.unwrap().compile();
            assert_eq!(warnings(&snapshot), expected, "{encrypted}");
            assert_eq!(value(&snapshot, "in"), expected_value, "{encrypted}");
            assert_eq!(value(&snapshot, "out"), json!(null), "{encrypted}");
            assert_eq!(value(&snapshot, "good"), json!(1), "{encrypted}");
        }
    }

    #[test]
    fn an_invalid_key_is_refused() {
        let cases = [
            "",
            "Zvwv",
            "Zvwv/+uhpFDznZ6SX28Yj",
            "Zvwv/+uhpFDznZ6SX28Yjg",
            "Zvwv_-uhpFDznZ6SX28Yjg==",
            "Zvwv/+uhpFDznZ6SX28YjmZ2d",
            "sdk-abc123",
        ];
        for text in cases {
            let error = DecryptionKey::from_base64(text).unwrap_err();
            assert_eq!(error, DecryptError::InvalidKey, "{text:?}");
        }
    }
}

/// The rule and its experiment share the filters.
#[test]
fn a_malformed_filter_gives_one_warning() {
    let rule = r#"{"variations": [0, 1], "filters": [{"seed": "s"}]}"#;
    let warnings = rule_warnings(rule);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

/// A condition is a step, and every clause with its test two, up to the clause that decides.
#[test]
fn a_condition_fails_beyond_the_budget() {
    let passes = |elements: usize, test: &str| {
        let list: Vec<Value> = vec![Value::Object(serde_json::Map::new()); elements];
        let user = UserContext::new("user-1").attribute("list", Value::Array(list));
        let condition = format!(r#"{{"$nor": [{{"list": {{"$elemMatch": {test}}}}}]}}"#);
        let condition = Condition::from_json(&condition).unwrap();
        Snapshot::empty().for_user(&user).eval_condition(&condition)
    };
    let fields: Vec<String> = (0..400).map(|number| format!(r#""f{number}": 1"#)).collect();
    let fields = format!("{{{}}}", fields.join(","));
    assert!(passes(3_000, &fields));
    assert!(passes(150_000, r#"{"f": 1}"#));
    assert!(!passes(200_000, r#"{"f": 1}"#));

    let nots = r#"{"$not": "#.repeat(60) + r#"{"$eq": 1}"# + &"}".repeat(60);
    assert!(passes(7_500, &nots));
    assert!(!passes(10_000, &nots));
}

#[test]
fn warning_is_one_line() {
    let nasty = "k\n2: forced\u{1b}[2J\u{2028}";
    let payload = json!({
        "features": {nasty: {"rules": [{"id": nasty, "coverage": "x", "force": 1},
            {"id": nasty, "condition": {"a": {"$regex": format!("({nasty}")}}, "force": 1}]}},
        "experiments": [{"key": nasty, "variations": 5}],
        "savedGroups": {nasty: 5},
    });
    let snapshot = Payload::from_json(payload.to_string()).unwrap().compile();
    assert_eq!(snapshot.warnings().len(), 4);
    for warning in snapshot.warnings() {
        let text = warning.to_string();
        assert!(text.chars().all(|it| !it.is_control() && it != '\u{2028}'), "{text:?}");
    }
}
