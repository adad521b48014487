//! Starting, questioning and killing the processes of the fleet.

use std::env;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use test_server::FeaturesServer;
use test_server::redis::RedisServer;

use crate::service;

/// The processes. Dropping them ends them.
pub(crate) struct Fleet {
    processes: Vec<Process>,
}

struct Process {
    child: Child,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Fleet {
    pub(crate) fn start(number: usize, features: &FeaturesServer, redis: &RedisServer) -> Self {
        let environment = service::environment(&features.url(), &redis.url());
        let start = |_| {
            let mut child = Command::new(env::current_exe().unwrap())
                .envs(environment.clone())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let input = child.stdin.take().unwrap();
            let output = BufReader::new(child.stdout.take().unwrap());
            Process { child, talk: Mutex::new((input, output)) }
        };
        Fleet { processes: (0..number).map(start).collect() }
    }

    /// Waits until all of them have this value.
    pub(crate) fn wait_for(&self, value: i64, patience: Duration) {
        let start = Instant::now();
        for process in &self.processes {
            while process.ask("value") != value.to_string() {
                assert!(start.elapsed() < patience, "a process never had the value {value}");
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// Returns how long the evaluations of all processes took since the last call.
    pub(crate) fn latencies(&self) -> Latency {
        let all: Vec<Latency> =
            self.processes.iter().map(|process| Latency::parse(&process.ask("latency"))).collect();
        // The median of the processes, because one may have lost its processor for a while.
        let median = |part: fn(&Latency) -> Duration| {
            let mut parts: Vec<Duration> = all.iter().map(part).collect();
            parts.sort_unstable();
            parts[parts.len() / 2]
        };
        Latency { p50: median(|it| it.p50), p99: median(|it| it.p99), p999: median(|it| it.p999) }
    }

    /// Kills the process with this id.
    pub(crate) fn kill(&mut self, id: u32) {
        let index = self.processes.iter().position(|process| process.child.id() == id).unwrap();
        drop(self.processes.remove(index));
    }
}

impl Process {
    fn ask(&self, question: &str) -> String {
        let mut talk = self.talk.lock().unwrap();
        writeln!(talk.0, "{question}").unwrap();
        let mut answer = String::new();
        talk.1.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long evaluations took.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
}

impl Latency {
    pub(crate) fn of(samples: &mut [Duration]) -> Self {
        samples.sort_unstable();
        let at = |share: f64| {
            let index = (samples.len() as f64 * share) as usize;
            samples.get(index.min(samples.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        Latency { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
    }

    pub(crate) fn to_line(self) -> String {
        [self.p50, self.p99, self.p999].map(|it| it.as_nanos().to_string()).join(" ")
    }

    fn parse(line: &str) -> Self {
        let parts: Vec<Duration> =
            line.split(' ').map(|part| Duration::from_nanos(part.parse().unwrap())).collect();
        Latency { p50: parts[0], p99: parts[1], p999: parts[2] }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |it: Duration| it.as_secs_f64() * 1e6;
        write!(
            formatter,
            "{:>6.1} us {:>6.1} us {:>6.1} us",
            micros(self.p50),
            micros(self.p99),
            micros(self.p999)
        )
    }
}
