//! TLS to a server with a certificate of its own.
//!
//! In these tests rustls does not choose a cryptography provider by itself, as in a program with two.

use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

use growthbook_core::cache::{FetchLease, PayloadCache};
use growthbook_redis_cache::RedisCache;
use redis::{Client, TlsCertificates};
use test_server::redis::{EndlessRedis, RedisOptions, RedisReply, RedisServer};

use crate::{LONG, PATIENCE, PLAIN, eventually, in_time, key, payload};

const SHORT: Duration = Duration::from_millis(250);

fn server() -> RedisServer {
    RedisServer::start_with(RedisOptions::new().tls(&["localhost"]))
}

/// Makes a cache that trusts this certificate.
fn cache(server: &RedisServer, host: &str, root_pem: &str) -> RedisCache {
    let root_cert = Some(root_pem.as_bytes().to_vec());
    let certificates = TlsCertificates { client_tls: None, root_cert };
    let client = Client::open(server.tls_url(host)).unwrap();
    RedisCache::new(client).certificates(&certificates).unwrap().deadline(LONG)
}

#[test]
fn private_ca_is_trusted() {
    let server = server();
    let trusting = || cache(&server, "localhost", server.root_pem());
    let (one, other) = (trusting(), trusting());
    let (sender, notified) = mpsc::channel();
    let changed = Box::new(move || sender.send(()).unwrap());
    let watch = other.watch(&key(), changed).unwrap();
    eventually("a subscription", || {
        server.command(&["PUBSUB", "CHANNELS"]) != RedisReply::Array(Vec::new())
    });
    one.put(&key(), &payload(PLAIN)).unwrap();
    notified.recv_timeout(PATIENCE).unwrap();
    assert_eq!(other.get(&key()).unwrap(), Some(payload(PLAIN)));
    drop(watch);
    assert!(other.disconnect(PATIENCE));
}

#[test]
fn unknown_ca_is_named() {
    let (server, other) = (server(), server());
    let cache = cache(&server, "localhost", other.root_pem());
    let text = error_text(&cache);
    assert!(text.contains("certificate is not from a trusted CA"), "{text}");
}

#[test]
fn wrong_host_name_is_named() {
    let server = server();
    let cache = cache(&server, "127.0.0.1", server.root_pem());
    let text = error_text(&cache);
    assert!(text.contains("certificate is for another host name"), "{text}");
    assert!(!text.contains("127.0.0.1") && !text.contains("localhost"), "{text}");
}

/// The crate `redis` does not give away the certificates of a client.
#[test]
fn certificates_inside_a_client_are_refused() {
    let server = server();
    let root_cert = Some(server.root_pem().as_bytes().to_vec());
    let certificates = TlsCertificates { client_tls: None, root_cert };
    let url = server.tls_url("localhost");
    let client = Client::build_with_tls(&*url, certificates.clone()).unwrap();
    let text = error_text(&RedisCache::new(client.clone()).deadline(LONG));
    assert!(text.contains("set them with the option certificates"), "{text}");
    let cache = RedisCache::new(client).certificates(&certificates).unwrap().deadline(LONG);
    cache.get(&key()).unwrap();
}

#[test]
fn invalid_certificates_are_refused_at_the_start() {
    let server = server();
    let good = server.root_pem().as_bytes().to_vec();
    let with = |root: &[u8], client: Option<(&[u8], &[u8])>| TlsCertificates {
        root_cert: Some(root.to_vec()),
        client_tls: client.map(|(client_cert, client_key)| redis::ClientTlsConfig {
            client_cert: client_cert.to_vec(),
            client_key: client_key.to_vec(),
        }),
    };
    let (cut, pem) = (&good[..good.len() / 2], "-----BEGIN CERTIFICATE-----\n!\n");
    let cases = [
        with(b"", None),
        with(cut, None),
        with(pem.as_bytes(), None),
        with(&good, Some((&good, b""))),
    ];
    for certificates in cases {
        let client = Client::open("rediss://localhost").unwrap();
        assert!(RedisCache::new(client).certificates(&certificates).is_err());
    }
}

/// The server answers without end over TLS. Before, only silence ended a reply.
#[test]
fn endless_replies_over_tls_end() {
    let pause = Duration::from_millis(20);
    let (flood, huge) = (":1\r\n".repeat(10_000), format!("*{}\r\n", 1_u64 << 40));
    for (start, more, pause, deadline) in
        [("$1000000\r\n", "x", pause, SHORT), (&*huge, &*flood, Duration::ZERO, LONG * 60)]
    {
        let server = EndlessRedis::start_tls(start, more, pause);
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(server.root_pem().unwrap().as_bytes().to_vec()),
        };
        let cache = RedisCache::new(Client::open(server.url()).unwrap());
        let cache = cache.certificates(&certificates).unwrap().deadline(deadline);
        let failing = cache.clone();
        in_time("the error", move || {
            let text = error_text(&failing);
            assert!(text.contains("is larger than") || text.contains("deadline"), "{text}");
        });
        assert!(server.wait_until_closed(PATIENCE / 4), "{start:?}");
        in_time("the end of the thread", move || assert!(cache.disconnect(PATIENCE)));
    }
}

fn error_text(cache: &RedisCache) -> String {
    let error = cache.get(&key()).unwrap_err();
    error.source().unwrap().to_string()
}
