//! What the tests of the network have in common.

use std::time::{Duration, Instant};

use growthbook::{Client, ClientBuilder, MemoryCache};
use serde_json::json;
use test_server::FeaturesServer;

/// Longer than anything here takes on a busy machine; no test waits for it unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const KEY: &str = "sdk-secret-client-key";

/// A payload whose flag has this value.
pub(crate) fn payload(value: i64) -> String {
    json!({"status": 200, "features": {"flag": {"defaultValue": value}}}).to_string()
}

/// The same, with the time of its last change: this second of 2026.
pub(crate) fn dated(value: i64, second: u32) -> String {
    let date = format!("2026-01-01T00:00:{second:02}.000Z");
    json!({"features": {"flag": {"defaultValue": value}}, "dateUpdated": date}).to_string()
}

/// A client for this server with short limits and a cache of its own.
pub(crate) fn builder(server: &FeaturesServer) -> ClientBuilder {
    at(&server.url())
}

pub(crate) fn at(url: &str) -> ClientBuilder {
    Client::builder(KEY)
        .api_host(url)
        .cache(MemoryCache::new(growthbook::DEFAULT_MEMORY_CACHE_ENTRIES))
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_millis(300))
}

/// The flag's value; -1 when it is unknown.
pub(crate) fn flag(client: &Client) -> i64 {
    client.for_user("u").feature_value("flag", -1)
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
