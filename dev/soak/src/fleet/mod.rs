//! Eight processes that share a Redis and a features server: how often they fetch, how fast a
//! change reaches them, and what the death of a process or of Redis costs.
//!
//! This program runs itself as the processes.

mod latency;
mod report;
mod service;

use std::thread;
use std::time::{Duration, Instant};

use test_server::redis::{RedisReply, RedisServer};
use test_server::{FeaturesServer, Processes, Reply};

use latency::Latency;
use report::{Fetches, Report};
pub(crate) use service::{is_process, run as run_process};

const PROCESSES: usize = 8;

/// How often each process polls.
const INTERVAL: Duration = Duration::from_millis(500);

const LEASE: Duration = Duration::from_secs(2);

/// No step takes this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs all measurements. This takes about half a minute.
pub(crate) fn run() -> Report {
    let (start_requests, together) = processes_that_start_together();
    let (before_outage, outage) = outage_of_redis();
    Report {
        start_requests,
        together,
        one_after_another: processes_that_start_one_after_another(),
        change: slowest_change(),
        dead_holder: delay_by_a_dead_holder(),
        before_outage,
        outage,
    }
}

/// The measurements during an outage of Redis and after it.
struct Outage {
    /// The time until the slowest change reached all processes without Redis.
    change: Duration,
    during: Latency,
    /// The time from the restart of Redis until it had a payload.
    recovery: Duration,
    fetches_after: Fetches,
    after: Latency,
}

struct Servers {
    features: FeaturesServer,
    redis: RedisServer,
}

impl Servers {
    fn start() -> Self {
        Servers { features: FeaturesServer::start(&payload(1)), redis: RedisServer::start() }
    }

    fn start_processes(&self, number: usize) -> Processes {
        Processes::start(number, &service::variables(self.features.url(), self.redis.url()))
    }

    fn count_fetches(&self, intervals: u32) -> Fetches {
        let (start, before) = (Instant::now(), self.features.counts().features);
        thread::sleep(INTERVAL * intervals);
        let requests = self.features.counts().features - before;
        Fetches { requests, intervals: start.elapsed().div_duration_f64(INTERVAL) }
    }

    /// Changes the payload, and returns the time until all processes have it.
    fn change(&self, processes: &Processes, value: i64) -> Duration {
        let start = Instant::now();
        self.features.set_payload(&payload(value));
        wait_for_value(processes, value);
        start.elapsed()
    }

    fn has_payload_in_redis(&self) -> bool {
        let key = format!("gb:{}::sdk-fleet", self.features.url());
        self.redis.command(&["EXISTS", &key]) == RedisReply::Integer(1)
    }
}

fn processes_that_start_together() -> (usize, Fetches) {
    let servers = Servers::start();
    let processes = servers.start_processes(PROCESSES);
    wait_for_value(&processes, 1);
    (servers.features.counts().features, servers.count_fetches(12))
}

fn processes_that_start_one_after_another() -> Fetches {
    let servers = Servers::start();
    let start = |_| {
        thread::sleep(INTERVAL / 8);
        servers.start_processes(1)
    };
    let processes: Vec<Processes> = (0..6).map(start).collect();
    processes.iter().for_each(|process| wait_for_value(process, 1));
    servers.count_fetches(8)
}

fn slowest_change() -> Duration {
    let servers = Servers::start();
    let processes = servers.start_processes(PROCESSES);
    wait_for_value(&processes, 1);
    (2..7).map(|value| servers.change(&processes, value)).max().unwrap_or_default()
}

fn delay_by_a_dead_holder() -> Duration {
    let servers = Servers::start();
    let mut processes = servers.start_processes(PROCESSES);
    wait_for_value(&processes, 1);
    // The next process that fetches gets no reply, and is killed.
    let before = servers.features.counts().features;
    servers.features.script_features([Reply::raw_then_hang("")]);
    assert!(servers.features.wait_until(PATIENCE, |counts| counts.features > before));
    let requests = servers.features.requests();
    let id = requests.last().and_then(|fetch| fetch.header(service::PROCESS_HEADER)?.parse().ok());
    processes.kill(id.unwrap_or_default());
    servers.change(&processes, 2)
}

fn outage_of_redis() -> (Latency, Outage) {
    let mut servers = Servers::start();
    let processes = servers.start_processes(PROCESSES);
    wait_for_value(&processes, 1);
    let before = Latency::during(&processes, || thread::sleep(Duration::from_secs(2))).0;

    servers.redis.stop();
    let (during, change) = Latency::during(&processes, || {
        (2..12).map(|value| servers.change(&processes, value)).max().unwrap_or_default()
    });

    servers.redis.restart();
    let start = Instant::now();
    while !servers.has_payload_in_redis() {
        assert!(start.elapsed() < PATIENCE, "no process has put a payload into Redis");
        thread::sleep(Duration::from_millis(20));
    }
    let recovery = start.elapsed();
    // Every process notices the restart within this time.
    thread::sleep(Duration::from_secs(2));
    let (after, fetches_after) = Latency::during(&processes, || servers.count_fetches(8));
    (before, Outage { change, during, recovery, fetches_after, after })
}

fn payload(value: i64) -> String {
    format!(r#"{{"features": {{"flag": {{"defaultValue": {value}}}}}}}"#)
}

fn wait_for_value(processes: &Processes, value: i64) {
    processes.wait_for(service::VALUE, &value.to_string(), PATIENCE);
}
