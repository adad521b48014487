//! Tests of the proxy and the black hole.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use growthbook_test_server::{BlackHole, FeaturesServer, ProxyServer};

use crate::client::{Client, PATIENCE, PAYLOAD};

#[test]
fn connect_opens_a_tunnel() {
    let server = FeaturesServer::start(PAYLOAD);
    let proxy = ProxyServer::start();
    let target = server.url().split_off("http://".len());
    let mut client = Client::connect(&proxy.url());
    write!(client.socket, "CONNECT {target} HTTP/1.1\r\nproxy-authorization: x\r\n\r\n").unwrap();
    assert_eq!(client.head().status, 200);
    for _ in 0..2 {
        assert_eq!(client.get_features().1, PAYLOAD.as_bytes());
    }
    client.open_stream("");
    server.push(b"x");
    assert_eq!(client.chunk().unwrap(), "x");
    server.hang_up();
    assert_eq!(client.rest(), "");

    let requests = proxy.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].method.as_str(), &requests[0].path), ("CONNECT", &target));
    assert_eq!(requests[0].header("Proxy-Authorization"), Some("x"));
}

#[test]
fn reply_of_a_dripping_proxy_has_no_end() {
    let server = FeaturesServer::start(PAYLOAD);
    let proxy = ProxyServer::start();
    proxy.drip(&server.url());
    let target = server.url().split_off("http://".len());
    let mut client = Client::connect(&proxy.url());
    write!(client.socket, "CONNECT {target} HTTP/1.1\r\n\r\n").unwrap();
    let head = "HTTP/1.1 200 Connection established\r\nx-drip: xxx";
    assert_eq!(client.bytes(head.len()), head.as_bytes());
    assert_eq!(server.counts().connections, 0);
}

#[test]
fn request_with_whole_url_is_forwarded() {
    let server = FeaturesServer::start(PAYLOAD);
    let proxy = ProxyServer::start();
    let url = format!("{}/api/features/sdk-1?x=1", server.url());
    let mut client = Client::connect(&proxy.url());
    let (head, body) = client.get(&url, "accept-encoding: gzip\r\n");
    assert_eq!((head.status, body.as_slice()), (200, PAYLOAD.as_bytes()));
    assert_eq!(head.header("connection"), Some("close"));
    assert_eq!(client.rest(), "");
    assert_eq!(proxy.requests()[0].path, url);
    let forwarded = &server.requests()[0];
    assert_eq!(forwarded.path, "/api/features/sdk-1?x=1");
    assert_eq!(forwarded.header("accept-encoding"), Some("gzip"));
}

#[test]
fn proxy_reports_unreachable_origin() {
    let proxy = ProxyServer::start();
    let mut server = FeaturesServer::start(PAYLOAD);
    server.stop();
    let mut client = Client::connect(&proxy.url());
    assert_eq!(client.get(&format!("{}/", server.url()), "").0.status, 502);
    assert_eq!(Client::connect(&proxy.url()).get("/", "").0.status, 400);
}

#[test]
fn proxy_stops_with_an_open_tunnel() {
    let server = FeaturesServer::start(PAYLOAD);
    let proxy = ProxyServer::start();
    let url = server.url();
    let mut client = Client::connect(&proxy.url());
    write!(client.socket, "CONNECT {} HTTP/1.1\r\n\r\n", &url["http://".len()..]).unwrap();
    assert_eq!(client.head().status, 200);
    client.open_stream("");
    let before = Instant::now();
    drop(proxy);
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    assert_eq!(client.rest(), "");
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn black_hole_neither_accepts_nor_refuses() {
    let hole = BlackHole::open();
    let address = hole.url().strip_prefix("http://").unwrap().parse().unwrap();
    for _ in 0..3 {
        let timeout = Duration::from_millis(50);
        let error = TcpStream::connect_timeout(&address, timeout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
