//! The effect of the size of a payload or a list. The target is no effect.

use comparison::measure::{Contestant, ROUNDS, alternate};
use comparison::report::{Quantity, Report, Row, Target};
use growthbook::{Payload, Snapshot, UserContext};
use serde_json::{Map, Value, json};

use crate::people::{id, people};

const FLAG: &str = "experiment";

pub(crate) fn measure(report: &mut Report) {
    payloads(report);
    for (operator, condition) in [("$in", in_list as fn(usize) -> Value), ("$inGroup", in_group)] {
        for hit in [true, false] {
            members(report, operator, condition, hit);
        }
    }
}

/// Compares the same flag in a small and in a large payload.
fn payloads(report: &mut Report) {
    let users: Vec<UserContext> = people().iter().map(|person| person.context()).collect();
    for flag in [FLAG, "flag-5"] {
        let snapshots = [10, 10_000].map(|features| compile(&plain_payload(features)));
        let mut contestants = snapshots.each_ref().map(|snapshot| asking(snapshot, &users, flag));
        let what = format!("`{flag}` among 10,000 flags");
        push(report, &mut contestants, 6, what, "among 10", Target::Between(0.9, 1.1));
    }
}

/// Compares a list of 10 members with a list of 100,000 members. With `hit`, all users are members.
/// Otherwise no user is a member. The users share the ids of the small list. Each user has its own
/// id in the large one.
fn members(report: &mut Report, operator: &str, payload: fn(usize) -> Value, hit: bool) {
    const LARGE: usize = 100_000;
    let sizes = [10, LARGE];
    let users = sizes.map(|size| -> Vec<UserContext> {
        let first = if hit { 0 } else { LARGE };
        let numbers = (0..people().len()).map(|number| first + number % size);
        numbers.map(|number| UserContext::new(id(number))).collect()
    });
    let snapshots = sizes.map(|size| compile(&payload(size)));
    let mut contestants =
        [asking(&snapshots[0], &users[0], FLAG), asking(&snapshots[1], &users[1], FLAG)];
    for contestant in &mut contestants {
        assert_eq!((contestant.ask)(10), if hit { 10 } else { 0 });
    }
    let what = format!("`{operator}` 100,000 members, {}", if hit { "hit" } else { "miss" });
    push(report, &mut contestants, 7, what, "10 members", Target::AtMost(2.0));
}

fn asking<'a>(snapshot: &'a Snapshot, users: &'a [UserContext], flag: &'a str) -> Contestant<'a> {
    let evaluators = users.iter().map(|user| snapshot.for_user(user)).collect();
    Contestant::new("core", evaluators, move |evaluator| evaluator.is_on(flag))
}

/// Adds a row that compares the second contestant with the first.
fn push(
    report: &mut Report,
    contestants: &mut [Contestant<'_>; 2],
    number: u8,
    what: String,
    beside: &str,
    target: Target,
) {
    let samples = alternate(contestants, ROUNDS);
    let [small, large] = samples.as_slice() else { return };
    report.rows.push(Row {
        number,
        what,
        figure: Quantity::Nanoseconds(large.spread()),
        beside: Some((beside.to_owned(), Quantity::Nanoseconds(small.spread()))),
        ratio: Some(large.relative_to(small).spread()),
        target,
    });
}

fn compile(payload: &Value) -> Snapshot {
    Payload::from_json(payload.to_string()).expect("a payload").compile()
}

fn plain_payload(features: usize) -> Value {
    let mut features: Map<String, Value> =
        (1..features).map(|flag| (format!("flag-{flag}"), json!({"defaultValue": true}))).collect();
    features.insert(
        FLAG.into(),
        json!({"defaultValue": false, "rules": [
            {"variations": [false, true], "hashVersion": 2, "seed": FLAG, "key": FLAG},
        ]}),
    );
    json!({"features": features})
}

fn in_list(members: usize) -> Value {
    let members: Value = (0..members).map(id).collect();
    json!({"features": {FLAG: {"defaultValue": false, "rules": [
        {"condition": {"id": {"$in": members}}, "force": true},
    ]}}})
}

fn in_group(members: usize) -> Value {
    let members: Value = (0..members).map(id).collect();
    json!({"savedGroups": {"group": members}, "features": {FLAG: {"defaultValue": false, "rules": [
        {"condition": {"id": {"$inGroup": "group"}}, "force": true},
    ]}}})
}
