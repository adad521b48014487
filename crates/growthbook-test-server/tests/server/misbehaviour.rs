//! Tests of scripted replies.

use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use growthbook_test_server::{FeaturesServer, Gate, Reply};

use crate::client::{Client, PATIENCE, PAYLOAD};

#[test]
fn scripted_replies_come_before_the_permanent_one() {
    let server = FeaturesServer::start(PAYLOAD);
    server.always_features(Reply::status(500));
    server.script_features([Reply::status(503).header("Retry-After", "1").body("busy")]);
    server.script_features([
        Reply::redirect(302, "/elsewhere"),
        Reply::normal().header("ETag", "\"mine\""),
    ]);
    server.script_stream([Reply::status(400)]);

    let mut client = Client::connect(&server.url());
    let (head, body) = client.get_features();
    assert_eq!((head.status, body.as_slice()), (503, &b"busy"[..]));
    assert_eq!(head.header("Retry-After"), Some("1"));
    let (head, _) = client.get_features();
    assert_eq!((head.status, head.header("location")), (302, Some("/elsewhere")));
    let (head, _) = client.get_features();
    assert_eq!((head.status, head.header("ETag")), (200, Some("\"mine\"")));
    assert_eq!(head.header("etag"), None);
    for _ in 0..2 {
        assert_eq!(client.get_features().0.status, 500);
    }
    server.always_features(None);
    assert_eq!(client.get_features().0.status, 200);
    assert_eq!(client.get("/sub/sdk-1", "").0.status, 400);
    client.open_stream("");
    assert_eq!(server.counts().connections, 1);
}

#[test]
fn raw_bytes_are_sent_unchanged() {
    let server = FeaturesServer::start(PAYLOAD);
    server.script_features([Reply::raw("HTP/7 what\n"), Reply::close()]);
    for expected in ["HTP/7 what\n", ""] {
        let mut client = Client::connect(&server.url());
        client.send("/api/features/sdk-1", "");
        assert_eq!(client.rest(), expected);
    }
    server.always_stream(Reply::raw_then_hang("HTTP/1.1 200"));
    let mut client = Client::connect(&server.url());
    client.send("/sub/sdk-1", "");
    assert_eq!(client.bytes(12), b"HTTP/1.1 200");
    assert!(client.is_silent());
    // More input does not end the silence.
    client.send("/sub/sdk-1", "");
    assert!(client.is_silent());
    drop(client);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    assert_eq!((server.counts().streams, server.counts().open_streams), (1, 0));
}

#[test]
fn body_can_end_too_early() {
    let server = FeaturesServer::start(PAYLOAD);
    server.script_features([Reply::truncated(5), Reply::truncated(0), Reply::stalled(5)]);
    for length in [5, 0, 5] {
        let mut client = Client::connect(&server.url());
        client.send("/api/features/sdk-1", "");
        let head = client.head();
        assert_eq!(head.header("content-length"), Some(PAYLOAD.len().to_string().as_str()));
        assert_eq!(client.bytes(length), PAYLOAD.as_bytes()[..length]);
        let is_last = server.counts().features == 3;
        assert_eq!(client.is_silent(), is_last);
        if !is_last {
            assert_eq!(client.rest(), "");
        }
    }
}

#[test]
fn stream_can_end_in_the_middle_of_an_event() {
    let server = FeaturesServer::start(PAYLOAD);
    server.script_stream([Reply::truncated(20), Reply::stalled(20), Reply::truncated(0)]);
    for cut in ["truncated", "stalled"] {
        let mut client = Client::connect(&server.url());
        client.open_stream("");
        server.set_payload("[]");
        if cut == "stalled" {
            assert_eq!(client.bytes(10), b"21\r\nid: 2 ");
            assert!(client.is_silent());
            assert_eq!(server.counts().open_streams, 0);
            assert_eq!(server.counts().open_connections, 1);
        } else {
            assert_eq!(client.rest(), "21\r\nid: 1 ");
            assert_eq!(server.counts().open_connections, 0);
        }
    }
    let mut client = Client::connect(&server.url());
    client.send("/sub/sdk-1", "");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.rest(), "");
}

#[test]
fn delayed_reply_has_the_later_payload() {
    let server = FeaturesServer::start(PAYLOAD);
    let delay = Duration::from_millis(60);
    server.script_features([Reply::delayed(delay, Reply::normal())]);
    let mut client = Client::connect(&server.url());
    let before = Instant::now();
    client.send("/api/features/sdk-1", "");
    assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
    server.set_payload("{}");
    let (head, body) = (client.head(), client.bytes(2));
    assert_eq!((head.status, body.as_slice()), (200, &b"{}"[..]));
    assert!(before.elapsed() >= delay);

    server.script_features([Reply::delayed(Duration::from_secs(600), Reply::normal())]);
    client.send("/api/features/sdk-1", "");
    drop(client);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn held_reply_is_sent_when_the_gate_opens() {
    let server = FeaturesServer::start(PAYLOAD);
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let mut client = Client::connect(&server.url());
    client.send("/api/features/sdk-1", "");
    assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
    assert!(client.is_silent());
    server.set_payload("{}");
    gate.open();
    let (head, body) = (client.head(), client.bytes(2));
    assert_eq!((head.status, body.as_slice()), (200, &b"{}"[..]));

    server.script_features([Reply::held(&Gate::closed(), Reply::normal())]);
    client.send("/api/features/sdk-1", "");
    drop(client);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn gzip_body_can_be_corrupt_or_a_bomb() {
    let server = FeaturesServer::start(PAYLOAD);
    server.script_features([Reply::corrupt_gzip(), Reply::gzip_bomb(1 << 20)]);
    let mut client = Client::connect(&server.url());
    let (head, body) = client.get_features();
    assert_eq!((head.status, head.header("content-encoding")), (200, Some("gzip")));
    assert!(GzDecoder::new(body.as_slice()).read_to_end(&mut Vec::new()).is_err());

    let (head, body) = client.get_features();
    assert_eq!((head.status, head.header("content-encoding")), (200, Some("gzip")));
    assert!(body.len() < 10_000, "{}", body.len());
    let mut unpacked = String::new();
    GzDecoder::new(body.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), 1 << 20);
    assert_eq!(unpacked.trim(), r#"{"features":{}}"#);
}
