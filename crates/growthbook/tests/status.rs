//! The status, as JSON and as text.

#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use growthbook::cache::{CachedPayload, PayloadCache, PayloadCacheError, PayloadKey};
use growthbook::fetch::{StreamOff, StreamState};
use growthbook::{Client, Refresh};
use serde_json::{Value, json};
use test_server::{FeaturesServer, Reply};

const PATIENCE: Duration = Duration::from_secs(30);

fn status_json(client: &Client) -> Value {
    serde_json::to_value(client.status()).unwrap()
}

#[test]
fn status_of_an_embedded_client_is_json() {
    let client = Client::embedded().build().unwrap();
    assert!(!client.status().is_ready());
    client.set_payload(r#"{"features": {}, "dateUpdated": "2026-01-01T00:00:00.000Z"}"#).unwrap();
    assert!(client.status().is_ready());
    assert_eq!(
        status_json(&client),
        json!({
            "ready": true, "source": "application", "ageSeconds": null,
            "dateUpdated": "2026-01-01T00:00:00.000Z", "lastError": null, "cacheError": null,
            "dateProblem": null, "isPaused": false, "stream": {"state": "off", "text": "off: no client wants a stream"},
            "counters": {
                "fetches": 0, "notModified": 0, "failures": 0, "shared": 0, "updates": 0,
                "olderIgnored": 0, "streamsOpened": 0, "streamReconnects": 0, "streamEvents": 0,
                "cacheErrors": 0,
            },
            "events": null, "lostEvents": 0,
        })
    );
}

#[test]
fn counted_events_are_json() {
    let client = Client::embedded().features(json!({})).count_events().build().unwrap();
    client.for_user("u").is_on("unknown");
    let events = &status_json(&client)["events"];
    assert_eq!((&events["exposures"], &events["logged"]), (&json!(0), &json!(0)));
    assert_eq!(events["evaluations"]["unknownFeature"], 1);
}

struct Broken;

impl PayloadCache for Broken {
    fn get(&self, _: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        Err(PayloadCacheError::new("the disk is full"))
    }

    fn put(&self, _: &PayloadKey, _: &CachedPayload) -> Result<(), PayloadCacheError> {
        Err(PayloadCacheError::new("the disk is full"))
    }
}

#[test]
fn failures_are_json() {
    let server = FeaturesServer::start(r#"{"features": {}}"#);
    server.always_features(Reply::status(503));
    let client = Client::builder("sdk-status")
        .api_host(server.url())
        .cache(Broken)
        .fallback(r#"{"features": {}}"#)
        .refresh(Refresh::Manual)
        .start()
        .unwrap();
    client.refresh().unwrap_err();
    client.refresh().unwrap_err();
    assert!(!client.status().is_ready());
    let json = status_json(&client);
    assert_eq!((&json["ready"], &json["source"]), (&json!(false), &json!("fallback")));
    let error = &json["lastError"];
    assert_eq!((&error["kind"], &error["inARow"]), (&json!("status"), &json!(2)));
    let text = error["text"].as_str().unwrap();
    assert!(text.contains("status 503") && text.contains(&server.url()), "{text}");
    assert!(error["at"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(json["cacheError"], "the payload cache failed: the disk is full");
    assert_eq!(json["counters"]["fetches"], 2);
    let last = client.status().last_error.unwrap();
    assert!(last.to_string().ends_with(" (2 failures in a row)"), "{last}");

    server.always_features(None);
    client.refresh().unwrap();
    assert!(client.wait_ready(PATIENCE).is_ok() && client.status().is_ready());
}

#[test]
fn states_of_the_stream_have_texts() {
    let states = [
        (StreamState::Off(StreamOff::NotWanted), "off", "off: no client wants a stream"),
        (
            StreamState::Off(StreamOff::NotKnownYet),
            "off",
            "off: the server has not said yet whether it offers a stream",
        ),
        (
            StreamState::Off(StreamOff::NotOffered),
            "off",
            "off: the server does not offer a stream: polling instead; the GrowthBook Proxy and \
             GrowthBook Cloud offer one",
        ),
        (
            StreamState::Off(StreamOff::Declined),
            "off",
            "off: the server refused a stream with status 204: it is asked again after an hour",
        ),
        (StreamState::Off(StreamOff::Closed), "off", "off: the client is closed"),
        (StreamState::Connecting, "connecting", "connecting"),
        (StreamState::Open, "open", "open"),
    ];
    for (state, name, text) in states {
        assert_eq!((state.name(), &*state.to_string()), (name, text));
    }
}
