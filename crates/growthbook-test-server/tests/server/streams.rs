//! Tests of normal streams.

use std::time::Duration;

use growthbook_test_server::FeaturesServer;

use crate::client::{Client, PATIENCE, PAYLOAD};

#[test]
fn payload_reaches_every_stream() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut clients = [Client::connect(&server.url()), Client::connect(&server.url())];
    for client in &mut clients {
        client.send("/sub/sdk-1", "");
        let head = client.head();
        assert_eq!(head.status, 200);
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        assert_eq!(head.header("x-sse-support"), None);
        assert_eq!(client.chunk().unwrap(), "retry: 10000\n\n");
    }
    assert_eq!((server.counts().streams, server.counts().open_streams), (2, 2));

    server.set_payload_quietly("[]");
    server.set_payload("{\n\"features\":{}}");
    server.push_update_notice();
    server.push(b"");
    server.push(b": raw");
    for client in &mut clients {
        let event = "id: 1 \nevent: features\ndata: {\"features\":{}}\n\n";
        assert_eq!(client.chunk().unwrap(), event);
        assert_eq!(client.chunk().unwrap(), "id: 2 \nevent: features-updated\ndata: \n\n");
        assert_eq!(client.chunk().unwrap(), ": raw");
    }
    let (_, body) = Client::connect(&server.url()).get_features();
    assert_eq!(body, b"{\n\"features\":{}}");
}

#[test]
fn client_that_missed_events_gets_the_newest() {
    let server = FeaturesServer::start(PAYLOAD);
    server.set_payload("[1]");
    server.set_payload("[2]");
    let opening = Client::connect(&server.url()).open_stream("last-event-id: 1\r\n");
    assert_eq!(opening, "retry: 10000\n\nid: 2 \nevent: features\ndata: [2]\n\n");
    let opening = Client::connect(&server.url()).open_stream("last-event-id: 2\r\n");
    assert_eq!(opening, "retry: 10000\n\n");
}

#[test]
fn connection_is_usable_after_a_stream_ends() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    for round in 1..=3 {
        client.open_stream("");
        server.push(b"last words");
        server.end_streams();
        assert_eq!(client.chunk().unwrap(), "last words");
        assert_eq!(client.chunk(), None);
        assert_eq!((server.counts().streams, server.counts().open_streams), (round, 0));
        assert!(client.is_silent());
    }
    assert_eq!(client.get_features().0.status, 200);
    assert_eq!(server.counts().connections, 1);
}

#[test]
fn stream_with_connection_close_ends_connection() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    client.open_stream("connection: close\r\n");
    server.end_streams();
    assert_eq!(client.rest(), "0\r\n\r\n");
    assert_eq!(server.counts().open_connections, 0);
}

#[test]
fn stream_ends_after_its_lifetime() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    client.open_stream("");
    server.set_stream_lifetime(Some(Duration::from_millis(20)));
    assert_eq!(client.chunk(), None);
    client.open_stream("");
    assert_eq!(client.chunk(), None);
}

#[test]
fn server_pings_streams() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    client.open_stream("");
    assert!(client.is_silent());
    server.set_ping_interval(Duration::from_millis(10));
    for _ in 0..3 {
        assert_eq!(client.chunk().unwrap(), "data: \n\n");
    }
}

#[test]
fn silent_server_sends_delayed_events_later() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut before = Client::connect(&server.url());
    before.open_stream("");
    server.set_silent(true);
    let mut after = Client::connect(&server.url());
    after.open_stream("");
    server.push(b"x");
    server.set_stream_lifetime(Some(Duration::from_millis(1)));
    for client in [&mut before, &mut after] {
        assert!(client.is_silent());
    }
    assert_eq!(server.counts().open_streams, 2);
    server.set_silent(false);
    for client in [&mut before, &mut after] {
        assert_eq!(client.chunk().unwrap(), "x");
        assert_eq!(client.chunk(), None);
    }
}

#[test]
fn server_notices_that_a_client_hung_up() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    client.open_stream("");
    assert!(!server.wait_until(Duration::ZERO, |counts| counts.open_streams == 0));
    drop(client);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_streams == 0));
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}
