//! The cache against real Redis servers. Tests of the lease with several processes are in
//! `src/lease/tests.rs`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod failures;
mod limits;
mod payloads;
mod servers;
mod sharing;
#[cfg(feature = "tls")]
mod tls;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use growthbook_core::cache::{CachedPayload, PayloadKey};
use growthbook_redis_cache::RedisCache;
use test_server::redis::RedisServer;

/// No test waits this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const PLAIN: &str = r#"{"features": {"flag": {"defaultValue": "ü"}}}"#;
pub(crate) const ENCRYPTED: &str = concat!(
    r#"{"features":{},"encryptedFeatures":"m5ylFM6ndyOJA2OPadubkw==."#,
    r#"Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj"}"#
);
pub(crate) const PYTHON_KEY: &str = "gb:https://cdn.growthbook.io::sdk-1";

pub(crate) fn key() -> PayloadKey {
    PayloadKey::new("https://cdn.growthbook.io", "sdk-1")
}

pub(crate) fn payload(document: &str) -> CachedPayload {
    CachedPayload {
        document: document.into(),
        etag: Some("W/\"1\"".into()),
        streaming: true,
        fetched_at: 1_700_000_000_123,
    }
}

pub(crate) fn dated(second: u32) -> CachedPayload {
    payload(&format!(r#"{{"features":{{}},"dateUpdated":"2026-01-01T00:00:{second:02}.000Z"}}"#))
}

pub(crate) fn cache(server: &RedisServer) -> RedisCache {
    RedisCache::new(redis::Client::open(server.url()).unwrap())
}

pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs an action that must not hang. If it hangs, the test fails.
pub(crate) fn in_time(what: &str, action: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        action();
        sender.send(()).unwrap();
    });
    assert!(receiver.recv_timeout(PATIENCE).is_ok(), "timed out waiting for {what}");
}

/// The key of the payload as the server sent it.
pub(crate) fn own_key() -> String {
    format!("growthbook:payload:{{{PYTHON_KEY}}}")
}
