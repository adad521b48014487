//! Tests of the server with TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use growthbook_test_server::{FeaturesServer, Reply};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Client, PATIENCE, PAYLOAD};

type TlsClient = Client<StreamOwned<ClientConnection, TcpStream>>;

fn socket(server: &FeaturesServer) -> TcpStream {
    let port = server.url().strip_prefix("https://localhost:").unwrap().parse().unwrap();
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn connect(server: &FeaturesServer, roots: RootCertStore) -> TlsClient {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    Client::new(StreamOwned::new(connection, socket(server)))
}

fn trusting(server: &FeaturesServer) -> TlsClient {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(server.root_certificate_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    connect(server, roots)
}

#[test]
fn features_and_streams_are_served() {
    let server = FeaturesServer::start_tls(PAYLOAD);
    let mut client = trusting(&server);
    let (head, body) = client.get_features();
    assert_eq!((head.status, body.as_slice()), (200, PAYLOAD.as_bytes()));

    client.open_stream("");
    let large = format!("[{}]", " ".repeat(1_000_000));
    server.set_payload(&large);
    let event = format!("id: 1 \nevent: features\ndata: {large}\n\n");
    assert_eq!(client.chunk().unwrap(), event);
    server.end_streams();
    assert_eq!(client.chunk(), None);
    assert_eq!(client.get_features().1, large.as_bytes());
    assert_eq!(server.counts().connections, 1);
}

#[test]
fn only_a_regular_end_sends_close_notify() {
    let server = FeaturesServer::start_tls(PAYLOAD);
    server.script_features([Reply::raw("end"), Reply::truncated(3)]);
    let mut client = trusting(&server);
    client.send("/api/features/sdk-1", "");
    let mut received = String::new();
    client.socket.read_to_string(&mut received).unwrap();
    assert_eq!(received, "end");

    let mut client = trusting(&server);
    client.send("/api/features/sdk-1", "");
    client.head();
    assert_eq!(client.bytes(3), PAYLOAD.as_bytes()[..3]);
    let error = client.socket.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn client_must_trust_the_root() {
    let server = FeaturesServer::start_tls(PAYLOAD);
    let mut client = connect(&server, RootCertStore::empty());
    let error = client.socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    drop(client);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    assert_eq!((server.counts().connections, server.counts().requests), (1, 0));
}

#[test]
fn server_stops_during_handshake_and_stream() {
    let mut server = FeaturesServer::start_tls(PAYLOAD);
    let _before_handshake = socket(&server);
    let mut client = trusting(&server);
    client.open_stream("");
    server.push(&vec![b'x'; 32 << 20]);
    assert!(server.wait_until(PATIENCE, |counts| counts.connections == 2));
    let before = Instant::now();
    server.stop();
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    server.restart();
    assert_eq!(trusting(&server).get_features().0.status, 200);
}
