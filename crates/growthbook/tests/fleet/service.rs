//! A process of the fleet: it has a client, and answers which value its flag has.

use std::env;
use std::process;
use std::time::Duration;

use growthbook::cache::RedisCache;
use growthbook::{Client, Refresh, redis};
use test_server::answer_questions;

use crate::PATIENCE;

/// The names of the environment variables.
const FEATURES_URL: &str = "FLEET_FEATURES_URL";
const REDIS_URL: &str = "FLEET_REDIS_URL";
const INTERVAL: &str = "FLEET_INTERVAL_MS";
const LEASE: &str = "FLEET_LEASE_MS";

/// The header with the id of the process.
pub(crate) const PROCESS_HEADER: &str = "x-process";

/// The question for the value of the flag.
pub(crate) const VALUE: &str = "value";

/// Returns the environment variables of a process of the fleet. Without an interval it follows a
/// stream.
pub(crate) fn variables(
    features_url: String,
    redis_url: String,
    interval: Option<Duration>,
    lease: Duration,
) -> [(&'static str, String); 4] {
    [
        (FEATURES_URL, features_url),
        (REDIS_URL, redis_url),
        (INTERVAL, interval.map_or_else(String::new, |it| it.as_millis().to_string())),
        (LEASE, lease.as_millis().to_string()),
    ]
}

/// Returns whether this process is one of the fleet.
pub(crate) fn is_process() -> bool {
    env::var_os(FEATURES_URL).is_some()
}

pub(crate) fn run() {
    let milliseconds = |text: String| text.parse().ok().map(Duration::from_millis);
    let interval = milliseconds(env::var(INTERVAL).unwrap());
    let lease = milliseconds(env::var(LEASE).unwrap()).unwrap();
    let redis = redis::Client::open(env::var(REDIS_URL).unwrap()).unwrap();
    let client = Client::builder("sdk-fleet")
        .api_host(env::var(FEATURES_URL).unwrap())
        .fetch_options(|options| options.api_header(PROCESS_HEADER, process::id().to_string()))
        .fetch_options(|options| options.min_poll_interval_for_tests(Duration::from_millis(1)))
        .refresh(interval.map_or(Refresh::Stream, Refresh::Poll))
        .cache(RedisCache::new(redis).lease(lease))
        .start()
        .unwrap();
    client.wait_ready(PATIENCE).unwrap();
    answer_questions(|question| {
        assert_eq!(question, VALUE);
        client.for_user("u").feature_value("flag", -1).to_string()
    });
    client.close(PATIENCE).unwrap();
}
