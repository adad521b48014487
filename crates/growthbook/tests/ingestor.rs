//! A client with the plugin that sends events to GrowthBook's ingestor.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::time::Duration;

use growthbook::ingestor::{IngestorTracking, TrackingOptions};
use growthbook::{Client, Refresh};
use serde_json::Value;
use test_server::FeaturesServer;

const LONG: Duration = Duration::from_secs(60);

const PAYLOAD: &str = r#"{"features": {"exp": {"rules": [{"key": "exp", "variations": [0, 1]}]}}}"#;

/// Returns a client and its plugin, after a user took part in an experiment.
fn used_client(server: &FeaturesServer) -> (Client, IngestorTracking) {
    let options = TrackingOptions::new().host(server.url()).interval(LONG).drop_deadline(LONG);
    let tracking = IngestorTracking::new(options).unwrap();
    let client = Client::builder("sdk-abc123")
        .api_host(server.url())
        .refresh(Refresh::Manual)
        .plugin(tracking.clone())
        .start()
        .unwrap();
    client.refresh().unwrap();
    let gb = client.for_user("user-1");
    gb.is_on("exp");
    gb.is_on("exp");
    gb.log_event("Purchase", [("amount", 12.into())]);
    (client, tracking)
}

fn names(server: &FeaturesServer) -> Vec<Value> {
    let is_tracking = |path: &str| path == "/track?client_key=sdk-abc123";
    let requests = server.requests().into_iter().filter(|request| is_tracking(&request.path));
    let bodies = requests.map(|request| serde_json::from_slice::<Vec<Value>>(&request.body));
    bodies.flat_map(Result::unwrap).map(|event| event["event_name"].clone()).collect()
}

#[test]
fn closing_the_client_sends_its_events() {
    let server = FeaturesServer::start(PAYLOAD);
    let (client, tracking) = used_client(&server);
    client.close(LONG).unwrap();
    assert_eq!(names(&server), ["Experiment Viewed", "Feature Evaluated", "Purchase"]);
    assert_eq!((tracking.status().sent, tracking.status().duplicates), (3, 1));
}

#[test]
fn dropping_the_client_sends_its_events() {
    let server = FeaturesServer::start(PAYLOAD);
    let (client, tracking) = used_client(&server);
    drop(tracking);
    drop(client);
    assert_eq!(names(&server).len(), 3);
}
