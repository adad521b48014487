//! Evaluating a flag allocates nothing. The benchmark `eval` prints the same figures.

#![expect(clippy::expect_used, reason = "a test may panic")]

#[path = "../benches/allocations/mod.rs"]
mod allocations;
#[path = "../benches/scenarios/mod.rs"]
mod scenarios;

use growthbook::{Client, Evaluator, UserContext};

use allocations::allocations;

#[test]
fn evaluating_a_flag_allocates_nothing() {
    let users = scenarios::users();
    for scenario in scenarios::all() {
        let name = scenario.name;
        let snapshot = scenario.client.snapshot();
        let evaluators: Vec<Evaluator<'_>> = users.iter().map(|it| snapshot.for_user(it)).collect();
        assert_eq!(allocations(&evaluators, |it| it.is_on(scenario.flag)), 0, "{name}, core");
        let scopes = scenario.scopes(&users);
        assert_eq!(allocations(&scopes, |it| it.is_on(scenario.flag)), 0, "{name}, facade");
    }
}

/// A user with a list and an object among eight attributes, a scope, and one evaluation.
#[test]
fn request_allocates_three_times() {
    let client = scenarios::experiment_client();
    // The first scope of a thread allocates memory that later scopes of the thread share.
    drop(client.for_user("user"));
    let people = scenarios::people::people();
    for person in &people {
        let ask = || {
            std::hint::black_box(client.for_user(person.context()).is_on(scenarios::EXPERIMENT));
        };
        let count = allocation_counter::measure(ask).count_total;
        // The attributes, the list and the object. Each text has at most 23 bytes.
        assert_eq!(count, 3);
    }
}

/// The first evaluation after an update builds no regular expression that was built before: it
/// allocates nothing, while the first of all does.
#[test]
fn update_keeps_compiled_patterns() {
    let payload = |value: bool| {
        format!(
            r#"{{"features": {{"flag": {{"defaultValue": {value}, "rules": [
                {{"condition": {{"email": {{"$regex": "^[a-z.]+@example\\.com$"}}}}, "force": true}}
            ]}}}}}}"#
        )
    };
    let user = UserContext::new("user-1").attribute("email", "some.body@example.com");
    let client = Client::from_json(payload(false)).expect("a payload");
    let first_evaluation = || {
        let scope = client.for_user(user.clone());
        allocation_counter::measure(|| assert!(scope.is_on("flag"))).count_total
    };
    assert!(first_evaluation() > 0);
    client.set_payload(payload(true)).expect("a payload");
    assert_eq!(first_evaluation(), 0);
    client.set_payload(r#"{"features": {}}"#).expect("a payload");
    client.set_payload(payload(false)).expect("a payload");
    assert!(first_evaluation() > 0, "what is not in use is let go");
}

/// Checks each scenario by the number of users who have the flag on.
#[test]
fn scenarios_have_the_expected_results() {
    let users = scenarios::users();
    let half = 450..575;
    let (all, none) = (1024..1025, 0..1);
    let expected =
        [all.clone(), 400..600, half.clone(), 200..350, all.clone(), none, all, half, 1000..1001];
    assert_eq!(expected.len(), scenarios::all().len());
    for (scenario, expected) in scenarios::all().iter().zip(expected) {
        let on = scenario.scopes(&users).iter().filter(|it| it.is_on(scenario.flag)).count();
        assert!(expected.contains(&on), "{}: {on}", scenario.name);
    }
}

/// Checks that allocations are counted at all.
#[test]
fn allocations_are_counted() {
    assert_eq!(allocations(&[1, 2, 3], |number| number.to_string().is_empty()), 3);
}
