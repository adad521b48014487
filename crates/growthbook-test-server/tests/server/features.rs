//! Tests of normal replies to features requests.

use std::io::Read;
use std::time::Instant;

use flate2::read::GzDecoder;
use growthbook_test_server::FeaturesServer;

use crate::client::{Client, PAYLOAD};

#[test]
fn connection_serves_many_requests() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    let before = Instant::now();
    for _ in 0..3 {
        let (head, body) = client.get_features();
        assert_eq!((head.status, body.as_slice()), (200, PAYLOAD.as_bytes()));
        assert_eq!(head.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(head.header("x-sse-support"), Some("enabled"));
        assert!(head.header("etag").unwrap().starts_with("W/\""));
    }
    let (head, body) = client.get("/elsewhere", "Some-Header: x\r\nconnection: close\r\n");
    assert_eq!((head.status, body.as_slice()), (404, &b"Not Found"[..]));
    assert_eq!(head.header("connection"), Some("close"));
    assert_eq!(client.rest(), "");

    let counts = server.counts();
    assert_eq!((counts.connections, counts.open_connections), (1, 0));
    assert_eq!((counts.requests, counts.features, counts.streams), (4, 3, 0));
    let requests = server.requests();
    assert_eq!(requests[0].path, "/api/features/sdk-1");
    assert_eq!(requests[3].path, "/elsewhere");
    assert_eq!(requests[3].method, "GET");
    assert_eq!(requests[3].header("some-header"), Some("x"));
    assert_eq!(requests[3].connection, 1);
    assert!(before <= requests[0].received && requests[0].received <= requests[3].received);
}

#[test]
fn etag_saves_the_body_until_the_payload_changes() {
    let server = FeaturesServer::start(PAYLOAD);
    let mut client = Client::connect(&server.url());
    let (head, _) = client.get_features();
    let etag = head.header("etag").unwrap();
    let conditional = format!("if-none-match: {etag}\r\n");

    let (head, body) = client.get("/api/features/sdk-1", &conditional);
    assert_eq!((head.status, body.len()), (304, 0));
    assert_eq!(head.header("etag"), Some(etag));
    assert_eq!(head.header("x-sse-support"), Some("enabled"));
    assert_eq!(head.header("content-length"), None);
    assert_eq!(server.counts().not_modified, 1);

    let forced = format!("{conditional}cache-control: no-cache\r\n");
    assert_eq!(client.get("/api/features/sdk-1", &forced).0.status, 200);

    server.set_payload_quietly("{}");
    let (head, body) = client.get("/api/features/sdk-1", &conditional);
    assert_eq!((head.status, body.as_slice()), (200, &b"{}"[..]));
    assert_ne!(head.header("etag"), Some(etag));

    server.set_payload_quietly(PAYLOAD);
    server.set_etags(false);
    let (head, _) = client.get("/api/features/sdk-1", &conditional);
    assert_eq!((head.status, head.header("etag")), (200, None));
    assert_eq!(server.counts().not_modified, 1);
}

#[test]
fn only_clients_that_accept_gzip_get_it() {
    let server = FeaturesServer::start(PAYLOAD);
    server.set_gzip(true);
    let mut client = Client::connect(&server.url());
    let (head, body) = client.get("/api/features/sdk-1", "accept-encoding: gzip\r\n");
    assert_eq!(head.header("content-encoding"), Some("gzip"));
    let mut unpacked = String::new();
    GzDecoder::new(body.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, PAYLOAD);

    let (head, body) = client.get_features();
    assert_eq!((head.header("content-encoding"), body.as_slice()), (None, PAYLOAD.as_bytes()));
}

#[test]
fn streaming_can_be_turned_off() {
    let server = FeaturesServer::start(PAYLOAD);
    server.set_streaming(false);
    let mut client = Client::connect(&server.url());
    assert_eq!(client.get_features().0.header("x-sse-support"), None);
    assert_eq!(client.get("/sub/sdk-1", "").0.status, 404);
    assert_eq!((server.counts().streams, server.counts().open_streams), (1, 0));
}
