//! What came out, as a table, and what must not come out.

use std::fmt;
use std::time::Duration;

use test_server::FeaturesServer;

use crate::histogram::Histogram;
use crate::payload::FLAGS;
use crate::resources::Resources;
use crate::run::POLL_INTERVAL;

/// The slowest evaluation in so many is compared.
const SHARE: u64 = 100_000;

/// The machine is shared: only an evaluation that is slow in both senses has waited for a refresh.
const SLOW: Duration = Duration::from_millis(20);
const SLOW_RATIO: f64 = 20.0;

/// The server's threads for a stream, or the files at both its ends.
const STREAM: u64 = 2;

const MEMORY_GROWTH: u64 = 32 * 1024 * 1024;

/// What a soak found out.
pub(crate) struct Report {
    /// How long each of the compared phases took.
    pub(crate) phase: Duration,
    pub(crate) payload_bytes: usize,
    pub(crate) changes: u64,
    pub(crate) restarts: u64,
    pub(crate) quiet: Histogram,
    pub(crate) busy: Histogram,
    /// Of the streaming and the polling client, as the following.
    pub(crate) requests: [Requests; 2],
    pub(crate) updates: [u64; 2],
    /// At the beginning, after warming up, at the end, after closing the clients, and after
    /// dropping the last handles on them.
    pub(crate) resources: [Resources; 5],
}

/// How often the server was asked on a client's behalf, and how often it may have been.
pub(crate) struct Requests {
    features: u64,
    features_allowed: u64,
    streams: u64,
    streams_allowed: u64,
}

impl Requests {
    /// A stream for each start of the server, with a fetch of what was missed; and another, should
    /// a restart have come between. A fetch to begin with.
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

    /// One in each interval, which may be a tenth shorter. After a failure the next one is sooner,
    /// and one may have been broken by each restart.
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
    /// Every bound that was not kept.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut must = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        let (quiet, busy) = (self.quiet.slowest(SHARE), self.busy.slowest(SHARE));
        must(busy <= SLOW || ratio(quiet, busy) <= SLOW_RATIO, "evaluation waits for refreshes");
        for (client, requests) in ["streaming", "polling"].iter().zip(&self.requests) {
            let fetches_kept = requests.features <= requests.features_allowed;
            must(fetches_kept, &format!("the {client} client fetches too often"));
            let streams_kept = requests.streams <= requests.streams_allowed;
            must(streams_kept, &format!("the {client} client opens too many streams"));
        }
        // A version is taken into use at most once, the first one included.
        let updates_kept =
            self.updates.iter().all(|updates| (1..=self.changes + 1).contains(updates));
        must(updates_kept, "payloads are taken into use more often than they change");

        let [beginning, warm, end, closed, dropped] = &self.resources;
        must(differ(warm.threads, end.threads) <= STREAM, "threads have come or gone");
        must(differ(warm.fds, end.fds) <= STREAM, "open files have come or gone");
        let grown = end.memory.unwrap_or(0).saturating_sub(warm.memory.unwrap_or(0));
        must(grown < MEMORY_GROWTH, "memory grows");
        must(closed.threads == beginning.threads, "closing leaves threads behind");
        must(closed.fds == beginning.fds, "closing leaves open files behind");
        must(dropped.threads == beginning.threads, "dropping clients leaves threads behind");
        must(dropped.fds == beginning.fds, "dropping clients leaves open files behind");
        problems
    }
}

fn differ(one: Option<u64>, other: Option<u64>) -> u64 {
    one.unwrap_or(0).abs_diff(other.unwrap_or(0))
}

fn ratio(quiet: Duration, busy: Duration) -> f64 {
    busy.as_secs_f64() / quiet.as_secs_f64().max(1e-9)
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kilobytes = self.payload_bytes / 1_000;
        let seconds = self.phase.as_secs();
        writeln!(formatter, "{FLAGS} flags, {kilobytes} kB; {seconds} s without refreshes,")?;
        writeln!(
            formatter,
            "then {seconds} s with; {} changes and {} restarts, those of the warm-up included\n",
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
        // Not every type pads itself.
        write!(formatter, "{:>14}", cell.to_string())?;
    }
    writeln!(formatter)
}

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}
