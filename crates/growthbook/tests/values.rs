//! What callers pass as users and attributes, and the types that they read values as.

use std::collections::HashMap;

use growthbook::{Client, UserContext};
use serde_json::{Value, json};

#[test]
fn users_are_made_of_what_callers_have() {
    let client = Client::from_json(
        r#"{"features": {"f": {"rules": [
            {"condition": {"id": {"$in": ["7", 7]}, "tags": {"$in": ["beta"]}}, "force": 1}
        ]}}}"#,
    )
    .unwrap();
    let (id, tags) = (String::from("7"), vec![String::from("beta")]);
    let map: HashMap<String, Value> =
        [("id".into(), json!(7)), ("tags".into(), json!(["beta"]))].into();
    let user = UserContext::new(&id).attribute("tags", &tags);
    for scope in [
        client.for_user(&user),
        client.for_user(UserContext::from(7_u64).attribute("tags", tags.as_slice())),
        client.for_user(UserContext::from_attributes(map.clone())),
        client.for_user(map),
        client.for_user([("id", json!(7)), ("tags", json!(tags))]),
    ] {
        assert_eq!(scope.feature_value("f", 0), 1);
    }
    assert_eq!(client.for_user(&id).feature_value("f", 0), 0);
    assert_eq!(client.for_user(7_u64).feature_value("f", 0), 0);
}

#[test]
fn whole_floats_are_read_as_integers() {
    let client = Client::from_json(
        r#"{"features": {"a": {"defaultValue": 17.0}, "b": {"defaultValue": 1e2},
            "c": {"defaultValue": [1.0]}, "d": {"defaultValue": 1.5}}}"#,
    )
    .unwrap();
    let gb = client.for_user("u");
    assert_eq!(gb.feature_value("a", -1), 17);
    assert_eq!(gb.feature_value("b", -1_i64), 100);
    assert_eq!(gb.feature_value("c", vec![-1]), [1]);
    assert_eq!(gb.eval_feature("b").deserialize::<u8>().unwrap(), 100);
    assert_eq!(gb.feature_value("d", -1), -1);
}
