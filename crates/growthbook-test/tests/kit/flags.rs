//! The payload.

use growthbook::UserContext;
use growthbook_test::{Flags, everyone, flags, json, variations, when, with_flags};
use serde_json::Value;

use crate::failure;

#[test]
fn payload_is_what_growthbook_sends() {
    let payload = flags()
        .on("checkout")
        .off("search")
        .value("limit", 10)
        .experiment("color", ["blue", "green"])
        .experiment("price", variations([10, 12]).key("price-test").weights([0.9, 0.1]))
        .rule("banner", when(json!({"country": "US"})).force("hi").id("fr_1"))
        .rule("banner", everyone().rollout(0.5, "hello"))
        .saved_group("staff", json!(["user-1"]))
        .to_json();
    let payload: Value = serde_json::from_str(&payload).unwrap();
    let expected = json!({
        "features": {
            "checkout": {"defaultValue": true},
            "search": {"defaultValue": false},
            "limit": {"defaultValue": 10},
            "color": {"rules": [{
                "variations": ["blue", "green"], "meta": [{"key": "blue"}, {"key": "green"}],
                "hashVersion": 2,
            }]},
            "price": {"rules": [{
                "variations": [10, 12], "key": "price-test", "weights": [0.9, 0.1],
                "hashVersion": 2,
            }]},
            "banner": {"rules": [
                {"condition": {"country": "US"}, "force": "hi", "id": "fr_1"},
                {"force": "hello", "coverage": 0.5, "hashAttribute": "id", "hashVersion": 2},
            ]},
        },
        "savedGroups": {"staff": ["user-1"]},
    });
    assert_eq!(payload, expected);
}

#[test]
fn equal_or_numeric_variations_have_no_keys() {
    for variations in [json!(["a", "a"]), json!([1, 2]), json!([])] {
        let values = variations.as_array().unwrap().clone();
        let payload = flags().experiment("color", values.clone()).to_json();
        let rule =
            &serde_json::from_str::<Value>(&payload).unwrap()["features"]["color"]["rules"][0];
        assert_eq!(rule["variations"], variations);
        let has_keys = rule.get("meta").is_some_and(|meta| meta != &json!([]));
        assert!(!has_keys, "{rule}");
    }
}

#[test]
fn later_definition_replaces_an_earlier_one() {
    let client = flags().rule("a", everyone().force(1)).value("a", 2).client();
    assert_eq!(client.for_user("u").feature_value("a", 0), 2);
    let client = flags().value("a", 2).rule("a", everyone().force(1)).client();
    assert_eq!(client.for_user("u").feature_value("a", 0), 1);
}

#[test]
fn real_payload_can_be_changed() {
    let document = r#"{"features": {"a": {"defaultValue": 1}, "b": {"defaultValue": 2}},
                       "dateUpdated": "2026-01-01T00:00:00.000Z"}"#;
    let client = Flags::from_json(document).value("b", 3).client();
    let gb = client.for_user("u");
    assert_eq!((gb.feature_value("a", 0), gb.feature_value("b", 0)), (1, 3));
    assert_eq!(client.snapshot().date_updated(), Some("2026-01-01T00:00:00.000Z"));
    let text = failure(|| drop(Flags::from_json("[]")));
    assert!(text.starts_with("the payload of the test is not a JSON object: "), "{text}");
}

#[test]
fn section_of_another_type_is_replaced() {
    let client = Flags::from_json(r#"{"features": null}"#).on("a").client();
    assert!(client.for_user("u").is_on("a"));
}

#[test]
fn flags_have_the_same_value_for_every_user() {
    let client = with_flags([("checkout", true), ("search", false)]);
    let texts = with_flags([("color", "green")]);
    for user in ["a", "b"] {
        assert!(client.for_user(user).is_on("checkout"));
        assert!(client.for_user(user).is_off("search"));
        assert_eq!(texts.for_user(user).feature_value("color", "blue"), "green");
    }
}

#[test]
fn unusable_rule_fails_the_test() {
    let broken = flags().rule("a", when(json!({"age": {"$around": 5}})).force(1));
    assert_eq!(
        failure(|| drop(broken.client())),
        "parts of the flags of the test cannot be used:\n  \
         feature \"a\", rule 0: unknown operator \"$around\""
    );
}

#[test]
fn conditions_and_settings_apply() {
    let client = flags()
        .rule("banner", when(json!({"country": "US"})).force("hi"))
        .client_with(|builder| builder.attributes(json!({"country": "US"})));
    assert_eq!(client.for_user("a").feature_value("banner", ""), "hi");
    let german = UserContext::new("a").attribute("country", "DE");
    assert_eq!(client.for_user(german).feature_value("banner", ""), "");
}
