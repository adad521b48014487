//! Forced values.

use std::thread;

use growthbook_test::{TestClient, json, with_flags};

fn value(client: &TestClient) -> i32 {
    client.for_user("u").feature_value("limit", -1)
}

#[test]
fn dropped_guard_restores_the_value() {
    let client = with_flags([("limit", 1)]);
    let guard = client.force_feature("limit", 2);
    assert_eq!(value(&client), 2);
    drop(guard);
    assert_eq!(value(&client), 1);
    assert!(client.forced_features().is_empty());
}

#[test]
fn newest_guard_decides_in_any_order_of_drops() {
    let client = with_flags([("limit", 0)]);
    let first = client.force_feature("limit", 1);
    let second = client.force_feature("limit", 2);
    let third = client.force_feature("limit", 3);
    assert_eq!(value(&client), 3);
    drop(second);
    assert_eq!(value(&client), 3);
    drop(third);
    assert_eq!(value(&client), 1);
    drop(first);
    assert_eq!(value(&client), 0);
}

#[test]
fn earlier_forced_values_come_back() {
    let client = with_flags([("limit", 0)]);
    client.set_forced_features([("limit", json!(7)), ("other", json!(8))]);
    drop(client.force_feature("limit", 1));
    assert_eq!(value(&client), 7);
    drop(client.force_feature("new", 1));
    let mut forced = client.forced_features();
    forced.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(forced, [("limit".to_owned(), json!(7)), ("other".to_owned(), json!(8))]);
}

#[test]
fn older_scope_keeps_its_value() {
    let client = with_flags([("limit", 0)]);
    let before = client.for_user("u");
    let _guard = client.force_feature("limit", 1);
    assert_eq!(before.feature_value("limit", -1), 0);
}

#[test]
fn threads_do_not_lose_guards() {
    let client = with_flags([("limit", 0)]);
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                let own = format!("own-{thread}");
                for round in 0..200 {
                    let shared = client.force_feature("limit", round);
                    let guard = client.force_feature(&own, round);
                    assert_eq!(client.for_user("u").feature_value(&*own, -1), round);
                    drop(shared);
                    assert_eq!(client.for_user("u").feature_value(&*own, -1), round);
                    drop(guard);
                }
            });
        }
    });
    assert_eq!(value(&client), 0);
    assert!(client.forced_features().is_empty());
}

#[test]
fn guard_outlives_its_client() {
    let client = with_flags([("limit", 0)]);
    let guard = client.force_feature("limit", 1);
    let handle = client.client();
    drop(client);
    assert_eq!(handle.for_user("u").feature_value("limit", -1), 1);
    drop(guard);
    assert_eq!(handle.for_user("u").feature_value("limit", -1), 0);
}
