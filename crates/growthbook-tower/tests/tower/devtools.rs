//! Devtools: values that a developer chooses, and the log for the browser.

use growthbook_tower::{Devtools, Options, RequestScope};
use http::request::Parts;
use serde_json::{Value, json};

use crate::support::{client, features};
use crate::{request, send};

/// Chooses an attribute, a feature value and a variation.
const STATE: &str = r#"_gbdebug=%7B%22attributes%22%3A%7B%22deviceType%22%3A%22mobile%22%7D%2C%22features%22%3A%7B%22pro%22%3A7%7D%2C%22experiments%22%3A%7B%22color-test%22%3A0%7D%7D"#;

fn options() -> Options<Parts> {
    Options::new()
        .user(|_: &Parts, user| user.attribute("plan", "free").attribute("company", "c-77"))
        .devtools(Devtools::new("https://cdn.example", "sdk-1").source("shop"))
}

fn values(gb: RequestScope) -> Value {
    json!([gb.is_on("mobile"), gb.feature_value("pro", 0), gb.feature_value("color", "")])
}

#[tokio::test]
async fn developer_chooses_values() {
    let (client, _) = client(features());
    let chosen = json!([true, 7, "blue"]);
    let usual = json!([false, 0, "green"]);
    let target = format!("/?{STATE}");
    let by_cookie = || request("/", &[("cookie", STATE)]);
    let (_, found) = send(&client, options(), by_cookie(), values).await;
    assert_eq!(found, chosen);
    let (_, found) = send(&client, options(), request(&target, &[]), values).await;
    assert_eq!(found, chosen);
    // Not when they are off, or this request may not have them.
    let (_, found) = send(&client, Options::new(), request(&target, &[]), values).await;
    assert_eq!(found, usual);
    for answer in [Some(false), None] {
        let allow = move |_: &Parts| answer.unwrap_or_else(|| panic!("on purpose"));
        let restricted = Options::new().devtools(Devtools::new("", "").allow(allow));
        let (headers, found) = send(&client, restricted, by_cookie(), values).await;
        assert_eq!(found, usual);
        assert!(!headers.contains_key("x-gbdebug-events"));
    }
}

#[tokio::test]
async fn chosen_values_stay_on_top() {
    let (client, _) = client(features());
    let (_, found) = send(&client, options(), request("/", &[("cookie", STATE)]), |gb| {
        let changed = gb.with_attributes([("deviceType", "desktop")]);
        [values(changed), values(gb.for_user("u2"))]
    })
    .await;
    assert_eq!(found, [json!([true, 7, "blue"]), json!([true, 7, "blue"])]);
}

#[tokio::test]
async fn log_is_in_the_header() {
    let (client, _) = client(features());
    let (headers, ()) = send(&client, options(), request("/", &[("cookie", "gbuuid=u1")]), |gb| {
        gb.is_on("mobile");
        gb.is_on("mobile");
        gb.is_on("color");
        gb.is_on("company");
        gb.log_event("Grün", [("price", json!(9.5))]);
    })
    .await;
    let header = headers["x-gbdebug-events"].to_str().unwrap();
    let event: Value = serde_json::from_str(header).unwrap();
    let info = &event["sdkInfo"];
    assert_eq!(
        (&info["apiHost"], &info["clientKey"]),
        (&json!("https://cdn.example"), &json!("sdk-1"))
    );
    assert_eq!((&info["source"], &info["payload"]), (&json!("shop"), &Value::Null));
    assert_eq!(info["attributes"]["id"], "u1");
    let logs = event["logs"].as_array().unwrap();
    let of =
        |kind: &str| -> Vec<&Value> { logs.iter().filter(|it| it["logType"] == kind).collect() };
    let features: Vec<&Value> = of("feature").iter().map(|it| &it["featureKey"]).collect();
    assert_eq!(features, ["mobile", "color", "company"]);
    let experiments = of("experiment");
    assert_eq!(experiments[0]["experiment"]["key"], "color-test");
    assert_eq!(experiments[0]["result"]["hashValue"], "u1");
    assert_eq!(experiments[1]["result"]["hashValue"], "", "the company is not shown");
    assert_eq!(of("event")[0]["eventName"], "Grün");
    assert_eq!(of("event")[0]["properties"], json!({"price": 9.5}));
    assert!(logs.iter().all(|it| it["timestamp"].as_str().unwrap().parse::<u64>().unwrap() > 0));
    for secret in ["c-77", "secret-plan", "free"] {
        assert!(!header.contains(secret), "{secret} is in {header}");
    }
}

#[tokio::test]
async fn header_has_the_newest_entries_that_fit() {
    let (client, _) = client(features());
    let long = format!("/?{}", "x".repeat(7_000));
    for (target, fewest) in [("/", 10), (long.as_str(), 0)] {
        let (headers, ()) = send(&client, options(), request(target, &[]), |gb| {
            for number in 0..2_000 {
                gb.log_event(&format!("event {number}"), [("a", json!("</>ü"))]);
            }
        })
        .await;
        let header = headers["x-gbdebug-events"].to_str().unwrap();
        assert!(header.len() <= 8 * 1024, "{}", header.len());
        let event: Value = serde_json::from_str(header).unwrap();
        let logs = event["logs"].as_array().unwrap();
        assert!(logs.len() >= fewest, "{}", logs.len());
        // The log itself is bounded.
        assert!(logs.last().is_none_or(|it| it["eventName"] == "event 999"));
    }
}

#[tokio::test]
async fn script_replaces_the_header() {
    let (client, _) = client(features());
    let (headers, script) = send(&client, options(), request("/", &[]), |gb| {
        gb.is_on("color");
        gb.log_event("</script>", [("a", Value::Null)]);
        gb.devtools_script()
    })
    .await;
    assert!(!headers.contains_key("x-gbdebug-events"));
    let script = script.unwrap();
    let start = "(window._gbdebugEvents=(window._gbdebugEvents||[])).push(";
    let event = script.strip_prefix(start).and_then(|it| it.strip_suffix(");")).unwrap();
    assert!(!event.contains('<'));
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(event["logs"].as_array().unwrap().len(), 3);
    // The browser's SDK merges this payload with its own, so it must be the reduced one.
    let features = &event["sdkInfo"]["payload"]["features"];
    assert_eq!(features["pro"]["defaultValue"], false);
    assert!(!features.to_string().contains("plan"), "{features}");
    let (_, script) =
        send(&client, Options::new(), request("/", &[]), |gb| gb.devtools_script()).await;
    assert_eq!(script, None);
}
