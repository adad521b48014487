//! The program whose instructions `cargo xtask bench --check` counts.
//!
//! With `--case NAME --rounds N`, it runs the set-up of one case once, and the case N times.
//! Without arguments, it runs each case once, and lists the cases. A line has the calls of a round,
//! a tab, and the name.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

#[path = "../../growthbook-core/benches/payloads/mod.rs"]
mod payloads;
mod scenarios;

use std::hint::black_box;
use std::thread;

use growthbook::{Client, Evaluator, Payload, UserScope};
use serde_json::json;

use scenarios::people::people;
use scenarios::request::Request;
use scenarios::{Scenario, USERS};

/// The number of features of the loaded payload.
const FEATURES: usize = 100;

struct Case {
    name: String,
    /// The divisor of the figure.
    calls_per_round: usize,
    /// Sets up the case, and runs this many rounds.
    run: Box<dyn Fn(usize)>,
}

impl Case {
    fn new(name: impl Into<String>, calls_per_round: usize, run: impl Fn(usize) + 'static) -> Self {
        Case { name: name.into(), calls_per_round, run: Box::new(run) }
    }
}

fn main() {
    // Every server has several threads. A process with several threads allocates more slowly.
    thread::spawn(thread::park);

    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["--case", name, "--rounds", rounds] = words.as_slice() {
        let rounds = rounds.parse().expect("a number of rounds");
        let case = cases().into_iter().find(|case| case.name == *name).expect("a known case");
        (case.run)(rounds);
    } else {
        for case in cases() {
            (case.run)(1);
            println!("{}\t{}", case.calls_per_round, case.name);
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, scenario) in scenarios::all().iter().enumerate() {
        let of_scenario = |what: &str, run: fn(&Scenario, usize)| {
            let run = move |rounds| run(&scenarios::all().swap_remove(index), rounds);
            Case::new(format!("{}: {what}", scenario.name), USERS, run)
        };
        cases.push(of_scenario("core", ask_core));
        cases.push(of_scenario("facade", ask_facade));
        if scenario.name == "50/50 experiment" {
            cases.push(of_scenario("facade, tracked", ask_tracked));
            cases.push(of_scenario("user, scope and facade", ask_anew));
            cases.push(of_scenario("user with list and object, scope and facade", ask_people));
        }
    }
    cases.push(Case::new("value: bool", USERS, |rounds| {
        ask_values(rounds, |scope| scope.feature_value(black_box("bool"), false))
    }));
    cases.push(Case::new("value: number", USERS, |rounds| {
        ask_values(rounds, |scope| scope.feature_value(black_box("number"), 1.0))
    }));
    cases.push(Case::new("value: &str", USERS, |rounds| {
        ask_values(rounds, |scope| scope.feature_value(black_box("text"), "blue").len())
    }));
    cases.push(Case::new(format!("load of {FEATURES} features"), 1, load));
    cases
}

/// Calls `ask` once for each item, in every round.
fn repeat<T, R>(rounds: usize, asked: &[T], ask: impl Fn(&T) -> R) {
    for _ in 0..rounds {
        for asked in asked {
            black_box(ask(asked));
        }
    }
}

fn ask_core(scenario: &Scenario, rounds: usize) {
    let users = scenarios::users();
    let snapshot = scenario.client.snapshot();
    let evaluators: Vec<Evaluator<'_>> = users.iter().map(|it| snapshot.for_user(it)).collect();
    repeat(rounds, &evaluators, |evaluator| evaluator.is_on(black_box(scenario.flag)));
}

fn ask_facade(scenario: &Scenario, rounds: usize) {
    let scopes = scenario.scopes(&scenarios::users());
    repeat(rounds, &scopes, |scope| scope.is_on(black_box(scenario.flag)));
}

/// Evaluates with a callback that already knows the exposures of all users. The first round does
/// not count, because it is also in the run that is subtracted.
fn ask_tracked(scenario: &Scenario, rounds: usize) {
    let builder = Client::embedded().on_experiment_viewed(|viewed| {
        black_box(viewed.result.variation_id);
    });
    let client = scenario.client_with(builder);
    let scopes: Vec<UserScope> =
        scenarios::users().into_iter().map(|user| client.for_user(user)).collect();
    repeat(rounds, &scopes, |scope| scope.is_on(black_box(scenario.flag)));
}

/// Does the work of a request: builds a user context and a scope, evaluates once, and drops both.
fn ask_anew(scenario: &Scenario, rounds: usize) {
    let requests: Vec<Request> = (0..USERS).map(Request::new).collect();
    repeat(rounds, &requests, |request| {
        scenario.client.for_user(request.user()).is_on(black_box(scenario.flag))
    });
}

/// The same for users with a list and an object among their eight attributes.
fn ask_people(scenario: &Scenario, rounds: usize) {
    repeat(rounds, &people(), |person| {
        scenario.client.for_user(person.context()).is_on(black_box(scenario.flag))
    });
}

fn ask_values<R>(rounds: usize, ask: impl Fn(&UserScope) -> R) {
    let features = json!({"features": {
        "bool": {"defaultValue": true},
        "number": {"defaultValue": 2.5},
        "text": {"defaultValue": "green"},
    }});
    let client = Client::from_json(features.to_string()).expect("a payload");
    let scopes: Vec<UserScope> =
        scenarios::users().into_iter().map(|user| client.for_user(user)).collect();
    repeat(rounds, &scopes, |scope| ask(scope));
}

fn load(rounds: usize) {
    let text = payloads::payload(FEATURES);
    repeat(rounds, &[text], |text| {
        Payload::from_json(text.as_bytes()).expect("a payload").compile()
    });
}
