//! The memory of a snapshot is bounded by the length of its text, whatever the text is.

use growthbook_core::limits::{MAX_SNAPSHOT_FACTOR, MAX_WARNINGS};
use growthbook_core::{Payload, Snapshot, UserContext};

/// The length of the text of each shape: enough that the floor for small payloads does not count.
const LENGTH: usize = 512 * 1024;
/// The text of the definitions is kept once, and sizes that the allocator sees are estimated.
const FACTOR: usize = MAX_SNAPSHOT_FACTOR + 4;

#[test]
fn snapshot_takes_at_most_twenty_times_its_text() {
    let (mut worst, mut above) = ((0, 0, ""), Vec::new());
    for (name, text) in shapes() {
        let mut kept = None;
        let measured = allocation_counter::measure(|| {
            kept = Some(Payload::from_json(&text).unwrap().compile());
        });
        let live = usize::try_from(measured.bytes_current).unwrap() / text.len();
        let peak = usize::try_from(measured.bytes_max).unwrap() / text.len();
        let warnings = kept.as_ref().map_or(0, |snapshot| snapshot.warnings().len());
        println!("{live:>3} times live, {peak:>3} at the peak, {warnings:>5} warnings: {name}");
        worst = worst.max((live, peak, name));
        assert!(warnings <= MAX_WARNINGS + 1);
        if live >= FACTOR {
            above.push((live, name));
        }
    }
    println!("worst: {worst:?}");
    assert!(above.is_empty(), "{above:?}");
}

/// Every list of a payload, filled with its shortest items, and every section.
fn shapes() -> Vec<(&'static str, String)> {
    let in_feature = |before: &str, item: &dyn Fn(usize) -> String, after: &str| {
        let before = format!(r#"{{"features":{{"f":{before}"#);
        filled(&before, item, &format!("{after}}}}}"))
    };
    let in_rule = |before: &str, item: &'static str, after: &str| {
        let before = format!(r#"{{"rules":[{before}"#);
        in_feature(&before, &|_| item.into(), &format!("{after}]}}"))
    };
    let in_section = |before: &str, item: &dyn Fn(usize) -> String, after: &str| {
        filled(&format!(r#"{{"features":{{}},{before}"#), item, &format!("{after}}}"))
    };
    let same = |item: &'static str| move |_: usize| String::from(item);
    let members = r#"{"variations":[0,1],"#;
    let mut shapes = vec![
        ("experiments {}", in_section(r#""experiments":["#, &same("{}"), "]")),
        ("experiments 0", in_section(r#""experiments":["#, &same("0"), "]")),
        (
            "experiments with variations",
            in_section(r#""experiments":["#, &same(r#"{"variations":[0,1]}"#), "]"),
        ),
        (
            "variations of an auto experiment",
            in_section(r#""experiments":[{"variations":["#, &same("0"), "]}]"),
        ),
        (
            "URL patterns",
            in_section(
                r#""experiments":[{"urlPatterns":["#,
                &|number| format!(r#"{{"type":"simple","pattern":"{number}"}}"#),
                "]}]",
            ),
        ),
        (
            "URL patterns with many parameters",
            in_section(
                r#""experiments":["#,
                &|number| {
                    let query = "a&".repeat(200);
                    format!(
                        r#"{{"urlPatterns":[{{"type":"simple","pattern":"/?{number}&{query}"}}]}}"#
                    )
                },
                "]",
            ),
        ),
        (
            "unreadable URL patterns",
            in_section(r#""experiments":[{"urlPatterns":["#, &same("{}"), "]}]"),
        ),
        ("features {}", filled(r#"{"features":{"#, &|number| format!(r#""{number}":{{}}"#), "}}")),
        ("features 0", filled(r#"{"features":{"#, &|number| format!(r#""{number}":0"#), "}}")),
        (
            "features with an unreadable rule",
            filled(
                r#"{"features":{"#,
                &|number| format!(r#""{number}":{{"rules":[0,0,0,0]}}"#),
                "}}",
            ),
        ),
        ("saved groups 0", in_section(r#""savedGroups":{"#, &|it| format!(r#""{it}":0"#), "}")),
        ("saved groups []", in_section(r#""savedGroups":{"#, &|it| format!(r#""{it}":[]"#), "}")),
        (
            "ids of a saved group",
            in_section(r#""savedGroups":{"g":["#, &|number| format!(r#""{number}""#), "]}"),
        ),
        (
            "numbers of a saved group",
            in_section(r#""savedGroups":{"g":["#, &|number| number.to_string(), "]}"),
        ),
        (
            "saved groups with conditions",
            in_section(
                r#""savedGroups":{"#,
                &|number| format!(r#""{number}":{{"type":"condition","condition":{{}}}}"#),
                "}",
            ),
        ),
        (
            "bandits 0",
            in_section(r#""contextualBandits":{"#, &|number| format!(r#""{number}":0"#), "}"),
        ),
        ("leaves 0", in_section(r#""contextualBandits":{"b":{"contexts":["#, &same("0"), "]}}")),
        ("leaves {}", in_section(r#""contextualBandits":{"b":{"contexts":["#, &same("{}"), "]}}")),
        (
            "invalid keys",
            filled(r#"{"features":{"#, &|number| format!(r#""\ud800{number}":0"#), "}}"),
        ),
        (
            "prerequisites on unknown features",
            in_feature(
                r#"{"rules":[{"parentConditions":["#,
                &|number| format!(r#"{{"id":"{number}"}}"#),
                "]}]}",
            ),
        ),
        (
            "unknown operators",
            in_feature(
                r#"{"rules":[{"condition":{"a":{"#,
                &|number| format!(r#""${number}":0"#),
                "}}}]}",
            ),
        ),
        ("unreadable feature", in_feature(r#"{"defaultValue":1e400,"rules":["#, &same("0"), "]}")),
        (
            "unreadable rules",
            in_feature(r#"{"rules":["#, &same(r#"{"a":1e400,"parentConditions":[0]}"#), "]}"),
        ),
        (
            "rules of a feature with a long key",
            filled(
                &format!(r#"{{"features":{{"{}":{{"rules":["#, "k".repeat(LENGTH / 2)),
                &same(r#"{"force":1,"coverage":"a"}"#),
                "]}}}",
            ),
        ),
        (
            "warnings of a rule with a long id",
            in_feature(
                &format!(
                    r#"{{"rules":[{{"id":"{}","force":1,"condition":{{"a":{{"#,
                    "k".repeat(LENGTH / 2)
                ),
                &|number| format!(r#""$unknown-operator-{number}":0"#),
                "}}}]}",
            ),
        ),
        (
            "tracks",
            in_rule(r#"{"force":1,"tracks":["#, r#"{"experiment":{"key":"a"},"result":{}}"#, "]}"),
        ),
        (
            "variations of tracks",
            in_rule(
                r#"{"force":1,"tracks":[{"experiment":{"key":"a","variations":["#,
                "0",
                r#"]},"result":{}}]}"#,
            ),
        ),
        ("rules {}", in_rule("", "{}", "")),
        ("rules 0", in_rule("", "0", "")),
        ("forced values", in_rule("", r#"{"force":1}"#, "")),
        ("forced lists", in_rule("", r#"{"force":[]}"#, "")),
        ("rollouts", in_rule("", r#"{"force":1,"coverage":1}"#, "")),
        ("experiments of rules", in_rule("", r#"{"variations":[]}"#, "")),
        ("$or", in_rule(r#"{"force":1,"condition":{"$or":["#, "{}", "]}}")),
        ("$or 0", in_rule(r#"{"force":1,"condition":{"$or":["#, "0", "]}}")),
        ("clauses", in_rule(r#"{"force":1,"condition":{"$or":["#, r#"{"a":1}"#, "]}}")),
        ("$all", in_rule(r#"{"force":1,"condition":{"a":{"$all":["#, "0", "]}}}")),
        ("$alli", in_rule(r#"{"force":1,"condition":{"a":{"$alli":["#, r#""""#, "]}}}")),
        ("$in", in_rule(r#"{"force":1,"condition":{"a":{"$in":["#, "0", "]}}}")),
        ("literal", in_rule(r#"{"force":1,"condition":{"a":["#, r#"{"a":0}"#, "]}}")),
        ("parentConditions 0", in_rule(r#"{"parentConditions":["#, "0", "]}")),
        ("parentConditions {}", in_rule(r#"{"parentConditions":["#, "{}", "]}")),
    ];
    for (name, item) in [
        ("variations 0", "0"),
        ("variations null", "null"),
        ("variations []", "[]"),
        ("variations {}", "{}"),
        ("variations with a member", r#"{"a":0}"#),
        ("variations \"\"", r#""""#),
    ] {
        shapes.push((name, in_rule(r#"{"variations":["#, item, "]}")));
    }
    for (name, item) in [
        ("numbers in a value", "0"),
        ("lists in a value", "[]"),
        ("objects in a value", r#"{"a":0}"#),
        ("texts in a value", r#""a""#),
    ] {
        shapes.push((name, in_feature(r#"{"defaultValue":["#, &same(item), "]}")));
    }
    for (name, list, item) in [
        ("meta 0", "meta", "0"),
        ("meta {}", "meta", "{}"),
        ("meta with keys", "meta", r#"{"key":"a"}"#),
        ("ranges 0", "ranges", "0"),
        ("ranges", "ranges", "[0,1]"),
        ("weights", "weights", "0"),
        ("filters 0", "filters", "0"),
        ("filters {}", "filters", "{}"),
        ("filters", "filters", r#"{"ranges":[]}"#),
    ] {
        shapes.push((name, in_rule(&format!(r#"{members}"{list}":["#), item, "]}")));
    }
    shapes
}

/// Returns text with as many items as fit.
fn filled(before: &str, item: &dyn Fn(usize) -> String, after: &str) -> String {
    let mut text = String::from(before);
    let mut separator = "";
    for number in 0.. {
        if text.len() >= LENGTH {
            break;
        }
        text.push_str(separator);
        text.push_str(&item(number));
        separator = ",";
    }
    text.push_str(after);
    text
}

/// The definitions of a real project stay far from the limit.
#[test]
fn large_projects_are_not_limited() {
    let rule = |number: usize| {
        format!(
            r#"{{"id":"fr_{number}","condition":{{"country":{{"$in":["US","CA"]}}}},"coverage":0.5,"hashAttribute":"id","force":{number}}}"#
        )
    };
    let features: Vec<String> = (0..5_000)
        .map(|number| {
            let rules = [rule(number), rule(number + 1)].join(",");
            format!(r#""feature-{number}":{{"defaultValue":false,"rules":[{rules}]}}"#)
        })
        .collect();
    let experiments: Vec<String> = (0..10_000)
        .map(|number| {
            format!(
                r#"{{"key":"experiment-{number}","changeId":"c-{number}","status":"running","variations":[{{}},{{"css":".a {{}}","js":"","domMutations":[]}}],"weights":[0.5,0.5],"hashAttribute":"id","urlPatterns":[{{"type":"simple","pattern":"https://example.com/{number}","include":true}}],"meta":[{{"key":"0","name":"Control"}},{{"key":"1","name":"Variation 1"}}]}}"#
            )
        })
        .collect();
    let products: Vec<String> = (0..5_000)
        .map(|number| format!(r#"{{"id":"product-{number}","price":{number}}}"#))
        .collect();
    let features =
        format!(r#"{},"products":{{"defaultValue":[{}]}}"#, features.join(","), products.join(","));
    let ids: Vec<String> = (0..1_000_000).map(|number| number.to_string()).collect();
    let text = format!(
        r#"{{"features":{{{}}},"experiments":[{}],"savedGroups":{{"g":[{}]}}}}"#,
        features,
        experiments.join(","),
        ids.join(",")
    );
    let snapshot = Payload::from_json(text).unwrap().compile();
    assert!(snapshot.warnings().is_empty(), "{:?}", snapshot.warnings().first());
    assert_eq!(snapshot.feature_keys().len(), 5_001);
    assert_eq!(snapshot.auto_experiments().len(), 10_000);
}

#[test]
fn definition_beyond_the_memory_is_left_out() {
    let numbers = |count: usize| vec!["0"; count].join(",");
    let text = |padding: usize| {
        format!(
            r#"{{"features":{{
                "large":{{"rules":[{{"variations":[{}]}}]}},
                "grouped":{{"rules":[{{"condition":{{"id":{{"$inGroup":"g"}}}},"force":1}}]}},
                "small":{{"defaultValue":1,"rules":[{{"id":"{}"}}]}}}},
              "savedGroups":{{"g":["user-1"]}}}}"#,
            numbers(100_000),
            "x".repeat(padding)
        )
    };
    let compile = |text: &str| Payload::from_json(text).unwrap().compile();
    let has_large = |snapshot: &Snapshot| snapshot.contains_feature("large");
    let (tight, ample) = (compile(&text(0)), compile(&text(900_000)));
    assert!(!has_large(&tight) && has_large(&ample));
    let user = UserContext::new("user-1");
    for key in ["small", "grouped"] {
        assert!(tight.for_user(&user).is_on(key), "{key}");
    }
    let warning = tight.warnings().first().unwrap().to_string();
    assert!(warning.starts_with(r#"feature "large": left out"#), "{warning}");
    // A snapshot that is compiled after another one leaves out the same parts.
    let after =
        |text: &str, before: &Snapshot| Payload::from_json(text).unwrap().compile_after(before);
    assert!(has_large(&after(&text(900_000), &tight)));
    assert!(!has_large(&after(&text(0), &ample)));
}
