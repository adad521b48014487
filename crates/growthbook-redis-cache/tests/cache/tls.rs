//! TLS to a server with a certificate of its own.
//!
//! In these tests rustls does not choose a cryptography provider by itself, as in a program with two.

use std::error::Error;
use std::sync::mpsc;

use growthbook_core::cache::{FetchLease, PayloadCache};
use growthbook_redis_cache::RedisCache;
use redis::{Client, TlsCertificates};
use test_server::redis::{RedisOptions, RedisReply, RedisServer};

use crate::{LONG, PATIENCE, PLAIN, eventually, key, payload};

fn server() -> RedisServer {
    RedisServer::start_with(RedisOptions::new().tls(&["localhost"]))
}

/// Makes a cache that trusts this certificate.
fn cache(server: &RedisServer, host: &str, root_pem: &str) -> RedisCache {
    let root_cert = Some(root_pem.as_bytes().to_vec());
    let certificates = TlsCertificates { client_tls: None, root_cert };
    let client = Client::build_with_tls(server.tls_url(host), certificates).unwrap();
    RedisCache::new(client).deadline(LONG)
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

fn error_text(cache: &RedisCache) -> String {
    let error = cache.get(&key()).unwrap_err();
    error.source().unwrap().to_string()
}
