//! The REST API, from a scripted server.

use std::time::Duration;

use growthbook_codegen::Flags;
use growthbook_codegen::api::{ApiError, ConnectionOptions, RestApi};
use serde_json::{Value, json};
use test_server::{FeaturesServer, Reply};

const TOKEN: &str = "secret_admin_do_not_show";

/// Starts a server that sends these replies, and then status 500.
fn server(replies: impl IntoIterator<Item = Reply>) -> FeaturesServer {
    let server = FeaturesServer::start("{}");
    server.always_features(Reply::status(500));
    server.script_features(replies);
    server
}

fn ok(body: &Value) -> Reply {
    Reply::status(200).header("content-type", "application/json").body(body.to_string())
}

/// Returns a page with features from one number to another.
fn page(from: u64, to: u64, total: u64) -> Value {
    let features: Vec<Value> = (from..to)
        .map(|id| json!({"id": format!("f{id}"), "valueType": "number", "defaultValue": "1"}))
        .collect();
    let has_more = to < total;
    let next = has_more.then_some(to);
    json!({"features": features, "limit": 100, "offset": from, "count": to - from, "total": total,
        "hasMore": has_more, "nextOffset": next})
}

fn fetch(server: &FeaturesServer) -> Result<Flags, ApiError> {
    api(server).fetch()
}

/// The proxies of the environment must not be used.
fn api(server: &FeaturesServer) -> RestApi {
    let api = RestApi::new(TOKEN).host(server.url()).timeout(Duration::from_secs(30));
    api.connection(ConnectionOptions::new())
}

fn paths(server: &FeaturesServer) -> Vec<String> {
    server.requests().into_iter().map(|request| request.path).collect()
}

#[test]
fn all_pages_are_read_with_the_token() {
    let pages = [page(0, 100, 250), page(100, 200, 250), page(200, 250, 250)];
    let server = server(pages.iter().map(ok));
    assert_eq!(fetch(&server).unwrap().iter().len(), 250);
    let expected = [0, 100, 200].map(|at| format!("/api/v2/features?limit=100&offset={at}"));
    assert_eq!(paths(&server), expected);
    let expected = format!("Bearer {TOKEN}");
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some(expected.as_str()));
    }
}

#[test]
fn pages_without_a_next_offset_are_read() {
    let mut pages = [page(0, 2, 3), page(2, 3, 3)];
    for page in &mut pages {
        page.as_object_mut().unwrap().retain(|name, _| name == "features" || name == "total");
    }
    let server = server(pages.iter().map(ok));
    assert_eq!(fetch(&server).unwrap().iter().len(), 3);
    assert_eq!(paths(&server)[1], "/api/v2/features?limit=100&offset=2");
}

#[test]
fn offset_that_does_not_grow_is_an_error() {
    let mut endless = page(0, 1, 2);
    endless["nextOffset"] = json!(0);
    let server = server([ok(&endless)]);
    let error = fetch(&server).unwrap_err();
    assert!(matches!(error, ApiError::Incomplete), "{error}");
    assert_eq!(paths(&server).len(), 1);
}

#[test]
fn refused_token_is_an_error_that_hides_it() {
    for status in [401, 403] {
        let body = json!({"message": "Invalid API key\n"}).to_string();
        let server = server([Reply::status(status).body(body)]);
        let error = fetch(&server).unwrap_err();
        assert!(matches!(error, ApiError::Refused { status: it, .. } if it == status), "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(r"Invalid API key\n") && !text.contains(TOKEN), "{text}");
        assert_eq!(paths(&server).len(), 1, "a refused token is not tried again");
    }
}

#[test]
fn busy_server_is_asked_again() {
    let busy = |status| Reply::status(status).header("retry-after", "0");
    let server = server([busy(429), busy(503), ok(&page(0, 1, 2)), busy(429), ok(&page(1, 2, 2))]);
    assert_eq!(fetch(&server).unwrap().iter().len(), 2);
    assert_eq!(paths(&server).len(), 5);
}

#[test]
fn wait_beyond_the_time_limit_is_an_error() {
    let server = server([Reply::status(429).header("retry-after", "3600")]);
    let error = fetch(&server).unwrap_err();
    assert!(error.to_string().contains("3600 seconds"), "{error}");
    assert_eq!(paths(&server).len(), 1);
}

#[test]
fn busy_server_is_given_up() {
    let busy = || Reply::status(429).header("retry-after", "0");
    let server = server([busy(), busy(), busy(), busy(), busy(), busy()]);
    let error = fetch(&server).unwrap_err();
    assert!(matches!(error, ApiError::RateLimited { .. }), "{error}");
    assert_eq!(paths(&server).len(), 5);
}

#[test]
fn older_server_is_asked_for_version_1() {
    let server = server([Reply::status(404), ok(&page(0, 1, 2)), ok(&page(1, 2, 2))]);
    assert_eq!(fetch(&server).unwrap().iter().len(), 2);
    let expected = [
        "/api/v2/features?limit=100&offset=0",
        "/api/v1/features?limit=100&offset=0",
        "/api/v1/features?limit=100&offset=1",
    ];
    assert_eq!(paths(&server), expected);
}

#[test]
fn bad_replies_are_errors() {
    type Expected = fn(&ApiError) -> bool;
    let cases: [(&str, Vec<Reply>, Expected); 7] = [
        ("a page", vec![Reply::status(200).body("<html>")], |it| matches!(it, ApiError::NotJson)),
        ("an object", vec![ok(&json!({"features": {}}))], |it| matches!(it, ApiError::NoFeatures)),
        ("not found", vec![Reply::status(404), Reply::status(404)], |it| {
            matches!(it, ApiError::NotFound)
        }),
        ("a failure", vec![Reply::status(500)], |it| {
            matches!(it, ApiError::Status { status: 500, .. })
        }),
        ("a redirect", vec![Reply::redirect(302, "http://127.0.0.1:1/")], |it| {
            matches!(it, ApiError::Status { status: 302, .. })
        }),
        ("too much", vec![Reply::gzip_bomb(40 * 1024 * 1024)], |it| {
            matches!(it, ApiError::TooLarge)
        }),
        ("closed", vec![Reply::close(), Reply::close()], |it| {
            matches!(it, ApiError::Connection(_))
        }),
    ];
    for (name, replies, is_expected) in cases {
        let error = fetch(&server(replies)).unwrap_err();
        assert!(is_expected(&error), "{name}: {error:?}");
    }
}

#[test]
fn silent_server_is_given_up_in_time() {
    let server = server([Reply::raw_then_hang("")]);
    let error = api(&server).timeout(Duration::from_millis(100)).fetch().unwrap_err();
    assert!(matches!(error, ApiError::Timeout), "{error}");
}

#[test]
fn wrong_settings_are_refused() {
    for token in ["", " ", "two words", "line\nbreak", "größe"] {
        let error = RestApi::new(token).fetch().unwrap_err();
        assert!(matches!(error, ApiError::Token), "{token:?}: {error}");
    }
    let error = RestApi::new(TOKEN).host("gb.example").fetch().unwrap_err();
    assert!(matches!(error, ApiError::Host), "{error}");
    let options = ConnectionOptions::new().root_certificates("x");
    let error = RestApi::new(TOKEN).connection(options).fetch().unwrap_err();
    assert!(matches!(error, ApiError::Options(_)), "{error}");
    let shown = format!("{:?}", RestApi::new(TOKEN).host("https://user:password@gb.example"));
    assert!(!shown.contains(TOKEN) && !shown.contains("password"), "{shown}");
}

#[test]
fn project_and_certificate_are_used() {
    let server = FeaturesServer::start_tls("{}");
    server.script_features([ok(&page(0, 1, 1))]);
    let options = ConnectionOptions::new().root_certificates(server.root_certificate_pem());
    let flags = api(&server).project("prj_1&x").connection(options).fetch().unwrap();
    assert_eq!(flags.iter().len(), 1);
    assert_eq!(paths(&server), ["/api/v2/features?limit=100&offset=0&projectId=prj_1%26x"]);
}
