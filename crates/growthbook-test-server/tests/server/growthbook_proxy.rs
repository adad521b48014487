//! Tests of the double of the GrowthBook Proxy.

use std::time::Duration;

use growthbook_test_server::{GrowthBookProxy, ProxySettings};

use crate::client::{Client, PATIENCE, PAYLOAD};

/// Longer than any test. No test waits for it.
const LONG: Duration = Duration::from_secs(3600);

const SETTINGS: fn() -> ProxySettings = ProxySettings::default;

/// Starts a double and waits until it can answer.
fn start(settings: ProxySettings) -> GrowthBookProxy {
    let proxy = GrowthBookProxy::start(settings, ["sdk-1"], PAYLOAD);
    wait_until_able(&proxy);
    proxy
}

fn wait_until_able(proxy: &GrowthBookProxy) {
    let able = || Client::connect(&proxy.url()).get_features().0.status == 200;
    while !able() {}
    assert!(proxy.able_since().is_some());
}

#[test]
fn everything_is_not_found_before_the_listing() {
    let settings = ProxySettings { api_latency: LONG, ..SETTINGS() };
    let mut proxy = GrowthBookProxy::start(settings, ["sdk-1"], PAYLOAD);
    let mut client = Client::connect(&proxy.url());
    for path in ["/api/features/sdk-1", "/sub/sdk-1", "/healthcheck"] {
        let (head, _) = client.get(path, "");
        assert_eq!(head.status, 404, "{path}");
        assert_eq!(head.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(head.header("x-sse-support"), None);
    }
    assert_eq!(proxy.able_since(), None);
    proxy.set_api_reachable(false);
    assert_eq!(client.get_features().0.status, 503);
    proxy.kill();
    assert_eq!(client.rest(), "");
}

#[test]
fn first_fetch_is_passed_through_and_opens_the_channel() {
    let proxy = GrowthBookProxy::start(SETTINGS(), ["sdk-1", "sdk-2"], PAYLOAD);
    wait_until_able(&proxy);
    let mut client = Client::connect(&proxy.url());
    let (head, body) = client.get("/sub/sdk-2", "");
    assert_eq!((head.status, head.header("x-unrecoverable")), (400, None));
    assert!(String::from_utf8(body).unwrap().contains("No channel found"));

    let (first, body) = client.get("/api/features/sdk-2", "");
    assert!(first.header("cache-control").is_some());
    assert_eq!(body, PAYLOAD.as_bytes());
    let (second, body) = client.get("/api/features/sdk-2", "accept-encoding: gzip\r\n");
    assert_eq!(second.header("cache-control"), None);
    assert_eq!(second.header("keep-alive"), Some("timeout=5"));
    assert_eq!(second.header("x-sse-support"), Some("enabled"));
    assert_eq!(body, PAYLOAD.as_bytes());
    let tags = [first, second].map(|head| head.header("etag").unwrap().to_owned());
    assert!(tags.iter().all(|tag| tag.starts_with("W/")) && tags[0] != tags[1], "{tags:?}");

    let known = format!("if-none-match: {}\r\n", tags[1]);
    assert_eq!(client.get("/api/features/sdk-2", &known).0.status, 304);
    let fresh = format!("{known}cache-control: no-cache\r\n");
    assert_eq!(client.get("/api/features/sdk-2", &fresh).0.status, 200);
    client.send("/sub/sdk-2", "");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk().unwrap(), "retry: 10000\n\n");
}

#[test]
fn header_marks_unknown_keys() {
    let proxy = start(ProxySettings { listing_interval: Duration::from_millis(5), ..SETTINGS() });
    let mut client = Client::connect(&proxy.url());
    for path in ["/api/features/unknown", "/sub/unknown"] {
        let (head, _) = client.get(path, "");
        assert_eq!((head.status, head.header("x-unrecoverable")), (400, Some("1")), "{path}");
    }
    // The next listing finds new keys.
    proxy.add_remote_evaluation_key("remote");
    proxy.add_key("new");
    while client.get("/api/features/new", "").0.status != 200 {}
    let (head, _) = client.get("/api/features/remote", "");
    assert_eq!((head.status, head.header("x-unrecoverable")), (400, None));
    assert_eq!(head.header("x-sse-support"), Some("enabled"));
}

#[test]
fn idle_connection_is_closed() {
    let settings = ProxySettings { keep_alive: Duration::from_millis(50), ..SETTINGS() };
    let proxy = start(settings);
    let mut client = Client::connect(&proxy.url());
    client.get_features();
    assert_eq!(client.rest(), "");
}

#[test]
fn stream_ends_in_good_order_after_its_lifetime() {
    let proxy = start(ProxySettings { stream_lifetime: Duration::from_millis(30), ..SETTINGS() });
    let mut client = Client::connect(&proxy.url());
    for _ in 0..3 {
        client.open_stream("");
        assert_eq!(client.chunk(), None);
    }
    proxy.set_stream_lifetime(LONG);
    client.open_stream("");
    assert_eq!(proxy.open_streams(), 1);
}

#[test]
fn pings_come_at_the_interval() {
    let proxy = start(ProxySettings { ping_interval: Duration::from_millis(20), ..SETTINGS() });
    let mut client = Client::connect(&proxy.url());
    client.open_stream("");
    assert_eq!(client.chunk().unwrap(), "data: \n\n");
}

#[test]
fn sigterm_ends_streams_and_sigkill_breaks_them() {
    let mut proxy = start(SETTINGS());
    for is_clean in [true, false] {
        let mut client = Client::connect(&proxy.url());
        client.open_stream("");
        if is_clean {
            proxy.terminate();
            assert_eq!(client.chunk(), None);
        } else {
            proxy.kill();
        }
        assert_eq!(client.rest(), "");
        assert_eq!(proxy.open_streams(), 0);
        proxy.start_again();
        wait_until_able(&proxy);
    }
}

#[test]
fn restart_forgets_events_and_payloads() {
    let mut proxy = start(SETTINGS());
    proxy.set_payload("[1]");
    proxy.set_payload("[2]");
    let opening = Client::connect(&proxy.url()).open_stream("last-event-id: 1\r\n");
    assert_eq!(opening, "retry: 10000\n\nid: 2 \nevent: features\ndata: [2]\n\n");

    proxy.kill();
    proxy.set_payload("[3]");
    proxy.start_again();
    wait_until_able(&proxy);
    let mut client = Client::connect(&proxy.url());
    assert_eq!(client.get_features().1, b"[3]");
    assert_eq!(client.open_stream("last-event-id: 1\r\n"), "retry: 10000\n\n");
    proxy.set_payload("[4]");
    assert_eq!(client.chunk().unwrap(), "id: 1 \nevent: features\ndata: [4]\n\n");
}

#[test]
fn api_failure_does_not_take_a_kept_payload() {
    let settings = ProxySettings { stale_after: Duration::ZERO, ..SETTINGS() };
    let mut proxy = start(settings);
    proxy.set_payload_quietly("[1]");
    let mut client = Client::connect(&proxy.url());
    // A stale payload is served, and fetched again after that.
    assert_eq!(client.get_features().1, PAYLOAD.as_bytes());
    assert_eq!(client.get_features().1, b"[1]");
    proxy.set_api_reachable(false);
    proxy.set_payload_quietly("[2]");
    for _ in 0..2 {
        assert_eq!(client.get_features().1, b"[1]");
    }
    proxy.terminate();
    proxy.start_again();
    assert_eq!(Client::connect(&proxy.url()).get_features().0.status, 503);
}

#[test]
fn stream_of_a_gone_client_is_closed() {
    let proxy = start(SETTINGS());
    let mut client = Client::connect(&proxy.url());
    client.open_stream("");
    drop(client);
    assert!(proxy.wait_for_streams(0, PATIENCE));
}
