//! A process of the fleet: it evaluates all the time, and answers questions.

use std::env;
use std::error::Error;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::cache::RedisCache;
use growthbook::{Client, Refresh, redis};
use test_server::answer_questions;

use super::latency::Latency;
use super::{INTERVAL, LEASE, PATIENCE};
use crate::histogram::Histogram;

/// The names of the environment variables.
const FEATURES_URL: &str = "FLEET_FEATURES_URL";
const REDIS_URL: &str = "FLEET_REDIS_URL";

/// The header with the id of the process.
pub(super) const PROCESS_HEADER: &str = "x-process";

/// The question for the value of the flag.
pub(super) const VALUE: &str = "value";

/// The question for the latency since the last such question.
pub(super) const LATENCY: &str = "latency";

/// Returns the environment variables of a process of the fleet.
pub(super) fn variables(features_url: String, redis_url: String) -> [(&'static str, String); 2] {
    [(FEATURES_URL, features_url), (REDIS_URL, redis_url)]
}

/// Returns whether this process is one of the fleet.
pub(crate) fn is_process() -> bool {
    env::var_os(FEATURES_URL).is_some()
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let redis = redis::Client::open(env::var(REDIS_URL)?)?;
    let client = Client::builder("sdk-fleet")
        .api_host(env::var(FEATURES_URL)?)
        .fetch_options(|options| options.api_header(PROCESS_HEADER, process::id().to_string()))
        .fetch_options(|options| options.min_poll_interval_for_tests(INTERVAL))
        .refresh(Refresh::Poll(INTERVAL))
        .cache(RedisCache::new(redis).lease(LEASE))
        .start()?;
    client.wait_ready(PATIENCE)?;

    let latencies = Mutex::new(Histogram::new());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| evaluate(&client, &latencies, &stop));
        answer_questions(|question| {
            if question == VALUE {
                return client.for_user("u").feature_value("flag", -1).to_string();
            }
            let mut latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
            Latency::of(&std::mem::replace(&mut *latencies, Histogram::new())).to_line()
        });
        stop.store(true, Ordering::Relaxed);
    });
    client.close(PATIENCE)?;
    Ok(())
}

/// Evaluates with pauses, because many processes share few processors.
fn evaluate(client: &Client, latencies: &Mutex<Histogram>, stop: &AtomicBool) {
    let mut user = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..20 {
            user += 1;
            let start = Instant::now();
            client.for_user(format!("user-{user}")).is_on("flag");
            let time = start.elapsed();
            latencies.lock().unwrap_or_else(PoisonError::into_inner).record(time);
        }
        thread::sleep(Duration::from_millis(5));
    }
}
