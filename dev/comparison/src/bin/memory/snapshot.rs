//! The memory of a snapshot.

use std::hint::black_box;

use comparison::report::{Quantity, Report, Row, Target};
use comparison::spread::Spread;
use growthbook::{Payload, UserContext};

use crate::{payloads, row};

pub(crate) fn measure(report: &mut Report) {
    let text = payloads::payload(1_000);
    let mut snapshot = None;
    // The payload is dropped as soon as it is compiled.
    let compiled = allocation_counter::measure(|| {
        snapshot = Payload::from_json(&text).ok().map(|payload| payload.compile());
    });
    let user = UserContext::new("user-1")
        .attribute("age", 99)
        .attribute("country", "US")
        .attribute("email", "somebody@example.com")
        .attribute("version", "99.0.0");
    let asked = allocation_counter::measure(|| {
        if let Some(snapshot) = &snapshot {
            let evaluator = snapshot.for_user(&user);
            snapshot.feature_keys().for_each(|flag| {
                black_box(evaluator.is_on(flag));
            });
        }
    });
    let mut both = None;
    let with_payload = allocation_counter::measure(|| {
        both = Payload::from_json(&text).ok().map(|payload| (payload.compile(), payload));
    });

    let compiled = compiled.bytes_current;
    for (what, bytes, target) in [
        ("a snapshot, 1,000 features", compiled, Target::AtMost(2.8)),
        ("with every regular expression used", compiled + asked.bytes_current, Target::None),
        ("with the payload, as a client keeps it", with_payload.bytes_current, Target::None),
    ] {
        report.rows.push(Row {
            beside: Some(("its JSON".to_owned(), Quantity::Bytes(text.len() as f64))),
            ratio: Some(Spread::exactly(bytes as f64 / text.len() as f64)),
            ..row(10, what.to_owned(), Quantity::Bytes(bytes as f64), target)
        });
    }
}
