//! A struct that derives `AttributeSource` is a user.

use std::sync::{Arc, Mutex};

use growthbook::{AttributeSource, Client, UserScope};
use serde_json::{Value, json};

#[derive(AttributeSource)]
struct Session<'r> {
    #[growthbook(rename = "id")]
    user_id: u64,
    country: &'r str,
    age: Option<u8>,
}

#[test]
fn struct_is_a_user() {
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let log = seen.clone();
    let client = Client::embedded()
        .features(json!({"checkout": {"defaultValue": "old", "rules": [
            {"condition": {"country": "DE", "age": {"$gte": 18}}, "force": "new"}
        ]}}))
        .attributes(json!({"age": 30}))
        .on_feature_usage(move |usage| {
            let attributes = serde_json::to_value(usage.user.attributes()).unwrap();
            log.lock().unwrap().push(attributes);
        })
        .build()
        .unwrap();
    let child = Session { user_id: 7, country: "DE", age: Some(9) };
    let unknown = Session { age: None, ..child };
    let scope: UserScope<'_> = client.for_user(&child);
    assert_eq!(scope.feature_value("checkout", ""), "old");
    // A field that is `None` is missing, so the attribute of every user counts.
    assert_eq!(scope.for_user(&unknown).feature_value("checkout", ""), "new");
    let expected =
        [json!({"id": 7, "country": "DE", "age": 9}), json!({"id": 7, "country": "DE", "age": 30})];
    assert_eq!(*seen.lock().unwrap(), expected);
}
