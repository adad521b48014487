//! Users for a variation.

use growthbook::{Experiment, UserContext};
use growthbook_test::{Flags, MAX_TRIED_USERS, everyone, flags, json, variations, when};

#[test]
fn each_variation_has_a_user() {
    let client = flags().experiment("color", ["blue", "green", "red"]).client();
    for color in ["blue", "green", "red"] {
        let user = client.user_in("color", color).unwrap();
        assert_eq!(client.for_user(user).feature_value("color", ""), color);
    }
    // Nothing was tracked by the search.
    client.recorder().assert_views("color", 3);
}

#[test]
fn rare_variation_is_found() {
    let rare = variations(["a", "b"]).weights([0.99, 0.01]).coverage(0.5).hash_attribute("company");
    let client = flags().experiment("f", rare.key("rare")).client();
    let user = client.user_in("rare", "b").unwrap();
    assert!(user.attributes().get("company").is_some());
    client.for_user(user).is_on("f");
    client.recorder().assert_viewed("rare", "b");
}

#[test]
fn experiment_of_a_prerequisite_or_later_rule_is_found() {
    let client = flags()
        .rule("color", when(json!({"staff": true})).force("red"))
        .rule("color", everyone().experiment(["blue", "green"]))
        .client();
    let user = client.user_in("color", "green").unwrap();
    assert_eq!(client.for_user(user).feature_value("color", ""), "green");
}

#[test]
fn auto_experiment_is_found() {
    let client = Flags::from_json(
        &json!({"features": {}, "experiments": [{
            "key": "auto", "variations": [{}, {"css": "a {}"}], "hashVersion": 2,
            "urlPatterns": [{"type": "simple", "pattern": "*", "include": true}],
        }]})
        .to_string(),
    )
    .client();
    let visitor = UserContext::default().url("https://example.com/");
    let user = client.user_like(visitor, "auto", "1").unwrap();
    assert!(user.attributes().get("id").is_some());
}

#[test]
fn error_says_why_there_is_none() {
    let client = flags()
        .experiment("color", variations(["blue", "green"]).weights([1.0, 0.0]))
        .rule("banner", when(json!({"country": "US"})).experiment(["a", "b"]))
        .rule("forced", everyone().force("x"))
        .rule("forced", everyone().experiment(["x", "y"]))
        .client();
    let error = |experiment, variation| client.user_in(experiment, variation).unwrap_err();
    let end = "\nGive the user the attributes that the rule needs, with user_like";
    let begin = |variation, experiment| {
        format!(
            "no user gets variation {variation:?} of experiment {experiment:?}, of \
             {MAX_TRIED_USERS} with different values of \"id\":\n  "
        )
    };
    let cases = [
        (
            ("colour", "blue"),
            "the payload has no experiment \"colour\": did you mean \"color\"?".into(),
        ),
        (
            ("checkout", "blue"),
            "the payload has no experiment \"checkout\": it has \"banner\", \"color\", \"forced\""
                .into(),
        ),
        (
            ("color", "red"),
            "experiment \"color\" has no variation \"red\": it has \"blue\", \"green\"".into(),
        ),
        (
            ("color", "green"),
            format!("{}10000 got variation \"blue\"{end}", begin("green", "color")),
        ),
        (
            ("banner", "a"),
            format!("{}10000 did not take part: the condition failed{end}", begin("a", "banner")),
        ),
        (
            ("forced", "y"),
            format!(
                "{}10000 did not reach the experiment: another rule of the feature decided, or a \
                 prerequisite failed{end}",
                begin("y", "forced")
            ),
        ),
    ];
    for ((experiment, variation), expected) in cases {
        let error = error(experiment, variation);
        assert_eq!(error.to_string(), expected);
        // So that `unwrap` shows it.
        assert_eq!(format!("{error:?}"), expected);
    }
    assert_eq!(
        flags().client().user_in("color", "a").unwrap_err().to_string(),
        "the payload has no experiment \"color\": it has no experiments"
    );
}

#[test]
fn given_hash_attribute_is_kept() {
    let client = flags().experiment("color", ["blue", "green"]).client();
    let blue = client.user_in("color", "blue").unwrap();
    let error = client.user_like(blue.clone(), "color", "green").unwrap_err();
    assert!(error.to_string().contains("1 got variation \"blue\""), "{error}");
    assert!(client.user_like(blue, "color", "blue").is_ok());
}

#[test]
fn experiment_in_code_has_users() {
    let client = flags().client();
    let experiment = Experiment::new("cta", ["Buy", "Order"]).weights([0.9, 0.1]);
    let user = client.user_running(&experiment, 1).unwrap();
    assert_eq!(*client.for_user(user).run(&experiment).value, "Order");
    assert_eq!(
        client.user_running(&experiment, 2).unwrap_err().to_string(),
        "experiment \"cta\" has no variation 2: it has 2, from 0"
    );
}
