//! Strict tests.

use growthbook::{Experiment, UserContext};
use growthbook_test::{Strict, TestClient, flags, json, when};

use crate::failure;

fn client() -> TestClient {
    flags()
        .on("checkout")
        .value("limit", 10)
        .rule("banner", when(json!({"country": "US"})).force("hi"))
        .strict()
        .allow_attributes(["plan"])
        .client()
}

const BEGIN: &str =
    "the code uses flags or attributes that do not exist, or with another type:\n  ";

#[test]
fn misspelt_flag_fails_the_test() {
    let text = failure(|| {
        client().for_user("u").is_on("chekout");
    });
    let expected = r#"feature "chekout" is not in the payload: did you mean "checkout"?"#;
    assert_eq!(text, format!("{BEGIN}{expected}"));
}

#[test]
fn value_of_another_type_fails_the_test() {
    let text = failure(|| {
        client().for_user("u").feature_value("limit", false);
    });
    let expected = "feature \"limit\" has a number, but the code asks for bool, so it gets the \
                    fallback: ask for another type, or change the value in GrowthBook";
    assert_eq!(text, format!("{BEGIN}{expected}"));
}

#[test]
fn unknown_attributes_fail_the_test() {
    let text = failure(|| {
        let client = client();
        let user = UserContext::new("u").attribute("contry", "US").attribute("email", "x");
        client.for_user(user.attribute("plan", "pro").attribute("country", "US")).is_on("banner");
    });
    let expected = "attribute \"contry\" is not used by the payload: did you mean \"country\"? If \
                    the application sets it for other flags, name it with allow_attributes\n  \
                    attribute \"email\" is not used by the payload: If the application sets it for \
                    other flags, name it with allow_attributes";
    assert_eq!(text, format!("{BEGIN}{expected}"));
}

#[test]
fn attributes_of_inline_experiments_count() {
    let text = failure(|| {
        let client = client();
        let user = UserContext::new("u").attribute("contry", "US");
        client.for_user(user).run(&Experiment::new("cta", [0, 1]));
    });
    assert!(text.contains("attribute \"contry\""), "{text}");
}

#[test]
fn problems_of_other_threads_fail_the_test() {
    let text = failure(|| {
        let client = client();
        let handle = client.client();
        std::thread::spawn(move || handle.for_user("u").is_on("chekout")).join().unwrap();
    });
    assert!(text.contains("chekout"), "{text}");
}

#[test]
fn correct_code_passes() {
    let client = client();
    let user = UserContext::new("u").attribute("country", "DE").attribute("plan", "pro");
    let gb = client.for_user(user);
    assert!(gb.is_on("checkout"));
    assert_eq!(gb.feature_value("limit", 1), 10);
    // It has no value for this user.
    assert_eq!(gb.feature_value("banner", "none"), "none");
    let _forced = client.force_feature("new", true);
    assert!(client.for_user("u").is_on("new"));
}

#[test]
fn failed_test_keeps_its_own_message() {
    let text = failure(|| {
        let client = client();
        client.for_user("u").is_on("chekout");
        std::panic::panic_any(String::from("an assertion failed"));
    });
    assert_eq!(text, "an assertion failed");
}

#[test]
fn problems_are_taken_once() {
    let client = flags().on("checkout").client();
    let strict = Strict::new(&client);
    client.for_user("u").is_on("chekout");
    assert_eq!(strict.take_problems().len(), 1);
    assert!(strict.take_problems().is_empty());
}

#[test]
fn lenient_client_ignores_problems() {
    flags().client().for_user("u").is_on("chekout");
}
