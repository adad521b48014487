//! The counts of heap allocations.

use std::hint::black_box;

use comparison::report::{Quantity, Report, Target};
use growthbook::{Client, Evaluator, UserContext, UserScope};
use serde_json::{Value, json};

use crate::cases::Case;
use crate::people::{Person, people};
use crate::row;

pub(crate) fn measure(report: &mut Report) {
    let people = people();
    let users: Vec<UserContext> = people.iter().map(Person::context).collect();
    tracked(report, &users);
    requests(report, &people);
    values(report, &users);
}

/// Returns the average number of allocations of one call. Each item gets an earlier call that does
/// not count.
fn count<T>(asked: &[T], ask: impl Fn(&T)) -> f64 {
    asked.iter().for_each(&ask);
    let counted = allocation_counter::measure(|| asked.iter().for_each(&ask));
    counted.count_total as f64 / asked.len() as f64
}

fn scopes(client: &Client, users: &[UserContext]) -> Vec<UserScope<'static>> {
    users.iter().map(|user| client.for_user(user.clone())).collect()
}

fn tracked(report: &mut Report, users: &[UserContext]) {
    let of_case = |case: Case| {
        let builder = Client::embedded().payload(case.payload().to_string());
        let client = builder.on_experiment_viewed(|viewed| {
            black_box(viewed.result);
        });
        let client = client.build().expect("a payload");
        count(&scopes(&client, users), |scope| {
            black_box(scope.is_on(case.flag()));
        })
    };
    let allocations: f64 = Case::ALL.into_iter().map(of_case).sum();
    let what = "tracking, exposure seen, all scenarios".to_owned();
    report.rows.push(row(3, what, Quantity::Allocations(allocations), Target::AtMost(0.0)));
}

fn requests(report: &mut Report, people: &[Person]) {
    let case = Case::Experiment;
    let client = Client::from_json(case.payload().to_string()).expect("a payload");
    let with_context = count(people, |person| {
        black_box(client.for_user(person.context()).is_on(case.flag()));
    });
    let with_source = count(people, |person| {
        black_box(client.for_source(person).is_on(case.flag()));
    });
    for (name, allocations, limit) in [
        ("with tags and an object", with_context, 12.0),
        ("in the application's own struct", with_source, 0.0),
    ] {
        let what = format!("8 attributes, {name}");
        let figure = Quantity::Allocations(allocations);
        report.rows.push(row(4, what, figure, Target::AtMost(limit)));
    }
}

/// Counts the allocations of typed values that the answer borrows or copies.
fn values(report: &mut Report, users: &[UserContext]) {
    let snapshots = Case::ALL.map(|case| (case.flag(), client(&case.payload()).snapshot()));
    let all = snapshots.iter().map(|(flag, snapshot)| {
        let evaluators: Vec<Evaluator<'_>> = users.iter().map(|it| snapshot.for_user(it)).collect();
        count(&evaluators, |evaluator| {
            black_box(evaluator.is_on(flag));
            black_box(evaluator.feature_value(flag, false));
        })
    });
    let booleans: f64 = all.sum();

    let client = client(&json!({"features": {
        "number": experiment(json!([1.5, 2.5])),
        "text": experiment(json!(["control", "treatment"])),
    }}));
    let scopes = scopes(&client, users);
    let numbers = count(&scopes, |scope| {
        black_box(scope.feature_value("number", 0.0));
    });
    let texts = count(&scopes, |scope| {
        black_box(scope.feature_value("text", ""));
    });
    for (name, allocations) in [
        ("`bool`, core, all scenarios", booleans),
        ("`f64`, facade, experiment", numbers),
        ("`&str`, facade, experiment", texts),
    ] {
        let what = format!("a value read as {name}");
        report.rows.push(row(5, what, Quantity::Allocations(allocations), Target::AtMost(0.0)));
    }
}

fn client(payload: &Value) -> Client {
    Client::from_json(payload.to_string()).expect("a payload")
}

fn experiment(variations: Value) -> Value {
    json!({"rules": [{"key": "experiment", "hashVersion": 2, "variations": variations}]})
}
