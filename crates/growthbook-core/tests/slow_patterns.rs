//! Searches that reach their step limit are reported.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use growthbook_core::warning::{Location, WarningKind};
use growthbook_core::{Payload, Snapshot, UserContext};

const SLOW: &str = "(?=(a+)+b)";

fn rule(operator: &str, pattern: &str) -> String {
    format!(r#"{{"condition":{{"text":{{"{operator}":"{pattern}"}}}},"force":true}}"#)
}

fn payload(rules: &[String]) -> Payload {
    let rules = rules.join(",");
    Payload::from_json(format!(r#"{{"features":{{"f":{{"rules":[{rules}]}}}}}}"#)).unwrap()
}

fn user() -> UserContext {
    UserContext::default().attribute("text", "a".repeat(1_000))
}

fn patterns(snapshot: &Snapshot) -> Vec<String> {
    let warnings = snapshot.evaluation_warnings();
    warnings
        .into_iter()
        .map(|warning| match (warning.location, warning.kind) {
            (Location::Payload, WarningKind::SlowRegex(pattern)) => pattern.into(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn search_at_its_limit_is_reported_once() {
    static REPORTED: AtomicUsize = AtomicUsize::new(0);
    static IGNORED: AtomicUsize = AtomicUsize::new(0);
    let fast = rule("$regex", "(?=b)");
    let slow = [fast.clone(), rule("$regex", SLOW), rule("$notRegex", SLOW)];
    let first = payload(&slow).compile();
    first.on_evaluation_warning(|warning| {
        let text = warning.to_string();
        assert!(text.contains("took more than 500000 steps"), "{text}");
        REPORTED.fetch_add(1, Ordering::Relaxed);
    });
    first.on_evaluation_warning(|_| {
        IGNORED.fetch_add(1, Ordering::Relaxed);
    });
    assert!(patterns(&first).is_empty());
    for _ in 0..3 {
        assert!(first.for_user(&user()).is_off("f"));
    }
    assert_eq!(patterns(&first), [SLOW]);
    assert!(first.warnings().is_empty());

    // The next snapshot shares the expression and the function.
    let other = r"(?=(b|b)+c)";
    let second = payload(&[rule("$regex", SLOW), rule("$regex", other)]).compile_after(&first);
    assert_eq!(patterns(&second), [SLOW]);
    assert!(second.for_user(&user()).is_off("f"));
    assert_eq!(REPORTED.load(Ordering::Relaxed), 1);
    let texts = UserContext::default().attribute("text", "b".repeat(1_000));
    assert!(second.for_user(&texts).is_off("f"));
    assert_eq!(patterns(&second), [SLOW, other]);
    assert_eq!(REPORTED.load(Ordering::Relaxed), 2);

    let third = payload(&[fast]).compile_after(&second);
    drop((first, second));
    assert!(third.for_user(&user()).is_off("f"));
    assert!(patterns(&third).is_empty());
    assert_eq!(IGNORED.load(Ordering::Relaxed), 0);
}

/// The evaluation's budget is not the pattern's fault.
#[test]
fn end_of_the_budget_is_not_reported() {
    let long =
        format!(r#"{{"condition":{{"text":{{"$in":["{}"]}}}},"force":1}}"#, "b".repeat(1_000));
    let rules: Vec<String> =
        (0..10_000).map(|_| long.clone()).chain([rule("$regex", SLOW)]).collect();
    let snapshot = payload(&rules).compile();
    assert!(snapshot.for_user(&user()).is_off("f"));
    assert!(patterns(&snapshot).is_empty());
}
