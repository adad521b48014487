//! Tests of the service with a features server that starts, changes and stops.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum_service::{options, router, serve, webhook_router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use growthbook::cache::MemoryCache;
use growthbook::fetch::{StreamOff, StreamState};
use growthbook::{Client, Refresh};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use test_server::FeaturesServer;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// The longest wait. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// All users are in the second variation.
const EXPERIMENT: &str = r#"{"features": {"button-color": {"rules": [{
    "key": "color-test", "variations": ["blue", "green"], "weights": [0, 1],
    "meta": [{"key": "0"}, {"key": "1"}]
}]}}}"#;

fn payload(max_items: u32) -> String {
    json!({"features": {
        "new-checkout": {"defaultValue": false, "rules": [
            {"condition": {"country": "US"}, "force": true},
        ]},
        "max-items": {"defaultValue": max_items},
    }})
    .to_string()
}

fn client(server: &FeaturesServer) -> Client {
    let builder = Client::builder("sdk-test").api_host(server.url());
    builder
        .cache(MemoryCache::new(growthbook::cache::DEFAULT_MEMORY_CACHE_ENTRIES))
        .poll_interval(growthbook::fetch::MIN_POLL_INTERVAL)
        .start()
        .unwrap()
}

async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn get_json(router: &Router, path: &str) -> Value {
    serde_json::from_str(&get(router, path, &[]).await.1).unwrap()
}

/// Sends the request repeatedly until the answer is as expected.
async fn until(router: &Router, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let answer = get_json(router, path).await;
        if holds(&answer) {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{path} still answers {answer}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn service_stays_ready_after_the_first_payload() {
    let mut server = FeaturesServer::start(&payload(10));
    server.stop();
    let client = client(&server);
    let router = router(client.clone(), options());

    client.ready().await.unwrap_err();
    let (status, body) = get(&router, "/healthz", &[]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(health["source"], Value::Null);
    assert_eq!(health["age_seconds"], Value::Null);
    assert_eq!(
        health["last_error"],
        "no connection to the server: check that it runs, and that no firewall is in the way"
    );
    assert_eq!(health["stream"], "not known yet");
    // The service still answers, with defaults.
    assert_eq!(get_json(&router, "/checkout?user=u").await["max_items"], 10);

    server.restart();
    let is_fresh = |health: &Value| health["stream"] == "open" && health["source"] == "network";
    let health = until(&router, "/healthz", is_fresh).await;
    assert_eq!(get(&router, "/healthz", &[]).await.0, StatusCode::OK);
    assert_eq!(health["last_error"], Value::Null);
    assert!(health["age_seconds"].as_f64().unwrap() < PATIENCE.as_secs_f64());

    server.stop();
    until(&router, "/healthz", |health| health["last_error"] != Value::Null).await;
    assert_eq!(get(&router, "/healthz", &[]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn exposures_are_reported_after_the_response() {
    let server = FeaturesServer::start(EXPERIMENT);
    let (exposures, received) = channel();
    let client = Client::builder("sdk-test")
        .api_host(server.url())
        .cache(MemoryCache::new(growthbook::cache::DEFAULT_MEMORY_CACHE_ENTRIES))
        .on_experiment_viewed(move |viewed| {
            let user = viewed.user.id().unwrap_or_default().into_owned();
            let _ = exposures.send((user, viewed.experiment.key().to_owned()));
        })
        .start()
        .unwrap();
    client.ready().await.unwrap();
    let router = router(client.clone(), options());
    for user in ["u1", "u2", "u1"] {
        let answer = get_json(&router, &format!("/checkout?user={user}")).await;
        assert_eq!(answer["button_color"], "green");
    }
    let reported: Vec<(String, String)> = received.try_iter().collect();
    assert_eq!(reported, [("u1".into(), "color-test".into()), ("u2".into(), "color-test".into())]);

    // The browser reports the exposures of a page.
    let (_, page) = get(&router, "/?user=u3", &[]).await;
    assert!(page.contains("setDeferredTrackingCalls"), "{page}");
    assert_eq!(received.try_iter().count(), 0);
    let call = json!([{
        "experiment": {"key": "color-test", "variations": ["blue", "green"]},
        "result": {"key": "1", "variationId": 1, "hashAttribute": "id", "hashValue": "u3"},
        "user": {"attributes": {"id": "u3"}},
    }]);
    let call = Request::post("/exposures").body(Body::from(call.to_string())).unwrap();
    let response = router.clone().oneshot(call).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let reported: Vec<(String, String)> = received.try_iter().collect();
    assert_eq!(reported, [("u3".into(), "color-test".into())]);
}

#[tokio::test]
async fn user_keeps_id_and_assignment_in_cookies() {
    let server = FeaturesServer::start(EXPERIMENT);
    let client = client(&server);
    client.ready().await.unwrap();
    let router = router(client, options());
    let request = Request::get("/checkout").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let cookies: Vec<&str> = response
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(cookies[0].starts_with("gbStickyBuckets__id||"), "{cookies:?}");
    assert_eq!(cookies[1], "gbuuid");
}

#[tokio::test]
async fn flags_depend_on_the_user_and_follow_the_server() {
    let server = FeaturesServer::start(&payload(25));
    let client = client(&server);
    let router = router(client.clone(), options());
    client.ready().await.unwrap();

    let from_query = get_json(&router, "/checkout?user=u&country=US").await;
    assert_eq!(from_query, json!({"new_checkout": true, "button_color": "blue", "max_items": 25}));
    let headers = [("x-user-id", "u"), ("x-country", "US")];
    let (_, from_headers) = get(&router, "/checkout", &headers).await;
    assert_eq!(serde_json::from_str::<Value>(&from_headers).unwrap(), from_query);
    assert_eq!(get_json(&router, "/checkout?user=u&country=DE").await["new_checkout"], false);

    server.set_payload(&payload(50));
    until(&router, "/checkout?user=u", |answer| answer["max_items"] == 50).await;
}

#[tokio::test]
async fn stopping_closes_the_client() {
    let server = FeaturesServer::start(&payload(25));
    let client = client(&server);
    client.ready().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, router(client.clone(), options()), client.clone(), std::future::ready(()))
        .await
        .unwrap();
    assert!(matches!(client.status().stream, StreamState::Off(StreamOff::Closed)));
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

/// Sends a webhook as GrowthBook does, signed with `secret`. Returns the status of the response.
async fn send_webhook(router: &Router, secret: &str, method: &str, body: &str) -> StatusCode {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let message = format!("msg_1.{timestamp}.{body}");
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let signature = signature.chain_update(message).finalize().into_bytes();
    let request = Request::builder()
        .method(method)
        .uri("/growthbook-webhook")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", format!("v1,{}", STANDARD.encode(signature)));
    let request = request.body(Body::from(body.to_owned())).unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn webhooks_change_the_flags_at_once() {
    let mut server = FeaturesServer::start(&payload(25));
    let builder = Client::builder("sdk-test").api_host(server.url());
    let client = builder.refresh(Refresh::Manual).start().unwrap();
    let routes = router(client.clone(), options()).merge(webhook_router(client.clone(), "secret"));
    let limit = async || get_json(&routes, "/checkout?user=u").await["max_items"].clone();

    assert_eq!(send_webhook(&routes, "secret", "GET", "").await, StatusCode::NO_CONTENT);
    assert_eq!(limit().await, 25);
    // A message with the payload needs no server.
    server.stop();
    assert_eq!(send_webhook(&routes, "secret", "GET", "").await, StatusCode::BAD_GATEWAY);
    assert_eq!(send_webhook(&routes, "secret", "PUT", &payload(50)).await, StatusCode::NO_CONTENT);
    assert_eq!(limit().await, 50);

    assert_eq!(send_webhook(&routes, "other", "PUT", &payload(75)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(send_webhook(&routes, "secret", "POST", "{}").await, StatusCode::BAD_REQUEST);
    assert_eq!(limit().await, 50);
}
