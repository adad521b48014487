//! The time of loading when other products turn on Cargo features of `serde_json` and `regex`. The
//! figures of `alone` have the targets.

use std::any::Any;

use comparison::measure::alternate_once;
use comparison::report::{LOAD, Quantity, Report, Row, Target, Time};
use comparison::spread::Samples;
use growthbook::Payload;
use serde_json::Value;

use crate::payloads;
use crate::products::growthbook_rust;

const ROUNDS: usize = 21;

pub(crate) fn measure(report: &mut Report) {
    let text = payloads::payload(1_000);
    let bytes = text.as_bytes();
    let mut ours = || boxed(Payload::from_json(bytes).expect("a payload").compile());
    let mut value = || boxed(serde_json::from_slice::<Value>(bytes).expect("JSON"));
    let mut official = || boxed(growthbook_rust::load(bytes));
    let samples = alternate_once(&mut [&mut ours, &mut value, &mut official], ROUNDS);
    let [ours, value, official] = samples.as_slice() else { return };
    report.rows.push(row(text.len(), ours, "serde_json `Value`", value));
    report.times.push(Time {
        scenario: LOAD.to_owned(),
        product: growthbook_rust::CLIENT.to_owned(),
        nanoseconds: official.spread(),
    });
}

fn boxed(made: impl Any) -> Box<dyn Any> {
    Box::new(made)
}

fn row(bytes: usize, ours: &Samples, name: &str, other: &Samples) -> Row {
    Row {
        number: 9,
        what: format!("load {} kB, with other products' Cargo features", bytes / 1_000),
        figure: Quantity::Nanoseconds(ours.spread()),
        beside: Some((name.to_owned(), Quantity::Nanoseconds(other.spread()))),
        ratio: Some(ours.relative_to(other).spread()),
        target: Target::None,
    }
}
