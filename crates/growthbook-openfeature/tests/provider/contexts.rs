//! Evaluation contexts as attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use growthbook::{AttributeValue, Client};
use growthbook_openfeature::{GrowthBookProvider, context_value};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue as Field, EvaluationErrorCode as Code,
    OpenFeature, StructValue, Value as FlagValue,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Mutex;
use time::macros::datetime;

use crate::support::{code, flags_of, user};

#[derive(Serialize)]
struct Company {
    name: &'static str,
    address: Address,
}

#[derive(Serialize)]
struct Address {
    city: &'static str,
    lines: Vec<u64>,
}

struct Panics;

impl Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        std::panic::panic_any("serialized")
    }
}

/// Returns the attributes that an evaluation with this context had.
async fn attributes(context: EvaluationContext) -> Value {
    let seen = Arc::new(Mutex::new(Value::Null));
    let reported = seen.clone();
    let client = Client::embedded()
        .features(json!({"flag": {"defaultValue": true}}))
        .on_feature_usage(move |usage| {
            let attributes = usage.user.to_record().attributes;
            *reported.lock().unwrap() = AttributeValue::from(attributes).to_json();
        })
        .build()
        .unwrap();
    let provider = GrowthBookProvider::new(client).context_type::<Company>();
    let flags = flags_of(provider).await;
    assert!(flags.get_bool_value("flag", Some(&context), None).await.unwrap());
    seen.lock().unwrap().take()
}

#[tokio::test]
async fn fields_of_all_kinds_are_attributes() {
    let company =
        Company { name: "ACME", address: Address { city: "Köln", lines: vec![u64::MAX] } };
    let order = StructValue::default()
        .with_field("total", 9.5)
        .with_field("items", FlagValue::Array(vec![1.into(), "two".into()]));
    let map = BTreeMap::from([("k", [1, 2])]);
    let context = user("user-1")
        .with_custom_field("bool", true)
        .with_custom_field("int", i64::MIN)
        .with_custom_field("float", 0.1)
        .with_custom_field("infinite", f64::INFINITY)
        .with_custom_field("text", "ß")
        .with_custom_field("date", datetime!(2026-01-01 01:30 +2))
        .with_custom_field("company", Field::new_struct(company))
        .with_custom_field("order", Field::new_struct(order))
        .with_custom_field("array", Field::new_struct(FlagValue::Array(vec![true.into()])))
        .with_custom_field("json", Field::new_struct(json!({"a": [null]})))
        .with_custom_field("value", Field::new_struct(AttributeValue::from("v")))
        .with_custom_field("texts", Arc::new(vec!["a".to_owned()]))
        .with_custom_field("names", Arc::new(vec!["b"]))
        .with_custom_field("numbers", Arc::new(vec![1_i64, -2]))
        .with_custom_field("map", context_value(&map).unwrap());
    let expected = json!({
        "id": "user-1", "bool": true, "int": i64::MIN, "float": 0.1, "infinite": null, "text": "ß",
        "date": "2025-12-31T23:30:00.000Z",
        "company": {"name": "ACME", "address": {"city": "Köln", "lines": [u64::MAX]}},
        "order": {"total": 9.5, "items": [1, "two"]}, "array": [true], "json": {"a": [null]},
        "value": "v", "texts": ["a"], "names": ["b"], "numbers": [1, -2], "map": {"k": [1, 2]},
    });
    assert_eq!(attributes(context).await, expected);
}

#[tokio::test]
async fn targeting_key_replaces_a_field() {
    let field = EvaluationContext::default().with_custom_field("id", "field");
    assert_eq!(attributes(field.clone()).await, json!({"id": "field"}));
    assert_eq!(attributes(field.clone().with_targeting_key("")).await, json!({"id": "field"}));
    assert_eq!(attributes(field.with_targeting_key("key")).await, json!({"id": "key"}));
}

#[tokio::test]
async fn unreadable_struct_is_an_invalid_context() {
    let client = Client::from_json(r#"{"features": {"flag": {"defaultValue": true}}}"#).unwrap();
    let provider = GrowthBookProvider::new(client)
        .context_type::<Panics>()
        .context_type::<BTreeMap<[u8; 1], u8>>();
    let flags = flags_of(provider.clone()).await;
    for (field, expected) in [
        (Field::new_struct(String::from("secret")), "`GrowthBookProvider::context_type`"),
        (Field::new_struct(Panics), "panicked while it was serialized"),
        (Field::new_struct(BTreeMap::from([([1_u8], 2_u8)])), "has no JSON form"),
    ] {
        let context = user("u").with_custom_field("account", field);
        let error = flags.get_bool_value("flag", Some(&context), None).await.unwrap_err();
        let message = error.message.unwrap();
        assert_eq!(error.code, Code::InvalidContext);
        assert!(message.contains(expected) && message.contains("\"account\""), "{message}");
        assert!(!message.contains("secret"));
        let tracked = provider.track("event", &context, &StructValue::default());
        assert_eq!(code(tracked), Some(Code::InvalidContext));
    }
}

#[tokio::test]
async fn contexts_of_api_and_client_are_merged() {
    let features = json!({"flag": {"defaultValue": 0, "rules": [
        {"condition": {"app": "shop", "country": "US", "plan": "pro"}, "force": 1},
    ]}});
    let client = Client::embedded().features(features).build().unwrap();
    let mut api = OpenFeature::default();
    let field =
        |name: &str, value: &str| EvaluationContext::default().with_custom_field(name, value);
    api.set_evaluation_context(field("app", "shop").with_custom_field("plan", "free")).await;
    api.set_provider(GrowthBookProvider::new(client)).await;
    let mut flags = api.create_client();
    flags.set_evaluation_context(field("country", "US"));
    let context = field("plan", "pro");
    assert_eq!(flags.get_int_value("flag", Some(&context), None).await.unwrap(), 1);
    assert_eq!(flags.get_int_value("flag", None, None).await.unwrap(), 0);
}
