//! The result of a soak: a table, and the limits.

use std::fmt;
use std::time::Duration;

use test_server::{FeaturesServer, Resources};

use crate::histogram::Histogram;
use crate::payload::FLAGS;
use crate::run::POLL_INTERVAL;

/// The comparison uses the slowest evaluation of this many.
const SHARE: u64 = 100_000;

/// The limits for one evaluation. Other programs also slow the machine down. So an evaluation
/// counts as waiting for a refresh only if it exceeds both.
pub(crate) const SLOW: Duration = Duration::from_millis(20);
pub(crate) const SLOW_RATIO: f64 = 20.0;

/// The number of the server's threads for a stream, and the number of files at its two ends.
const STREAM: u64 = 2;

/// The limit of memory growth, in bytes.
const MEMORY_GROWTH: u64 = 32 * 1024 * 1024;

/// The result of a soak.
pub(crate) struct Report {
    /// The length of each compared phase.
    pub(crate) phase: Duration,
    pub(crate) payload_bytes: usize,
    pub(crate) changes: u64,
    pub(crate) restarts: u64,
    pub(crate) quiet: Histogram,
    pub(crate) busy: Histogram,
    /// The requests of the streaming and of the polling client. The updates have the same order.
    pub(crate) requests: [Requests; 2],
    pub(crate) updates: [u64; 2],
    /// The resources at the beginning, after the warm-up, at the end, after closing the clients,
    /// and after dropping the last handles to them.
    pub(crate) resources: [Resources; 5],
}

/// The numbers of a client's requests, with their limits.
pub(crate) struct Requests {
    features: u64,
    features_allowed: u64,
    streams: u64,
    streams_allowed: u64,
}

impl Requests {
    /// Counts the requests of the streaming client. It may open one stream for each start of the
    /// server, and a second one if a restart interrupts it. Each stream may need a fetch. The first
    /// fetch comes before the stream.
    pub(crate) fn of_streaming(
        server: &FeaturesServer,
        key: &str,
        lived: Duration,
        restarts: u64,
    ) -> Self {
        let streams_allowed = 2 * (restarts + 1);
        let polls = polls(lived, growthbook::fetch::DEFAULT_POLL_INTERVAL);
        let features_allowed = 1 + streams_allowed + polls;
        Requests {
            features: count(server, "/api/features/", key),
            features_allowed,
            streams: count(server, "/sub/", key),
            streams_allowed,
        }
    }

    /// Counts the requests of the polling client. It may fetch once per interval, which may be a
    /// tenth shorter. Each restart may break one fetch, and the next fetch comes sooner then.
    pub(crate) fn of_polling(
        server: &FeaturesServer,
        key: &str,
        lived: Duration,
        restarts: u64,
    ) -> Self {
        Requests {
            features: count(server, "/api/features/", key),
            features_allowed: 1 + polls(lived, POLL_INTERVAL) + 2 * restarts,
            streams: count(server, "/sub/", key),
            streams_allowed: 0,
        }
    }
}

fn polls(lived: Duration, interval: Duration) -> u64 {
    lived.div_duration_f64(interval.mul_f64(0.9)).ceil() as u64
}

fn count(server: &FeaturesServer, route: &str, key: &str) -> u64 {
    let path = format!("{route}{key}");
    server.requests().iter().filter(|request| request.path == path).count() as u64
}

impl Report {
    /// Returns every exceeded limit.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut must = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        let (quiet, busy) = (self.quiet.slowest(SHARE), self.busy.slowest(SHARE));
        must(busy <= SLOW || ratio(quiet, busy) <= SLOW_RATIO, "evaluations wait for refreshes");
        for (client, requests) in ["streaming", "polling"].iter().zip(&self.requests) {
            let fetches_kept = requests.features <= requests.features_allowed;
            must(fetches_kept, &format!("the {client} client fetches too often"));
            let streams_kept = requests.streams <= requests.streams_allowed;
            must(streams_kept, &format!("the {client} client opens too many streams"));
        }
        // A client uses each version at most once, including the first one.
        let updates_kept =
            self.updates.iter().all(|updates| (1..=self.changes + 1).contains(updates));
        must(updates_kept, "a client has no update, or more updates than changes of the payload");

        let [beginning, warm, end, closed, dropped] = &self.resources;
        must(differ(warm.threads, end.threads) <= STREAM, "the number of threads changed");
        must(differ(warm.fds, end.fds) <= STREAM, "the number of open files changed");
        let grown = end.memory.unwrap_or(0).saturating_sub(warm.memory.unwrap_or(0));
        must(grown < MEMORY_GROWTH, "the memory grew too much");
        must(
            closed.threads == beginning.threads,
            "some threads still run after closing the clients",
        );
        must(closed.fds == beginning.fds, "some files are still open after closing the clients");
        must(
            dropped.threads == beginning.threads,
            "some threads still run after dropping the clients",
        );
        must(dropped.fds == beginning.fds, "some files are still open after dropping the clients");
        problems
    }
}

fn differ(one: Option<u64>, other: Option<u64>) -> u64 {
    one.unwrap_or(0).abs_diff(other.unwrap_or(0))
}

/// Returns how many times slower the busy phase was.
pub(crate) fn ratio(quiet: Duration, busy: Duration) -> f64 {
    busy.as_secs_f64() / quiet.as_secs_f64().max(1e-9)
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kilobytes = self.payload_bytes / 1_000;
        let seconds = self.phase.as_secs();
        writeln!(formatter, "{FLAGS} flags, {kilobytes} kB; {seconds} s without refreshes,")?;
        writeln!(
            formatter,
            "then {seconds} s with refreshes; {} changes and {} restarts, including the warm-up\n",
            self.changes, self.restarts,
        )?;
        self.write_latencies(formatter)?;
        self.write_requests(formatter)?;
        self.write_resources(formatter)
    }
}

/// The sections of the table.
impl Report {
    fn write_latencies(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (quiet, busy) = (&self.quiet, &self.busy);
        let times = busy.count() as f64 / (quiet.count() as f64).max(1.0);
        row(formatter, "evaluation", ["quiet", "refreshing", "ratio"])?;
        let counts = [quiet, busy].map(|it| it.count().to_string());
        row(formatter, "  evaluations", counts.into_iter().chain([format!("{times:.2}")]))?;
        for (name, quiet, busy) in [
            ("  slowest of 100,000", quiet.slowest(SHARE), busy.slowest(SHARE)),
            ("  slowest of all", quiet.max(), busy.max()),
        ] {
            let ratio = ratio(quiet, busy);
            row(formatter, name, [micros(quiet), micros(busy), format!("{ratio:.1}")])?;
        }
        Ok(())
    }

    fn write_requests(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [streaming, polling] = &self.requests;
        row(formatter, "requests", ["streaming", "allowed", "polling", "allowed"])?;
        for (name, of_client) in [
            ("  features", (|it| [it.features, it.features_allowed]) as fn(&Requests) -> [u64; 2]),
            ("  streams", |it| [it.streams, it.streams_allowed]),
        ] {
            let numbers = [of_client(streaming), of_client(polling)];
            row(formatter, name, numbers.as_flattened())?;
        }
        let most = self.changes + 1;
        let [streamed, polled] = self.updates;
        row(formatter, "  updates applied", [streamed, most, polled, most])
    }

    fn write_resources(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(formatter, "process", ["beginning", "warmed up", "end", "closed", "dropped"])?;
        for (name, of_process) in [
            ("  threads", (|it| it.threads) as fn(&Resources) -> Option<u64>),
            ("  open files", |it| it.fds),
            ("  memory, MiB", |it| it.memory.map(|bytes| bytes / 1024 / 1024)),
        ] {
            let numbers = self.resources.each_ref().map(|resources| match of_process(resources) {
                Some(number) => number.to_string(),
                None => "not measured".to_owned(),
            });
            row(formatter, name, numbers)?;
        }
        Ok(())
    }
}

fn row<T: fmt::Display>(
    formatter: &mut fmt::Formatter<'_>,
    name: &str,
    cells: impl IntoIterator<Item = T>,
) -> fmt::Result {
    write!(formatter, "{name:<20}")?;
    for cell in cells {
        // Some types ignore the width.
        write!(formatter, "{:>14}", cell.to_string())?;
    }
    writeln!(formatter)
}

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}
