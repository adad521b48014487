//! Pages that continue in the browser.

use growthbook::reduce::{PayloadFilters, ReduceOptions};
use growthbook::sticky::CookieOptions;
use growthbook_tower::{IdCookie, Options, RequestScope};
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::support::{client, features};
use crate::{request, send};

fn options() -> Options<Parts> {
    Options::new()
        .user(|_: &Parts, user| user.attribute("plan", "pro").attribute("company", "c-77"))
}

/// Returns `growthbook_config` and the deferred calls of a script.
fn parse(script: &str) -> (Value, Value) {
    let (config, rest) =
        script.split_once("||{},").unwrap().1.split_once(",{\"payload\":").unwrap();
    let (payload, rest) = rest.split_once("},{\"forcedFeatureValues\":new Map(").unwrap();
    let (forced, rest) = rest.split_once(")});").unwrap();
    let mut config: Map<String, Value> = serde_json::from_str(config).unwrap();
    config.insert("payload".into(), serde_json::from_str(payload).unwrap());
    config.insert("forcedFeatureValues".into(), serde_json::from_str(forced).unwrap());
    let calls = rest.split_once("gb.setDeferredTrackingCalls(");
    let calls = calls.map(|(_, calls)| calls.split_once(");gb.fireDeferred").unwrap().0);
    (config.into(), calls.map_or(json!([]), |calls| serde_json::from_str(calls).unwrap()))
}

async fn script(options: Options<Parts>, cookie: &str) -> (Value, Value) {
    let (client, _) = client(features());
    let read = |gb: RequestScope| {
        gb.is_on("color");
        gb.hydration().script()
    };
    parse(&send(&client, options, request("/", &[("cookie", cookie)]), read).await.1)
}

#[tokio::test]
async fn browser_gets_what_it_may_see() {
    let (config, calls) = script(options(), "gbuuid=u1").await;
    let attributes = json!({
        "id": "u1", "url": "http://shop.example/", "path": "/", "host": "shop.example", "query": "",
        "browser": "unknown", "deviceType": "desktop",
    });
    assert_eq!(config["attributes"], attributes);
    // The condition on the plan is decided, the one on the device is not.
    let features = &config["payload"]["features"];
    assert_eq!(features["pro"], json!({"defaultValue": false, "rules": [{"force": true}]}));
    assert_eq!(features["mobile"]["rules"][0]["condition"], json!({"deviceType": "mobile"}));
    assert_eq!(calls[0]["experiment"]["key"], "color-test");
    assert_eq!(calls[0]["result"]["hashValue"], "u1");
    assert_eq!(calls[0]["user"]["attributes"], attributes);
    for text in [config.to_string(), calls.to_string()] {
        for secret in ["secret-plan", "c-77", "\"pro\":\"", "plan"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }

    let shown = options().show_attributes(["plan", "company"]);
    let (config, _) = script(shown, "gbuuid=u1").await;
    assert_eq!(
        (&config["attributes"]["plan"], &config["attributes"]["company"]),
        (&json!("pro"), &json!("c-77"))
    );
    let condition = &config["payload"]["features"]["pro"]["rules"][0]["condition"];
    assert_eq!(condition, &json!({"plan": "pro"}));
}

#[tokio::test]
async fn browser_continues_with_the_id() {
    let (config, _) = script(options(), "gbuuid=u1").await;
    let identity = |config: &Value| {
        (config["uuidKey"].clone(), config["uuidCookieName"].clone(), config["uuid"].clone())
    };
    assert_eq!(identity(&config), (json!("id"), json!("gbuuid"), Value::Null));
    // The response sets the cookie.
    let (config, _) = script(options(), "").await;
    assert_eq!(config["uuid"], Value::Null);
    // It does not.
    let (config, _) = script(options().consent(|_: &Parts| false), "").await;
    assert_eq!(config["uuid"], config["attributes"]["id"]);
    assert!(config["uuid"].is_string());
    // The id of a logged-in user is not in the cookie.
    let logged_in = Options::new().user(|_: &Parts, user| user.attribute("id", 42));
    let (config, _) = script(logged_in, "gbuuid=u1").await;
    assert_eq!(config["uuid"], 42);
    let cookie = IdCookie::new().name("v").unwrap().domain("shop.example").unwrap();
    let (config, _) = script(options().id_cookie(cookie.attribute("visitor")), "v=u1").await;
    assert_eq!(identity(&config), (json!("visitor"), json!("v"), Value::Null));
    assert_eq!(config["uuidCookieDomain"], "shop.example");
}

#[tokio::test]
async fn each_exposure_has_one_reporter() {
    let (client, exposures) = client(features());
    let (_, scripts) = send(&client, options(), request("/", &[("cookie", "gbuuid=u1")]), |gb| {
        gb.is_on("color");
        gb.is_on("company");
        let first = gb.hydration().script();
        (first, gb.hydration().script())
    })
    .await;
    let keys = |script: &str| -> Vec<String> {
        let calls = parse(script).1;
        calls.as_array().unwrap().iter().map(|call| call["experiment"]["key"].to_string()).collect()
    };
    assert_eq!(keys(&scripts.0), ["\"color-test\""]);
    assert!(keys(&scripts.1).is_empty());
    // The browser does not know the company.
    assert_eq!(exposures.take(), ["u1 company-test=1"]);
}

#[tokio::test]
async fn script_has_the_chosen_settings() {
    let (client, _) = client(json!({
        "web": {"defaultValue": "</script><script>alert(1)</script>\u{2028}", "metadata": {"tags": ["web"]}},
        "server": {"defaultValue": 1},
    }));
    let options = Options::new().sticky_cookies(CookieOptions::new());
    let (_, script) = send(&client, options, request("/", &[]), |gb| {
        let filters = PayloadFilters::new().tags(["web"]);
        let hydration = gb.hydration().reduce(ReduceOptions::new().include(filters));
        hydration.connection("https://cdn.example", "sdk-1").script()
    })
    .await;
    assert!(!script.contains(['<', '>', '\u{2028}']), "{script}");
    let (config, calls) = parse(&script);
    assert_eq!(
        (&config["apiHost"], &config["clientKey"]),
        (&json!("https://cdn.example"), &json!("sdk-1"))
    );
    assert_eq!(
        (&config["noStreaming"], &config["useStickyBucketService"]),
        (&Value::Null, &json!("cookie"))
    );
    let features = config["payload"]["features"].as_object().unwrap();
    assert_eq!(features.keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(calls, json!([]));
}

#[tokio::test]
async fn global_attributes_are_not_shown() {
    let (client, _) = client(json!({"eu": {"defaultValue": 0, "rules": [
        {"condition": {"region": "eu"}, "force": 1},
    ]}}));
    client.set_attributes(json!({"region": "eu"}));
    let read = |gb: RequestScope| gb.hydration().script();
    let (_, script) = send(&client, Options::new(), request("/", &[]), read).await;
    assert!(!script.contains("region"), "{script}");
    assert_eq!(parse(&script).0["payload"]["features"]["eu"]["rules"], json!([{"force": 1}]));
    let shown = Options::new().show_attributes(["region"]);
    let (_, script) = send(&client, shown, request("/", &[]), read).await;
    assert_eq!(parse(&script).0["attributes"]["region"], "eu");
}

#[tokio::test]
async fn forced_values_reach_the_browser() {
    let (client, _) = client(features());
    client.set_forced_features([("pro", json!(1)), ("mobile", json!("</script>"))]);
    client.set_forced_variations([("color-test", 0), ("company-test", 1)]);
    let options = Options::new().user(|_: &Parts, user| {
        user.forced_feature("pro", 2).forced_variation("color-test", 1).qa_mode(true)
    });
    let read = |gb: RequestScope| gb.hydration().script();
    let (_, script) = send(&client, options, request("/", &[]), read).await;
    assert!(!script.contains('<'));
    let (config, _) = parse(&script);
    assert_eq!(config["forcedFeatureValues"], json!([["mobile", "</script>"], ["pro", 2]]));
    assert_eq!(config["forcedVariations"], json!({"color-test": 1, "company-test": 1}));
    assert_eq!((&config["qaMode"], &config["enabled"]), (&json!(true), &Value::Null));
    client.set_enabled(false);
    let (_, script) = send(&client, Options::new(), request("/", &[]), read).await;
    assert_eq!(parse(&script).0["enabled"], false);
}
