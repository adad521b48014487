//! Spans and metrics of fetches and streams.

use std::time::{Duration, Instant};

use growthbook::cache::MemoryCache;
use growthbook::tracking::{MetricsPlugin, TracingPlugin};
use growthbook::{Client, ClientBuilder, Connected, Refresh};
use serde_json::{Value, json};
use test_server::{FeaturesServer, Reply};

use crate::recorder;
use crate::subscriber;
use crate::support::payload;

const CLIENT_KEY: &str = "sdk-k3yThatNobodyReads";
const HEADER: &str = "h3aderThatNobodyReads";

/// No test waits this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(45);

fn builder(server: &FeaturesServer) -> ClientBuilder<Connected> {
    let cache = MemoryCache::new(growthbook::cache::DEFAULT_MEMORY_CACHE_ENTRIES);
    Client::builder(CLIENT_KEY)
        .api_host(server.url())
        .cache(cache)
        .fetch_options(|options| options.api_header("authorization", HEADER))
        .plugin(TracingPlugin::new())
}

/// Returns a client that fetches on the thread of the test.
fn manual(server: &FeaturesServer) -> Client {
    builder(server).refresh(Refresh::Manual).start().unwrap()
}

#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_fetch_is_a_span() {
    let server = FeaturesServer::start(&payload().to_string());
    let client = manual(&server);
    server.script_features([
        Reply::normal(),
        Reply::normal(),
        Reply::status(503),
        Reply::status(200).body("no payload"),
        Reply::close(),
        // The request that follows a closed connection is repeated once.
        Reply::close(),
    ]);
    let url = server.url();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let cases = [
        json!({"http.response.status_code": 200, "growthbook.fetch.result": "payload"}),
        json!({"http.response.status_code": 304, "growthbook.fetch.result": "not_modified"}),
        json!({
            "http.response.status_code": 503, "growthbook.fetch.result": "failed",
            "error.type": "503", "otel.status_code": "ERROR",
        }),
        json!({
            "http.response.status_code": 200, "growthbook.fetch.result": "failed",
            "error.type": "payload", "otel.status_code": "ERROR",
        }),
        json!({
            "growthbook.fetch.result": "failed",
            "error.type": "interrupted", "otel.status_code": "ERROR",
        }),
    ];
    let subscriber = subscriber::Memory::default();
    for case in cases {
        let recorded = subscriber.record(|| drop(client.refresh()));
        let [span] = recorded.as_slice() else { panic!("{recorded:?}") };
        let described = (span.name, span.target, span.level.as_str());
        assert_eq!(described, ("growthbook.fetch", "growthbook::fetch", "INFO"));
        assert_eq!((span.entered, span.is_closed), (1, true));
        let mut expected = case.as_object().unwrap().clone();
        expected.extend([
            ("otel.kind".to_owned(), json!("client")),
            ("http.request.method".to_owned(), json!("GET")),
            ("url.scheme".to_owned(), json!("http")),
            ("server.address".to_owned(), json!("127.0.0.1")),
            ("server.port".to_owned(), json!(port)),
        ]);
        assert_eq!(Value::from(span.fields.clone()), Value::from(expected));
        let text = format!("{recorded:?}");
        assert!(!text.contains(CLIENT_KEY) && !text.contains(HEADER), "{text}");
    }
}

#[test]
fn refused_key_is_not_in_the_span() {
    let server = FeaturesServer::start(&payload().to_string());
    server.always_features(Reply::status(403).body(CLIENT_KEY));
    let client = manual(&server);
    let recorded = subscriber::Memory::default().record(|| drop(client.refresh()));
    let text = format!("{recorded:?}");
    assert!(text.contains("403") && !text.contains(CLIENT_KEY), "{text}");
}

#[test]
fn panic_of_a_subscriber_costs_no_fetch() {
    let server = FeaturesServer::start(&payload().to_string());
    let client = manual(&server);
    subscriber::Memory::panicking().record(|| client.refresh().unwrap());
    assert_eq!(client.for_user("u").feature_value("default", 0), 7);
    assert_eq!(client.status().counters.failures, 0);
}

#[test]
fn fetches_are_counted() {
    let server = FeaturesServer::start(&payload().to_string());
    let recorder = recorder::Memory::default();
    recorder.record(|| {
        let client = builder(&server).refresh(Refresh::Manual).plugin(MetricsPlugin::new());
        let client = client.start().unwrap();
        server.script_features([Reply::normal(), Reply::normal(), Reply::status(500)]);
        for _ in 0..3 {
            let _ = client.refresh();
        }
        let counters = client.status().counters;
        assert_eq!((counters.fetches, counters.failures, counters.not_modified), (3, 1, 1));
    });
    let expected = [
        ("growthbook_fetch_failures_total", 1),
        ("growthbook_fetches_not_modified_total", 1),
        ("growthbook_fetches_total", 3),
        ("growthbook_payloads_applied_total", 1),
        ("growthbook_refresh_failures_total", 1),
    ];
    let counters: Vec<_> = recorder.counters();
    for (name, count) in expected {
        assert_eq!(recorder.counter(name), count, "{name} in {counters:?}");
    }
    let described = recorder.described();
    for (name, _) in counters {
        assert!(described.contains(&name), "{name}");
    }
}

/// The recorder of the whole process, because streams are read on another thread. No other test
/// has a stream.
#[test]
fn streams_are_counted() {
    const OPEN: &str = "growthbook_streams_open";
    const OPENED: &str = "growthbook_streams_opened_total";
    const RECONNECTS: &str = "growthbook_stream_reconnects_total";
    let recorder = recorder::Memory::default();
    assert!(metrics::set_global_recorder(recorder.clone()).is_ok());
    let server = FeaturesServer::start(&payload().to_string());
    server.set_streaming(true);
    let client = builder(&server).start().unwrap();
    eventually("stream", || recorder.gauge(OPEN) == Some(1.0));
    assert_eq!((recorder.counter(OPENED), recorder.counter(RECONNECTS)), (1, 0));

    server.push(b"retry: 0\n\n");
    server.push_update_notice();
    eventually("event", || recorder.counter("growthbook_stream_events_total") == 1);
    server.end_streams();
    eventually("second stream", || recorder.counter(OPENED) >= 2);
    eventually("open stream", || recorder.gauge(OPEN) == Some(1.0));
    assert!(recorder.counter(RECONNECTS) >= 1);
    let counters = client.status().counters;
    assert!(counters.stream_reconnects + 1 >= counters.streams_opened);

    client.close(PATIENCE).unwrap();
    eventually("closed stream", || recorder.gauge(OPEN) == Some(0.0));
}
