//! TLS to a server with a certificate of its own.
//!
//! In these tests rustls does not choose a cryptography provider by itself, as in a program with two.

use std::error::Error;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{
    RedisLoader, RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreErrorKind,
};
use redis::{Client, TlsCertificates};
use test_server::redis::{RedisOptions, RedisServer};

use crate::support::{document, key, kind, load, patient};

fn server() -> RedisServer {
    RedisServer::start_with(RedisOptions::new().tls(&["localhost"]))
}

fn client(server: &RedisServer, host: &str) -> Client {
    Client::open(server.tls_url(host)).unwrap()
}

/// Returns options that trust this certificate.
fn trusting(root_pem: &str) -> RedisStickyBucketOptions {
    let root_cert = Some(root_pem.as_bytes().to_vec());
    let certificates = TlsCertificates { client_tls: None, root_cert };
    patient().certificates(&certificates).unwrap()
}

#[test]
fn private_ca_is_trusted() {
    let server = server();
    let client = client(&server, "localhost");
    let store = RedisStickyBucketStore::with_options(client, trusting(server.root_pem()));
    let saved = document("id", "1", &[("a__0", "0")]);
    store.save(&saved).unwrap();
    assert_eq!(load(&store, "1"), Some(saved));
}

#[tokio::test]
async fn loader_trusts_a_private_ca() {
    let server = server();
    let client = client(&server, "localhost");
    let loader = RedisLoader::with_options(client, trusting(server.root_pem()));
    let saved = document("id", "1", &[("a__0", "0")]);
    loader.save(std::slice::from_ref(&saved)).await.unwrap();
    let loaded = loader.load(&[key("id", "1")]).await.unwrap();
    assert_eq!(loaded.get("id", "1"), Some(&saved));
}

#[tokio::test]
async fn untrusted_certificate_is_named() {
    let (server, other) = (server(), server());
    let not_trusted = "certificate is not from a trusted CA";
    let other_host = "certificate is for another host name";
    let cases = [
        ("localhost", other.root_pem(), not_trusted),
        ("127.0.0.1", server.root_pem(), other_host),
    ];
    for (host, root_pem, problem) in cases {
        let (client, options) = (client(&server, host), trusting(root_pem));
        let store = RedisStickyBucketStore::with_options(client.clone(), options.clone());
        let error = store.get_all(&[key("id", "1")]).unwrap_err();
        assert_eq!(kind(&error), RedisStoreErrorKind::Unreachable);
        let text = error.source().unwrap().to_string();
        assert!(text.contains(problem), "{text}");

        let loader = RedisLoader::with_options(client, options);
        let error = loader.load(&[key("id", "1")]).await.unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
}
