//! Assertions about what was tracked.

use growthbook_test::{TestClient, flags, json};

use crate::failure;

const RECORD: &str = "\
exposures:
  \"color\": variation \"green\", id \"user-1\"
evaluated features:
  \"color\": \"green\" (experiment)
  \"limit\": 10 (defaultValue)
logged events:
  \"Purchase\": {\"price\":9.5}";

/// A client with one exposure, two evaluations and one event.
fn used() -> TestClient {
    let client = flags().experiment("color", ["blue", "green"]).value("limit", 10).client();
    let gb = client.for_user("user-1");
    assert_eq!(gb.feature_value("color", ""), "green");
    gb.feature_value("limit", 0);
    gb.log_event("Purchase", [("price", json!(9.5))]);
    client
}

#[test]
fn assertions_hold() {
    let client = used();
    let recorder = client.recorder();
    recorder.assert_viewed("color", "green");
    recorder.assert_not_viewed("price");
    recorder.assert_views("color", 1);
    recorder.assert_views("price", 0);
    recorder.assert_evaluated("limit");
    recorder.assert_not_evaluated("other");
    recorder.assert_logged("Purchase", json!({"price": 9.5}));
    recorder.assert_logged("Purchase", json!({}));
    recorder.assert_not_logged("Refund");
    recorder.clear();
    recorder.assert_nothing_tracked();
}

#[test]
fn failed_assertions_print_the_record() {
    let client = used();
    let recorder = client.recorder();
    let cases: [(&str, &dyn Fn()); 12] = [
        ("variation \"blue\" of experiment \"color\" was not viewed", &|| {
            recorder.assert_viewed("color", "blue");
        }),
        (
            "variation \"green\" of experiment \"colour\" was not viewed (did you mean \"color\"?)",
            &|| recorder.assert_viewed("colour", "green"),
        ),
        ("experiment \"color\" was viewed", &|| recorder.assert_not_viewed("color")),
        ("exposures of experiment \"color\": 1, but 2 expected", &|| {
            recorder.assert_views("color", 2)
        }),
        ("feature \"limits\" was not evaluated (did you mean \"limit\"?)", &|| {
            recorder.assert_evaluated("limits");
        }),
        ("feature \"banner\" was not evaluated", &|| recorder.assert_evaluated("banner")),
        ("feature \"limit\" was evaluated", &|| recorder.assert_not_evaluated("limit")),
        ("event \"Purchase\" {\"price\":9} was not logged", &|| {
            recorder.assert_logged("Purchase", json!({"price": 9}));
        }),
        ("event \"Purchased\" {} was not logged (did you mean \"Purchase\"?)", &|| {
            recorder.assert_logged("Purchased", json!({}));
        }),
        ("event \"Purchase\" null was not logged", &|| {
            recorder.assert_logged("Purchase", json!(null));
        }),
        ("event \"Purchase\" was logged", &|| recorder.assert_not_logged("Purchase")),
        ("something was tracked", &|| recorder.assert_nothing_tracked()),
    ];
    for (expected, assertion) in cases {
        assert_eq!(failure(assertion), format!("{expected}\n{RECORD}"));
    }
}

#[test]
fn empty_record_says_so() {
    let client = flags().client();
    assert_eq!(
        failure(|| client.recorder().assert_viewed("color", "blue")),
        "variation \"blue\" of experiment \"color\" was not viewed\n\
         exposures: none\nevaluated features: none\nlogged events: none"
    );
}

#[test]
fn value_of_a_variation_names_it() {
    let client = flags()
        .feature("color", json!({"rules": [{"variations": ["a", "b"], "weights": [0, 1]}]}))
        .client();
    client.for_user("u").is_on("color");
    client.recorder().assert_viewed("color", "b");
    client.recorder().assert_viewed("color", "1");
}

#[test]
fn forced_values_are_recorded() {
    let client = flags().client();
    let _guard = client.force_feature("color", "red");
    client.for_user("u").is_on("color");
    client.recorder().assert_evaluated("color");
    assert_eq!(client.recorder().feature_usage()[0].value, "red");
}
