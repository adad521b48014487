//! The time from a payload's bytes to a snapshot, and of the first use of a regular expression.

use std::any::Any;
use std::hint::black_box;
use std::time::Instant;

use comparison::measure::alternate_once;
use comparison::report::{LOAD, Quantity, Report, Row, Target, Time};
use comparison::spread::{Samples, Spread};
use growthbook::{Payload, Snapshot, UserContext};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::payloads::payload;

const ROUNDS: usize = 41;
const FEATURES: usize = 1_000;
const ROUNDS_OF_UPDATES: usize = 21;
const FEATURES_OF_UPDATE: usize = 5_000;

pub(crate) fn measure(report: &mut Report) {
    let text = payload(FEATURES);
    let bytes = text.as_bytes();
    let what = format!("load {} kB, 1,000 features", bytes.len() / 1_000);
    let mut ours = || boxed(load(bytes));
    let mut value = || boxed(serde_json::from_slice::<Value>(bytes).expect("JSON"));
    let samples = alternate_once(&mut [&mut ours, &mut value], ROUNDS);
    let [ours, value] = samples.as_slice() else { return };
    report.times.push(Time {
        scenario: LOAD.to_owned(),
        product: "core".to_owned(),
        nanoseconds: ours.spread(),
    });
    report.rows.push(row(9, &what, ours.spread(), Target::AtMost(6e6)));
    report.rows.push(Row {
        beside: Some(("serde_json `Value`".into(), Quantity::Nanoseconds(value.spread()))),
        ratio: Some(ours.relative_to(value).spread()),
        ..row(9, &what, ours.spread(), Target::AtMost(1.3))
    });
    updates(report);
    let what = "first evaluation with a regular expression";
    report.rows.push(row(9, what, first_uses(bytes).spread(), Target::AtMost(20e3)));
}

/// The time for a payload that follows another one: as a client takes it into use.
fn updates(report: &mut Report) {
    let text = payload(FEATURES_OF_UPDATE);
    let changed = text.replacen("\"coverage\":0.5", "\"coverage\":0.4", 1);
    assert_ne!(text, changed, "a feature is changed");
    let before = Payload::from_json(&text).expect("a payload");
    let snapshot = before.compile();
    let update = |text: &str| {
        let payload = Payload::from_json(text).expect("a payload").replacing(&before);
        let snapshot = payload.compile_after(&snapshot);
        boxed((payload, snapshot))
    };
    let mut same = || update(&text);
    let mut one = || update(&changed);
    let mut cold = || boxed(load(text.as_bytes()));
    let mut value = || boxed(serde_json::from_slice::<Value>(text.as_bytes()).expect("JSON"));
    let mut skipped = || boxed(serde_json::from_slice::<IgnoredAny>(text.as_bytes()).is_ok());
    // The large results that were dropped before give memory back to the system. The first update
    // after them asks for it again, which is not a cost of the update.
    let mut unmeasured = || update(&text);
    let mut contestants: [&mut dyn FnMut() -> Box<dyn Any>; 6] =
        [&mut cold, &mut value, &mut skipped, &mut unmeasured, &mut same, &mut one];
    let samples = alternate_once(&mut contestants, ROUNDS_OF_UPDATES);
    let [cold, value, skipped, _, same, one] = samples.as_slice() else { return };
    for (what, figure, name, beside, target) in [
        ("nothing changed", same, "serde_json `Value`", value, Target::AtMost(0.4)),
        ("1 feature changed", one, "serde_json `Value`", value, Target::AtMost(0.5)),
        ("1 feature changed", one, "cold load", cold, Target::AtMost(0.25)),
        ("1 feature changed", one, "skipped by serde_json", skipped, Target::None),
    ] {
        let what = format!("update of 5,000 features, {what}");
        report.rows.push(Row {
            beside: Some((name.to_owned(), Quantity::Nanoseconds(beside.spread()))),
            ratio: Some(figure.relative_to(beside).spread()),
            ..row(9, &what, figure.spread(), target)
        });
    }
}

fn boxed(made: impl Any) -> Box<dyn Any> {
    Box::new(made)
}

fn load(bytes: &[u8]) -> Snapshot {
    Payload::from_json(bytes).expect("a payload").compile()
}

/// Returns the times of the first evaluations. Every flag of the payload has its own regular
/// expression.
fn first_uses(bytes: &[u8]) -> Samples {
    let snapshot = load(bytes);
    let user = UserContext::new("user-1")
        .attribute("country", "US")
        .attribute("email", "somebody@example.com")
        .attribute("version", "99.0.0")
        .attribute("age", 99);
    let evaluator = snapshot.for_user(&user);
    let ask = |flag: &str| {
        let start = Instant::now();
        black_box(evaluator.is_on(black_box(flag)));
        start.elapsed().as_nanos() as f64
    };
    snapshot.feature_keys().map(ask).collect()
}

fn row(number: u8, what: &str, figure: Spread, target: Target) -> Row {
    let figure = Quantity::Nanoseconds(figure);
    Row { number, what: what.to_owned(), figure, beside: None, ratio: None, target }
}
