//! Encrypted payloads, and keys that do not decrypt them.

use growthbook::encryption::DecryptError;
use growthbook::fetch::{FetchErrorKind as Kind, StreamState};
use growthbook::{ClientBuilder, Connected, PayloadError, Refresh};
use serde_json::json;
use test_server::FeaturesServer;

use crate::support::{
    OFTEN, builder, eventually, failure, flag, is_streaming, payload, ready, refresh_anew,
    streaming,
};

const DECRYPTION_KEY: &str = "bmV0d29yay10ZXN0cy1rMQ==";
/// Features whose flag is 1, 2 or 7.
const ONE: &str = "AAECAwQFBgcICQoLDA0ODw==.Cw1SwAHg8RhJ1aDnh7wZhDwCCdIT6VQP+qRTzkQRQfw=";
const TWO: &str = "AAECAwQFBgcICQoLDA0ODw==.Cw1SwAHg8RhJ1aDnh7wZhMPZh0dslLL3QWh7LdhILMM=";
const SEVEN: &str = "AAECAwQFBgcICQoLDA0ODw==.Cw1SwAHg8RhJ1aDnh7wZhCsyBULiJQouIjZQDHkbXE0=";
/// Features that are encrypted with another key.
const UNDER_ANOTHER_KEY: &str =
    "AAECAwQFBgcICQoLDA0ODw==.K93+eQAVMt6OThVwaGvbW8iL9u3Y5xVZ3A6BD7xZYFU=";

const WRONG_KEY: Kind = Kind::Payload(PayloadError::Decrypt(DecryptError::WrongKey));

/// An encrypted payload as the API sends it, with an empty list of plain features.
pub(crate) fn encrypted(features: &str) -> String {
    json!({"features": {}, "encryptedFeatures": features}).to_string()
}

fn knowing(server: &FeaturesServer, key: &str) -> ClientBuilder<Connected> {
    builder(server).decryption_key(key.parse().unwrap())
}

#[test]
fn encrypted_payload_is_fetched_and_streamed() {
    let server = FeaturesServer::start(&encrypted(ONE));
    let client = streaming(knowing(&server, DECRYPTION_KEY));
    assert_eq!(flag(&client), 1);
    server.set_payload(&encrypted(TWO));
    eventually("the change", || flag(&client) == 2);
}

#[test]
fn fallback_may_be_encrypted() {
    let server = FeaturesServer::start(&encrypted(ONE));
    let builder = knowing(&server, DECRYPTION_KEY).fallback(encrypted(SEVEN));
    let client = builder.refresh(Refresh::Manual).start().unwrap();
    assert_eq!(flag(&client), 7);
    client.refresh().unwrap();
    assert_eq!(flag(&client), 1);
}

#[test]
fn undecryptable_payload_keeps_the_one_in_use() {
    let server = FeaturesServer::start(&encrypted(ONE));
    let client = ready(knowing(&server, DECRYPTION_KEY).refresh(OFTEN));
    server.set_payload_quietly(&encrypted(UNDER_ANOTHER_KEY));
    eventually("the failure", || failure(&client) == Some(WRONG_KEY));
    assert_eq!(flag(&client), 1);
    server.set_payload_quietly(&encrypted(TWO));
    eventually("the next payload", || flag(&client) == 2);
    eventually("the end of the failure", || failure(&client).is_none());
}

#[test]
fn undecryptable_event_does_not_end_the_stream() {
    let server = FeaturesServer::start(&encrypted(ONE));
    let client = streaming(knowing(&server, DECRYPTION_KEY));
    server.set_payload(&encrypted(UNDER_ANOTHER_KEY));
    eventually("the failure", || failure(&client) == Some(WRONG_KEY));
    assert!(is_streaming(&client) && flag(&client) == 1);
    server.set_payload(&encrypted(TWO));
    eventually("the next payload", || flag(&client) == 2);
    assert_eq!(client.status().counters.streams_opened, 1);
}

#[test]
fn wrong_key_affects_only_its_client() {
    let server = FeaturesServer::start(&encrypted(ONE));
    let right = streaming(knowing(&server, DECRYPTION_KEY));
    let wrong = knowing(&server, "bmV0d29yay10ZXN0cy1rMg==").fallback(payload(5)).start().unwrap();
    eventually("the failure", || failure(&wrong) == Some(WRONG_KEY));
    // The failure stays, although the server confirms the payload of the other client.
    refresh_anew(&right).unwrap();
    assert_eq!(refresh_anew(&wrong).unwrap_err().kind(), WRONG_KEY);
    assert_eq!((flag(&right), flag(&wrong)), (1, 5));
    assert_eq!((failure(&right), failure(&wrong)), (None, Some(WRONG_KEY)));

    server.set_payload(&encrypted(TWO));
    eventually("the change", || flag(&right) == 2);
    eventually("another failure", || wrong.status().last_error.unwrap().in_a_row == 2);
    assert_eq!((flag(&wrong), failure(&wrong)), (5, Some(WRONG_KEY)));
    assert_eq!((failure(&right), right.status().counters.failures), (None, 0));
    // Both clients can read this payload.
    server.set_payload(&payload(3));
    eventually("the plain payload", || flag(&right) == 3 && flag(&wrong) == 3);
    eventually("the end of the failure", || failure(&wrong).is_none());
    assert!(matches!(wrong.status().stream, StreamState::Open));
    assert_eq!(server.counts().streams, 1);
}
