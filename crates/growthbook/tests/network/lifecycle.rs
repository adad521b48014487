//! From start to close.

use std::time::{Duration, Instant};

use growthbook::{PayloadSource, Refresh, StreamState};
use test_server::FeaturesServer;

use crate::support::{PATIENCE, builder, eventually, flag, payload};

#[test]
fn a_client_fetches_streams_and_is_closed() {
    let server = FeaturesServer::start(&payload(1));
    let client = builder(&server).start().unwrap();
    let ready = client.wait_ready(PATIENCE).unwrap();
    assert_eq!(ready.source, PayloadSource::Network);
    assert_eq!(flag(&client), 1);
    eventually("a stream", || matches!(client.status().stream, StreamState::Open));
    // The catch-up fetch.
    eventually("a fetch", || client.status().counters.not_modified == 1);

    let start = Instant::now();
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    println!("{:?}", start.elapsed());

    let start = Instant::now();
    client.close(PATIENCE).unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(flag(&client), 2);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn a_manual_client_asks_when_told_to() {
    let server = FeaturesServer::start(&payload(1));
    let client = builder(&server).refresh(Refresh::Manual).start().unwrap();
    assert_eq!(server.counts().requests, 0);
    client.wait_ready(PATIENCE).unwrap();
    assert_eq!(flag(&client), 1);
    server.set_payload(&payload(2));
    client.refresh().unwrap();
    assert_eq!(flag(&client), 2);
    assert_eq!(server.counts().features, 2);
}
