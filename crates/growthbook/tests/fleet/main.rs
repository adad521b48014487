//! Eight processes that share a Redis and a features server. One process fetches for all, also
//! after a process or Redis has died.
//!
//! `cargo xtask soak --fleet` measures how often they fetch, and how fast a change reaches them.
//!
//! The test has its own `main`, because it runs itself as the processes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use std::thread;
use std::time::{Duration, Instant};

use test_server::redis::{RedisReply, RedisServer};
use test_server::{FeaturesServer, Gate, Processes, Reply};

const PROCESSES: usize = 8;

/// No step takes this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A time that does not pass within a test.
const LONG: Duration = Duration::from_secs(3600);

/// How often the processes poll in most tests.
const INTERVAL: Duration = Duration::from_millis(200);

const TESTS: [(&str, fn()); 7] = [
    ("one process fetches for all at the start", one_process_fetches_at_the_start),
    ("one process at a time fetches for all", one_process_at_a_time_fetches),
    ("later processes do not stop the fetches", later_processes_do_not_stop_fetches),
    ("each change reaches all processes", each_change_reaches_all),
    ("few processes fetch after a notice", few_processes_fetch_after_a_notice),
    ("the lease expires when its holder dies", lease_expires_when_its_holder_dies),
    ("the fleet works without Redis", fleet_works_without_redis),
];

fn main() {
    if service::is_process() {
        service::run();
        return;
    }
    for (name, test) in TESTS {
        test();
        println!("fleet: {name}: ok");
    }
}

/// The servers of a fleet.
struct Servers {
    features: FeaturesServer,
    redis: RedisServer,
}

impl Servers {
    fn start() -> Self {
        Servers { features: FeaturesServer::start(&payload(1)), redis: RedisServer::start() }
    }

    /// Starts processes and waits until they have the first payload.
    fn start_processes(&self, number: usize, interval: Duration, lease: Duration) -> Processes {
        let (features, redis) = (self.features.url(), self.redis.url());
        let variables = service::variables(features, redis, Some(interval), lease);
        let processes = Processes::start(number, &variables);
        wait_for_value(&processes, 1);
        processes
    }

    /// Starts processes that follow streams, and waits until each has its first one.
    fn start_streaming_processes(&self, number: usize) -> Processes {
        let (features, redis) = (self.features.url(), self.redis.url());
        let variables = service::variables(features, redis, None, LONG);
        let processes = Processes::start(number, &variables);
        wait_for_value(&processes, 1);
        assert!(self.features.wait_until(PATIENCE, |counts| counts.open_streams >= number));
        processes
    }

    /// Holds the next fetch back while the processes try to acquire the lease. Returns whether one
    /// process fetched, and no other.
    fn one_process_fetches(&self) -> bool {
        let gate = Gate::closed();
        let before = self.features.counts().features;
        self.features.always_features(Reply::held(&gate, Reply::normal()));
        assert!(self.features.wait_until(PATIENCE, |counts| counts.features > before));
        let attempts = self.script_calls();
        eventually("attempts of the others", || self.script_calls() >= attempts + 30);
        let fetches = self.features.counts().features - before;
        gate.open();
        self.features.always_features(None);
        fetches == 1
    }

    /// Returns how many scripts Redis has run. Acquiring the lease is a script.
    fn script_calls(&self) -> u64 {
        let reply = self.redis.command(&["INFO", "commandstats"]);
        let statistics = reply.as_str().unwrap().to_owned();
        let calls = |line: &str| {
            let calls = line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?;
            calls.parse().ok()
        };
        statistics.lines().find_map(calls).unwrap_or(0)
    }

    fn has_payload_in_redis(&self) -> bool {
        let key = format!("gb:{}::sdk-fleet", self.features.url());
        self.redis.command(&["EXISTS", &key]) == RedisReply::Integer(1)
    }
}

fn one_process_fetches_at_the_start() {
    let servers = Servers::start();
    let _fleet = servers.start_processes(PROCESSES, LONG, LONG);
    assert_eq!(servers.features.counts().features, 1);
}

fn one_process_at_a_time_fetches() {
    let servers = Servers::start();
    let fleet = servers.start_processes(PROCESSES, INTERVAL, LONG);
    for value in 2..4 {
        servers.features.set_payload_quietly(&payload(value));
        assert!(servers.one_process_fetches());
        wait_for_value(&fleet, value);
    }
}

/// Each process finds a payload that another one has fetched recently. One has to fetch
/// nevertheless.
fn later_processes_do_not_stop_fetches() {
    let servers = Servers::start();
    let start = |_| servers.start_processes(1, INTERVAL, LONG);
    let fleet: Vec<Processes> = (0..6).map(start).collect();
    for value in 2..5 {
        servers.features.set_payload_quietly(&payload(value));
        fleet.iter().for_each(|process| wait_for_value(process, value));
    }
}

/// A notice reaches the processes at slightly different times. Usually one of them fetches for all.
fn few_processes_fetch_after_a_notice() {
    const NOTICES: usize = 6;
    let servers = Servers::start();
    let fleet = servers.start_streaming_processes(PROCESSES);
    let before = servers.features.counts().features;
    for value in (2..).take(NOTICES) {
        servers.features.set_payload_quietly(&payload(value));
        servers.features.push_update_notice();
        wait_for_value(&fleet, value);
    }
    let fetches = servers.features.counts().features - before;
    assert!(fetches < NOTICES * PROCESSES / 2, "{fetches}");
}

fn each_change_reaches_all() {
    let servers = Servers::start();
    let fleet = servers.start_processes(PROCESSES, INTERVAL, LONG);
    for value in 2..7 {
        servers.features.set_payload(&payload(value));
        wait_for_value(&fleet, value);
    }
}

fn lease_expires_when_its_holder_dies() {
    let servers = Servers::start();
    let mut fleet = servers.start_processes(PROCESSES, INTERVAL, Duration::from_secs(2));
    // The next process that fetches gets no reply, and is killed.
    let before = servers.features.counts().features;
    servers.features.script_features([Reply::raw_then_hang("")]);
    assert!(servers.features.wait_until(PATIENCE, |counts| counts.features > before));
    let fetch = servers.features.requests().pop().unwrap();
    fleet.kill(fetch.header(service::PROCESS_HEADER).unwrap().parse().unwrap());
    servers.features.set_payload(&payload(2));
    wait_for_value(&fleet, 2);
}

fn fleet_works_without_redis() {
    let mut servers = Servers::start();
    let fleet = servers.start_processes(PROCESSES, INTERVAL, LONG);
    servers.redis.stop();
    for value in 2..5 {
        servers.features.set_payload_quietly(&payload(value));
        wait_for_value(&fleet, value);
    }
    servers.redis.restart();
    eventually("a payload in Redis", || servers.has_payload_in_redis());
    // A process that has not noticed the restart yet still fetches for itself.
    eventually("one process that fetches for all", || servers.one_process_fetches());
}

fn payload(value: i64) -> String {
    format!(r#"{{"features": {{"flag": {{"defaultValue": {value}}}}}}}"#)
}

fn wait_for_value(processes: &Processes, value: i64) {
    processes.wait_for(service::VALUE, &value.to_string(), PATIENCE);
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
