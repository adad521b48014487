//! Structs of the application as users.

use std::borrow::Cow;
use std::sync::Arc;

use growthbook_core::{AttributeSource, AttributeValue, Attributes, IntoUser, Payload};
use serde_json::{Value, json};

#[derive(AttributeSource)]
#[growthbook(rename_all = "camelCase")]
struct Session<'r> {
    #[growthbook(rename = "id")]
    user_id: u64,
    country: &'r str,
    sign_up_year: Option<u16>,
    nickname: Option<&'r str>,
    tags: Vec<String>,
    scores: &'r [f64],
    language: Cow<'r, str>,
    plan: Arc<str>,
    r#type: Box<str>,
    extra: Value,
    company: Company<'r>,
    owner: Option<&'r Company<'r>>,
    offices: Vec<Company<'r>>,
    #[growthbook(flatten)]
    device: Device,
    #[growthbook(flatten)]
    others: Option<Attributes>,
    #[growthbook(skip)]
    #[expect(dead_code, reason = "the macro does not read it")]
    password: String,
}

#[derive(AttributeSource)]
struct Company<'r> {
    name: &'r str,
    size: u32,
}

#[derive(AttributeSource)]
struct Device {
    browser: &'static str,
    /// A field of the session has the same name.
    country: &'static str,
    nickname: &'static str,
}

fn company(name: &str) -> Company<'_> {
    Company { name, size: 25 }
}

fn session<'o>(owner: &'o Company<'static>) -> Session<'o> {
    Session {
        user_id: 7,
        country: "DE",
        sign_up_year: None,
        nickname: None,
        tags: vec!["beta".into()],
        scores: &[0.5, 1.0],
        language: "en".into(),
        plan: "pro".into(),
        r#type: "person".into(),
        extra: json!({"a": [1]}),
        company: company("Example"),
        owner: Some(owner),
        offices: vec![company("North"), company("South")],
        device: Device { browser: "firefox", country: "US", nickname: "fox" },
        others: Some([("browser", "none"), ("region", "eu")].into_iter().collect()),
        password: "secret".into(),
    }
}

fn expected() -> Value {
    json!({
        "id": 7, "country": "DE", "nickname": "fox", "tags": ["beta"], "scores": [0.5, 1.0],
        "language": "en", "plan": "pro", "type": "person", "extra": {"a": [1]},
        "company": {"name": "Example", "size": 25}, "owner": {"name": "Owner", "size": 25},
        "offices": [{"name": "North", "size": 25}, {"name": "South", "size": 25}],
        "browser": "firefox", "region": "eu",
    })
}

#[test]
fn each_field_is_found_by_name() {
    let owner = company("Owner");
    let session = session(&owner);
    for (name, value) in expected().as_object().unwrap() {
        let found = session.attribute(name).map(|found| AttributeValue::from(found).to_json());
        let value = if name == "scores" { json!([0.5, 1]) } else { value.clone() };
        assert_eq!(found, Some(value), "{name}");
    }
    for name in ["sign_up_year", "signUpYear", "user_id", "password", "device", "others", ""] {
        assert!(session.attribute(name).is_none(), "{name}");
    }
}

#[test]
fn each_attribute_is_shown_once() {
    let owner = company("Owner");
    let mut names = Vec::new();
    session(&owner).visit(&mut |name, _| names.push(name.to_owned()));
    names.sort();
    let expected = expected();
    let mut all: Vec<&String> = expected.as_object().unwrap().keys().collect();
    all.sort();
    assert_eq!(names.iter().collect::<Vec<_>>(), all);
}

#[test]
fn conditions_see_nested_structs() {
    let payload = Payload::from_json(
        r#"{"features": {"flag": {"rules": [{"condition": {
            "id": 7, "company.size": {"$gt": 10}, "owner.name": "Owner", "signUpYear": null,
            "offices": {"$elemMatch": {"name": "South"}}, "browser": "firefox",
            "tags": {"$in": ["beta"]}, "country": "DE", "region": "eu",
            "company": {"name": "Example", "size": 25}
        }, "force": true}]}}}"#,
    );
    let snapshot = payload.unwrap().compile();
    let owner = company("Owner");
    assert!(snapshot.for_source(&session(&owner)).is_on("flag"));
}

/// A struct with parameters is a user, too.
#[derive(AttributeSource)]
struct Numbers<const COUNT: usize>
where
    [u8; COUNT]: Sized,
{
    list: [u8; COUNT],
}

#[test]
fn reference_is_a_user() {
    let user = Numbers { list: [1, 2] };
    let (context, source) = (&user).into_user();
    assert!(context.attributes().is_empty());
    let list = source.unwrap().attribute("list").map(|it| AttributeValue::from(it).to_json());
    assert_eq!(list, Some(json!([1, 2])));
}
