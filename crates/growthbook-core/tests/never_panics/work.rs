//! Payloads of a megabyte and users of 64 kB that make one evaluation as long as possible. Each
//! loop must count against the budget of the evaluation. The figures are printed.

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use growthbook_core::limits::MAX_EVALUATION_STEPS;
use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use growthbook_core::{Attributes, Payload, UserContext};
use serde_json::{Value, json};

use crate::backtracking;
use crate::hostile::within_limits;

const MAX_PAYLOAD: usize = 1024 * 1024;
pub(crate) const MAX_USER: usize = 64 * 1024;

/// A payload with a feature `hostile`, and the user to evaluate it for.
pub(crate) struct Case {
    name: &'static str,
    payload: String,
    user: UserContext,
    /// The least number of steps that the loops must count.
    steps: usize,
}

/// A case that does more work than the budget allows.
pub(crate) fn endless(name: &'static str, payload: String, user: UserContext) -> Case {
    Case { name, payload, user, steps: MAX_EVALUATION_STEPS * 9 / 10 }
}

#[test]
fn every_loop_counts() {
    let (mut worst, mut uncounted) = ((0, ""), Vec::new());
    for Case { name, payload, user, steps } in cases().into_iter().chain(backtracking::cases()) {
        assert!(payload.len() <= MAX_PAYLOAD, "{name}: payload of {} bytes", payload.len());
        let size = serde_json::to_string(user.attributes()).unwrap().len();
        assert!(size <= MAX_USER + 100, "{name}: user of {size} bytes");
        let snapshot = Payload::from_json(&payload).unwrap().compile();
        let gb = snapshot.for_user(&user);
        // The first evaluation also builds regular expressions.
        let start = processor_time();
        let counted = gb.count_steps("hostile");
        let first = processor_time() - start;
        let start = processor_time();
        black_box(gb.is_on("hostile"));
        let time = processor_time() - start;
        println!(
            "{counted:>7} steps, {:>5} ms, at first {:>5} ms: {name}",
            time.as_millis(),
            first.as_millis()
        );
        worst = worst.max((time.max(first).as_micros(), name));
        if !(steps..=MAX_EVALUATION_STEPS).contains(&counted) {
            uncounted.push((name, counted));
        }
        assert!(gb.is_on("healthy"), "{name}");
    }
    println!("worst: {worst:?} µs");
    assert!(uncounted.is_empty(), "{uncounted:?}");
}

/// Returns the time that this thread has run. Unlike the time of day, it does not depend on other
/// programs. Where the system does not report it, it is the time of day.
fn processor_time() -> Duration {
    let running = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = running.and_then(|text| text.split(' ').next()?.parse().ok());
    let of_day = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    nanos.map_or_else(of_day, Duration::from_nanos)
}

fn cases() -> Vec<Case> {
    let long = "ab".repeat(MAX_USER / 2 - 50);
    let long_user = || UserContext::new(long.as_str());
    let numbers: Vec<u32> = (0..10_000).collect();
    let texts: Vec<String> = (0..6_000).map(|number| format!("T{number}")).collect();
    let members: serde_json::Map<String, Value> =
        (0..5_000).map(|number| (format!("m{number}"), number.into())).collect();
    let list_user = |list: Value| UserContext::new("1").attribute("list", list);
    let repeated = |rule: &str| rules(&|_| rule.into());
    let grouped = |condition: &str| in_group(condition);
    let same_tags: Attributes =
        (10..74).map(|number| (format!("prefix_{}{number}", "x".repeat(600)), number)).collect();
    let numbered = |number: usize| {
        format!(r#"{{"coverage":0,"force":1,"seed":"{number}","hashAttribute":"id"}}"#)
    };
    vec![
        endless(
            "$alli of 6,000 texts on 6,000 texts",
            {
                let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
                grouped(&json!({"list": {"$alli": texts, "$eq": 1}}).to_string())
            },
            list_user(texts.clone().into()),
        ),
        endless(
            "$all of 6,000 texts on 6,000 texts",
            grouped(&json!({"list": {"$all": texts}, "x": 2}).to_string()),
            list_user(texts.iter().rev().cloned().collect()),
        ),
        Case {
            name: "an expression of 10,000 states on a long text",
            payload: repeated(&matching("[ab]*a[ab]{10000}c")),
            user: long_user(),
            steps: 0,
        },
        endless(
            "expressions with many states of a machine",
            rules(&|number| matching(&format!("a.{{16}}c{number}"))),
            long_user(),
        ),
        endless(
            "different expressions",
            rules(&|number| matching(&format!("x+{number}"))),
            UserContext::new("1"),
        ),
        Case {
            name: "empty matches inside characters",
            payload: repeated(&matching(r"\\Bc")),
            user: UserContext::new("\u{1f600}".repeat(MAX_USER / 4 - 50)),
            steps: 0,
        },
        endless("a text in a long text", repeated(&matching("abc")), long_user()),
        endless(
            "an object of 5,000 members without an order",
            grouped(&json!({"list": members, "x": 2}).to_string()),
            list_user(members.clone().into()),
        ),
        endless(
            "a list of 10,000 numbers",
            grouped(&json!({"list": numbers, "x": 2}).to_string()),
            list_user(numbers.clone().into()),
        ),
        endless(
            "$in on a list of 10,000 numbers",
            repeated(r#"{"condition":{"list":{"$in":["x"]}},"force":1}"#),
            list_user(numbers.clone().into()),
        ),
        endless(
            "$ini on a list of 6,000 texts",
            repeated(r#"{"condition":{"list":{"$ini":["x"]}},"force":1}"#),
            list_user(texts.clone().into()),
        ),
        endless(
            "$inGroup on a list of 10,000 numbers",
            {
                let rule = r#"{"condition":{"list":{"$inGroup":"g"}},"force":1}"#;
                document(&vec![rule; 10_000].join(","), r#","savedGroups":{"g":["x"]}"#)
            },
            list_user(numbers.clone().into()),
        ),
        endless(
            "$in and $ini on a long text",
            repeated(r#"{"condition":{"id":{"$in":["x",1],"$ini":["x"]}},"force":1}"#),
            long_user(),
        ),
        endless(
            "equality of a long text",
            grouped(&format!(r#"{{"id":"{long}","x":1}}"#)),
            long_user(),
        ),
        endless(
            "order of long texts",
            grouped(&format!(r#"{{"id":{{"$gte":"{long}","$lt":"a"}}}}"#)),
            long_user(),
        ),
        endless(
            "versions of a long text",
            grouped(&format!(r#"{{"id":{{"$vgte":"{long}","$vlt":"a"}}}}"#)),
            long_user(),
        ),
        endless(
            "a path into an object of 5,000 members",
            repeated(r#"{"condition":{"list.m4999.x":1},"force":1}"#),
            list_user(members.clone().into()),
        ),
        endless(
            "properties of elements",
            repeated(r#"{"condition":{"list":{"$elemMatch":{"a":1}}},"force":1}"#),
            list_user((0..7_000).map(|_| json!({"b": 1})).collect()),
        ),
        Case {
            name: "names with equal tags",
            payload: repeated(&format!(
                r#"{{"condition":{{"prefix_{}99":1}},"force":1}}"#,
                "x".repeat(600)
            )),
            user: UserContext::from_attributes(same_tags),
            steps: 60_000,
        },
        endless("a long value that is hashed by rollouts", rules(&numbered), long_user()),
        endless(
            "a long value that is hashed by filters",
            repeated(r#"{"filters":[{"seed":"s","ranges":[]}],"force":1}"#),
            long_user(),
        ),
        endless(
            "filters with many ranges",
            {
                let ranges = vec!["[0,0]"; 50].join(",");
                let filter = format!(r#"{{"seed":"s","ranges":[{ranges}]}}"#);
                let parent = format!(r#"{{"filters":[{filter}],"force":1}}"#);
                with_parent(&vec![parent; 300].join(","))
            },
            UserContext::new("1"),
        ),
        endless(
            "a long value that is hashed by experiments",
            repeated(r#"{"key":"e","variations":[0,1],"coverage":0,"hashAttribute":"id"}"#),
            long_user(),
        ),
        endless(
            "a long seed of a prerequisite",
            with_parent(&format!(
                r#"{{"coverage":0,"force":1,"seed":"{}"}}"#,
                "s".repeat(MAX_PAYLOAD / 2)
            )),
            UserContext::new("1"),
        ),
        endless(
            "leaves of a bandit",
            {
                let leaf = r#"{"condition":{"a":1}}"#;
                let rule = r#"{"contextualBanditRef":"b","contextualVariations":[0,1],"coverage":0,"ranges":[]}"#;
                document(
                    &vec![rule; 4_000].join(","),
                    &format!(
                        r#","contextualBandits":{{"b":{{"contexts":[{}]}}}}"#,
                        vec![leaf; 20_000].join(",")
                    ),
                )
            },
            UserContext::new("1"),
        ),
        Case {
            name: "unknown operators in one test",
            payload: {
                let operators: Vec<String> =
                    (0..50_000).map(|number| format!(r#""${number}":0"#)).collect();
                grouped(&format!(r#"{{"id":{{{}}}}}"#, operators.join(",")))
            },
            user: UserContext::new("1"),
            steps: 0,
        },
        endless(
            "remote groups",
            {
                let rule = r#"{"condition":{"$savedGroup":{"id":"g"}},"force":1}"#;
                let group = r#","savedGroups":{"g":{"type":"remote"}}"#;
                document(&vec![rule; 10_000].join(","), group)
            },
            UserContext::new("1").remote_group_ids(texts.iter().map(String::as_str)),
        ),
        endless(
            "branches without clauses",
            {
                let branches = vec!["{}"; 60_000].join(",");
                grouped(&format!(r#"{{"$and":[{branches}],"id":2}}"#))
            },
            UserContext::new("1"),
        ),
    ]
}

/// A payload whose hostile feature has these rules.
fn document(rules: &str, sections: &str) -> String {
    format!(
        r#"{{"features":{{"healthy":{{"defaultValue":1}},"hostile":{{"rules":[{rules}]}}}}{sections}}}"#
    )
}

/// As many rules as fit.
pub(crate) fn rules(rule: &dyn Fn(usize) -> String) -> String {
    let mut rules = rule(0);
    for number in 1.. {
        if rules.len() > MAX_PAYLOAD - 10_000 {
            break;
        }
        write!(rules, ",{}", rule(number)).unwrap();
    }
    document(&rules, "")
}

/// A hostile feature that tests the condition of one saved group in many rules.
fn in_group(condition: &str) -> String {
    let rule = r#"{"condition":{"$savedGroup":{"id":"g"}},"force":1}"#;
    let group = format!(r#"{{"type":"condition","condition":{condition}}}"#);
    document(&vec![rule; 8_000].join(","), &format!(r#","savedGroups":{{"g":{group}}}"#))
}

/// A hostile feature that evaluates a prerequisite with these rules many times.
fn with_parent(rules: &str) -> String {
    let rule = r#"{"parentConditions":[{"id":"parent","condition":{"value":1}}],"force":1}"#;
    let parent = format!(r#""parent":{{"rules":[{rules}]}}"#);
    format!(
        r#"{{"features":{{"healthy":{{"defaultValue":1}},{parent},"hostile":{{"rules":[{}]}}}}}}"#,
        vec![rule; 5_000].join(",")
    )
}

fn matching(pattern: &str) -> String {
    format!(r#"{{"condition":{{"id":{{"$regex":"{pattern}"}}}},"force":1}}"#)
}

/// A user's attributes, URL and sticky documents are built in linear time. Quadratic time exceeds
/// the limit by far.
#[test]
fn users_are_built_in_linear_time() {
    within_limits("many attributes", || {
        let start = Instant::now();
        let user = (0..300_000_u32).fold(UserContext::default(), |user, number| {
            user.attribute(number.wrapping_mul(2_654_435_761).to_string(), number)
        });
        assert_eq!(user.attributes().len(), 300_000);
        println!("300,000 attributes: {} ms", start.elapsed().as_millis());
    });
    within_limits("many sticky documents", || {
        let start = Instant::now();
        let document = |number: u32| {
            let attribute_value = number.to_string().into();
            StickyBucketDocument::new(StickyBucketKey {
                attribute_name: "id".into(),
                attribute_value,
            })
        };
        let mut buckets = StickyBuckets::new();
        buckets.merge((0..200_000).map(document));
        buckets.merge((0..200_000).map(document));
        assert_eq!(buckets.iter().len(), 200_000);
        println!("400,000 sticky documents: {} ms", start.elapsed().as_millis());
    });
    within_limits("many assignments in one document", || {
        let rules: Vec<String> = (0..20_000)
            .map(|number| {
                let passthrough = r#"[{"passthrough":true},{"passthrough":true}]"#;
                format!(r#"{{"key":"e{number}","variations":[0,1],"meta":{passthrough}}}"#)
            })
            .collect();
        let snapshot = Payload::from_json(document(&rules.join(","), "")).unwrap().compile();
        let user = UserContext::new("1");
        let start = Instant::now();
        let mut buckets = StickyBuckets::new();
        snapshot.for_user(&user).sticky(&mut buckets).is_on("hostile");
        assert_eq!(buckets.take_changed().first().unwrap().assignments.len(), 20_000);
        println!("20,000 assignments: {} ms", start.elapsed().as_millis());
    });
    within_limits("a URL with many parameters", || {
        let query: Vec<String> = (0..20_000).map(|number| format!("q{number}")).collect();
        let rule =
            |number: u32| format!(r#"{{"key":"e{number}","variations":[0,1],"coverage":0}}"#);
        let rules: Vec<String> = (0..20_000).map(rule).collect();
        let snapshot = Payload::from_json(document(&rules.join(","), "")).unwrap().compile();
        let start = Instant::now();
        let user = UserContext::new("1").url(&format!("https://example.com/?{}", query.join("&")));
        assert!(snapshot.for_user(&user).is_off("hostile"));
        println!("20,000 parameters: {} ms", start.elapsed().as_millis());
    });
}
