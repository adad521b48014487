//! One process of the fleet: it evaluates all the time, and answers questions on its input.

use std::env;
use std::io::{self, BufRead, Write};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::cache::RedisCache;
use growthbook::{Client, Refresh, redis};

use crate::process::Latency;
use crate::{INTERVAL, LEASE, PATIENCE};

const FEATURES: &str = "FLEET_FEATURES_URL";
const REDIS: &str = "FLEET_REDIS_URL";

/// The number of samples that are kept.
const MOST_SAMPLES: usize = 1 << 16;

/// Returns the environment of a process of the fleet.
pub(crate) fn environment(features: &str, redis: &str) -> [(&'static str, String); 2] {
    [(FEATURES, features.to_owned()), (REDIS, redis.to_owned())]
}

/// Whether this process is one of the fleet.
pub(crate) fn is_wanted() -> bool {
    env::var_os(FEATURES).is_some()
}

pub(crate) fn run() {
    let redis = redis::Client::open(env::var(REDIS).unwrap()).unwrap();
    let client = Client::builder("sdk-fleet")
        .api_host(env::var(FEATURES).unwrap())
        .fetch_options(|options| options.api_header("x-process", process::id().to_string()))
        .refresh(Refresh::Poll(INTERVAL))
        .cache(RedisCache::new(redis).lease(LEASE))
        .start()
        .unwrap();
    client.wait_ready(PATIENCE).unwrap();

    let samples = Mutex::new(Vec::new());
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| evaluate(&client, &samples, &done));
        for question in io::stdin().lock().lines() {
            let answer = match question.unwrap().as_str() {
                "value" => client.for_user("u").feature_value("flag", -1).to_string(),
                "latency" => {
                    Latency::of(&mut core::mem::take(&mut *samples.lock().unwrap())).to_line()
                }
                _ => break,
            };
            println!("{answer}");
            io::stdout().flush().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    client.close(PATIENCE).unwrap();
}

/// Evaluates from time to time, because many processes share few processors.
fn evaluate(client: &Client, samples: &Mutex<Vec<Duration>>, done: &AtomicBool) {
    let mut user = 0_u64;
    while !done.load(Ordering::Relaxed) {
        for _ in 0..20 {
            user += 1;
            let start = Instant::now();
            client.for_user(format!("user-{user}")).is_on("flag");
            let took = start.elapsed();
            let mut samples = samples.lock().unwrap();
            if samples.len() < MOST_SAMPLES {
                samples.push(took);
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}
