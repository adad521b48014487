//! Eight processes on one Redis and one features server: how often they fetch, how fast they
//! get a change, and what happens when a process or Redis dies. It prints the measurements.
//!
//! It has its own `main`, because it runs itself as the processes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod process;
mod service;

use std::thread;
use std::time::{Duration, Instant};

use process::Fleet;
use test_server::redis::RedisServer;
use test_server::{FeaturesServer, Reply};

const PROCESSES: usize = 8;
const INTERVAL: Duration = Duration::from_millis(500);
const LEASE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    if service::is_wanted() {
        service::run();
        return;
    }
    one_process_fetches_for_all();
    one_process_fetches_for_later_ones();
    change_reaches_all_processes();
    dead_holder_delays_only_for_its_lease();
    processes_survive_the_death_of_redis();
}

fn payload(value: i64) -> String {
    format!(r#"{{"features": {{"flag": {{"defaultValue": {value}}}}}}}"#)
}

fn one_process_fetches_for_all() {
    const INTERVALS: u32 = 12;
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let fleet = Fleet::start(PROCESSES, &server, &redis);
    fleet.wait_for(1, PATIENCE);
    let started_with = server.counts().features;
    let before = server.counts().features;
    thread::sleep(INTERVAL * INTERVALS);
    let requests = server.counts().features - before;
    println!(
        "fleet: {PROCESSES} processes asked {started_with} times to start, and {requests} times \
         in {INTERVALS} intervals"
    );
    assert!(started_with <= 2, "{started_with}");
    // Intervals vary by a tenth.
    assert!((9..=15).contains(&requests), "{requests}");
}

/// One process always has a payload that is quite new, and yet one has to fetch.
fn one_process_fetches_for_later_ones() {
    const INTERVALS: u32 = 8;
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let start = |number| {
        thread::sleep(INTERVAL / 8 * number);
        Fleet::start(1, &server, &redis)
    };
    let fleets: Vec<Fleet> = (0..6).map(start).collect();
    fleets.iter().for_each(|fleet| fleet.wait_for(1, PATIENCE));
    let before = server.counts().features;
    let start = Instant::now();
    thread::sleep(INTERVAL * INTERVALS);
    let requests = server.counts().features - before;
    println!("fleet: started one after another, {requests} times in {INTERVALS} intervals");
    // One fetch per interval, or more, because half an interval is recent enough.
    let intervals = start.elapsed().as_secs_f64() / INTERVAL.as_secs_f64();
    let allowed = intervals * 0.7..intervals * 1.6;
    assert!(allowed.contains(&(requests as f64)), "{requests} in {intervals:.1} intervals");
    server.set_payload(&payload(2));
    fleets.iter().for_each(|fleet| fleet.wait_for(2, PATIENCE));
}

fn change_reaches_all_processes() {
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let fleet = Fleet::start(PROCESSES, &server, &redis);
    fleet.wait_for(1, PATIENCE);
    let mut slowest = Duration::ZERO;
    for value in 2..7 {
        let start = Instant::now();
        server.set_payload(&payload(value));
        fleet.wait_for(value, PATIENCE);
        slowest = slowest.max(start.elapsed());
    }
    println!(
        "fleet: a change reached all of them within {slowest:.0?}, polling every {INTERVAL:?}"
    );
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

fn dead_holder_delays_only_for_its_lease() {
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let mut fleet = Fleet::start(PROCESSES, &server, &redis);
    fleet.wait_for(1, PATIENCE);
    // The next process that fetches gets no answer, and is killed.
    server.script_features([Reply::raw_then_hang("")]);
    let asked = server.counts().features;
    assert!(server.wait_until(PATIENCE, |counts| counts.features > asked));
    let holder = server.requests().last().and_then(|it| it.header("x-process").map(str::to_owned));
    let start = Instant::now();
    fleet.kill(holder.unwrap().parse().unwrap());
    server.set_payload(&payload(2));
    fleet.wait_for(2, PATIENCE);
    let delay = start.elapsed();
    println!(
        "fleet: a process that died with a lease of {LEASE:?} delayed the others for {delay:.0?}"
    );
    assert!(delay < LEASE + Duration::from_millis(1500), "{delay:?}");
}

fn processes_survive_the_death_of_redis() {
    const OUTAGE: Duration = Duration::from_secs(10);
    let (server, mut redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let fleet = Fleet::start(PROCESSES, &server, &redis);
    fleet.wait_for(1, PATIENCE);
    fleet.latencies();
    thread::sleep(Duration::from_secs(2));
    let before = fleet.latencies();

    redis.stop();
    let start = Instant::now();
    let mut value = 1;
    let mut slowest = Duration::ZERO;
    while start.elapsed() < OUTAGE {
        value += 1;
        let changed = Instant::now();
        server.set_payload(&payload(value));
        fleet.wait_for(value, PATIENCE);
        slowest = slowest.max(changed.elapsed());
    }
    let during = fleet.latencies();

    redis.restart();
    // Wait until one process has put a payload again and the others use the lease.
    let start = Instant::now();
    let has_payload = || redis.command(&["EXISTS", &format!("gb:{}::sdk-fleet", server.url())]);
    while !format!("{:?}", has_payload()).contains('1') {
        assert!(start.elapsed() < PATIENCE, "nobody came back to Redis");
        thread::sleep(Duration::from_millis(20));
    }
    let back = start.elapsed();
    thread::sleep(Duration::from_secs(2));
    fleet.latencies();
    let asked = server.counts().features;
    thread::sleep(INTERVAL * 8);
    let requests = server.counts().features - asked;
    let after = fleet.latencies();
    fleet.wait_for(value, PATIENCE);

    println!("fleet: without Redis a change reached all within {slowest:.0?}");
    println!(
        "fleet: {back:.0?} after its return it had a payload; 8 intervals took {requests} requests"
    );
    println!("fleet: evaluation      p50       p99     p99.9");
    for (when, latency) in [("before", before), ("during", during), ("after", after)] {
        println!("fleet: {when:<10} {latency}");
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(requests <= 12, "{requests}");
    // About equal, because evaluation does not use Redis. The machine is shared, so not exactly.
    assert!(during.p99 < before.p99 * 5 + Duration::from_micros(50));
}
