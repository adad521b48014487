//! Tracking against an ingestor that works, fails, hangs and restarts.
//!
//! No test depends on the speed of the machine: each waits for an event, or for a limit that the
//! test sets.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use growthbook_core::UserContext;
use growthbook_core::event::{CustomEvent, EventUser};
use growthbook_core::plugin::{Plugin, PluginOwner};
use growthbook_tracking::{
    ConnectionConfigError, ConnectionOptions, IngestorTracking, TrackingConfigError,
    TrackingOptions,
};
use serde_json::{Map, Value};
use test_server::{FeaturesServer, Gate, Reply};

const LONG: Duration = Duration::from_secs(60);

fn options(server: &FeaturesServer) -> TrackingOptions {
    TrackingOptions::new().host(server.url()).client_key("sdk-secret").drop_deadline(Duration::ZERO)
}

fn log_events(tracking: &IngestorTracking, count: usize) {
    let (user, properties) = (UserContext::new("u1"), Map::new());
    for event in 0..count {
        let name = format!("event {event}");
        tracking.event(&CustomEvent::new(&name, &properties, EventUser::new(&user), 0));
    }
}

/// Returns the number of events in each request.
fn batches(server: &FeaturesServer) -> Vec<usize> {
    let bodies = server.requests().into_iter().map(|request| request.body);
    bodies.map(|body| serde_json::from_slice::<Vec<Value>>(&body).unwrap().len()).collect()
}

#[test]
fn request_is_that_of_the_javascript_sdk() {
    let server = FeaturesServer::start("{}");
    let tracking = IngestorTracking::new(options(&server)).unwrap();
    log_events(&tracking, 2);
    tracking.close(LONG).unwrap();
    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/track?client_key=sdk-secret")
    );
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("content-type"), Some("text/plain"));
    let events: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(events[1]["event_name"], "event 1");
    assert_eq!(events[1]["device_id"], "u1");
    let status = tracking.status();
    assert_eq!((status.sent, status.queued, status.lost.total()), (2, 0, 0));
    assert!(status.last_error.is_none());
}

#[test]
fn client_key_of_the_client_is_used() {
    let server = FeaturesServer::start("{}");
    let options = TrackingOptions::new().host(server.url());
    let tracking = IngestorTracking::new(options).unwrap();
    log_events(&tracking, 1);
    assert_eq!(tracking.status().lost.no_client_key, 1);
    tracking.start(&PluginOwner::new().with_client_key("a b&c"));
    log_events(&tracking, 1);
    tracking.close(LONG).unwrap();
    assert_eq!(server.requests()[0].path, "/track?client_key=a+b%26c");
}

#[test]
fn closing_sends_everything_in_full_batches() {
    let server = FeaturesServer::start("{}");
    let options = options(&server).interval(LONG).batch_size(NonZeroUsize::new(10).unwrap());
    let tracking = IngestorTracking::new(options).unwrap();
    log_events(&tracking, 25);
    tracking.close(LONG).unwrap();
    assert_eq!(batches(&server), [10, 10, 5]);
    log_events(&tracking, 1);
    assert_eq!(tracking.status().lost.closed, 1);
}

#[test]
fn dropping_the_last_handle_sends_the_rest() {
    let server = FeaturesServer::start("{}");
    let options = options(&server).interval(LONG).drop_deadline(LONG);
    let tracking = IngestorTracking::new(options).unwrap();
    let plugin: Box<dyn Plugin> = Box::new(tracking.clone());
    log_events(&tracking, 3);
    drop(tracking);
    assert_eq!(server.counts().tracks, 0);
    drop(plugin);
    assert_eq!(batches(&server), [3]);
}

#[test]
fn failed_requests_are_repeated() {
    let server = FeaturesServer::start("{}");
    // A connection that closes at once is not one that was kept too long.
    server.script_tracks([Reply::close(), Reply::status(500)]);
    let tracking = IngestorTracking::new(options(&server)).unwrap();
    log_events(&tracking, 2);
    tracking.flush(LONG).unwrap();
    let status = tracking.status();
    assert_eq!((status.sent, status.failed_requests, status.lost.total()), (2, 2, 0));
    assert_eq!(status.last_error, None);
    // No event is lost or repeated, apart from whole requests.
    assert!(batches(&server).iter().all(|events| *events == 2));
}

#[test]
fn refused_events_are_lost_and_counted() {
    let server = FeaturesServer::start("{}");
    for status in [400, 401, 403, 404, 206, 301] {
        server.script_tracks([Reply::status(status)]);
        let tracking = IngestorTracking::new(options(&server)).unwrap();
        log_events(&tracking, 2);
        tracking.flush(LONG).unwrap();
        let tracked = tracking.status();
        assert_eq!((tracked.sent, tracked.lost.refused), (0, 2), "{status}");
        let error = tracked.last_error.unwrap();
        assert_eq!(error.status(), Some(status));
        assert!(!error.to_string().contains("sdk-secret"));
    }
}

#[test]
fn large_batch_is_divided() {
    let server = FeaturesServer::start("{}");
    server.script_tracks([Reply::status(413)]);
    let tracking = IngestorTracking::new(options(&server)).unwrap();
    log_events(&tracking, 4);
    tracking.close(LONG).unwrap();
    assert_eq!(batches(&server)[..2], [4, 2]);
    assert_eq!(tracking.status().sent, 4);
}

#[test]
fn closing_does_not_wait_for_a_silent_ingestor() {
    let server = FeaturesServer::start("{}");
    server.always_tracks(Reply::raw_then_hang(""));
    let tracking = IngestorTracking::new(options(&server)).unwrap();
    log_events(&tracking, 2);
    assert!(server.wait_until(LONG, |counts| counts.tracks == 1));
    let start = Instant::now();
    assert_eq!(tracking.close(Duration::from_millis(10)).unwrap_err().queued, 2);
    // The request would take 10 s.
    assert!(start.elapsed() < Duration::from_secs(9));
    assert_eq!(tracking.status().lost.closed, 2);
}

#[test]
fn full_queue_loses_new_events() {
    let server = FeaturesServer::start("{}");
    let gate = Gate::closed();
    server.script_tracks([Reply::held(&gate, Reply::status(200))]);
    let options = options(&server).capacity(NonZeroUsize::new(5).unwrap());
    let tracking = IngestorTracking::new(options).unwrap();
    log_events(&tracking, 5);
    assert!(server.wait_until(LONG, |counts| counts.tracks == 1));
    log_events(&tracking, 3);
    assert_eq!(tracking.status().lost.queue_full, 3);
    gate.open();
    tracking.flush(LONG).unwrap();
    log_events(&tracking, 1);
    tracking.close(LONG).unwrap();
    assert_eq!(tracking.status().sent, 6);
}

#[test]
fn filter_decides_what_is_sent() {
    let server = FeaturesServer::start("{}");
    let options = options(&server).event_filter(|event| event.name != "event 0");
    let tracking = IngestorTracking::new(options).unwrap();
    log_events(&tracking, 2);
    tracking.close(LONG).unwrap();
    assert_eq!(batches(&server), [1]);
}

#[test]
fn invalid_options_are_refused() {
    let of_host = |host: &str| IngestorTracking::new(TrackingOptions::new().host(host)).err();
    for host in
        ["", "example.com", "ftp://example.com", "https://a:b@example.com", "https://e.com/?a"]
    {
        assert_eq!(of_host(host), Some(TrackingConfigError::Host), "{host}");
    }
    assert_eq!(of_host("https://example.com/base/"), None);
    let connection = ConnectionOptions::new;
    let of = |options: TrackingOptions| IngestorTracking::new(options).err();
    assert_eq!(
        of(TrackingOptions::new().connection(connection().proxy("socks5://a:1"))),
        Some(ConnectionConfigError::Proxy.into())
    );
    let no_time = TrackingOptions::new().request_timeout(Duration::ZERO);
    assert_eq!(of(no_time), Some(TrackingConfigError::ZeroTimeout));
    let no_certificate = TrackingOptions::new().connection(connection().root_certificates("none"));
    let text = of(no_certificate).unwrap().to_string();
    assert!(text.starts_with("root_certificates"), "{text}");
}

#[test]
fn debug_output_has_no_key() {
    let server = FeaturesServer::start("{}");
    let options = options(&server);
    assert!(!format!("{options:?}").contains("sdk-secret"));
    let tracking = IngestorTracking::new(options).unwrap();
    assert!(!format!("{tracking:?}").contains("sdk-secret"));
}
