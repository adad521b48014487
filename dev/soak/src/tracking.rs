//! Offers events to an ingestor that fails in several ways: `soak --tracking`.
//!
//! Healthy and failing turns alternate, so that a change of the machine's load affects both.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::ingestor::{IngestorTracking, TrackingOptions, TrackingStatus};
use growthbook::{Client, UserContext};
use test_server::{FeaturesServer, Reply, Resources};

use crate::histogram::Histogram;

/// The events that are offered in each second.
const EVENTS_PER_SECOND: u32 = 100_000;
/// How often each failure, and as often the healthy ingestor, has its turn.
const ROUNDS: u32 = 5;
/// The length of a turn. Five turns of each failure take about a minute in all.
const TURN: Duration = Duration::from_secs(2);
/// The share of evaluations that are slower than the compared duration: p99.
const SHARE: u64 = 100;
/// The limit of memory growth: the queue, and as much again for what the allocator keeps.
const MEMORY_GROWTH: u64 = 2 * growthbook::ingestor::DEFAULT_CAPACITY_BYTES.get() as u64;

/// How the ingestor answers.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// `None` is the normal reply.
    reply: fn() -> Option<Reply>,
}

const HEALTHY: Kind = Kind { name: "healthy", reply: || None };

const FAILURES: [Kind; 6] = [
    Kind { name: "connection reset", reply: || Some(Reply::close()) },
    Kind { name: "no reply", reply: || Some(Reply::raw_then_hang("")) },
    Kind {
        name: "slow",
        reply: || Some(Reply::delayed(Duration::from_millis(500), Reply::status(200))),
    },
    Kind { name: "status 500", reply: || Some(Reply::status(500)) },
    Kind { name: "status 413", reply: || Some(Reply::status(413)) },
    Kind { name: "status 429", reply: || Some(Reply::status(429).header("retry-after", "1")) },
];

/// What happened in the turns of one kind of ingestor.
pub(crate) struct Turns {
    name: &'static str,
    healthy: Histogram,
    failing: Histogram,
    offered: u64,
    status: TrackingStatus,
    /// The most memory that the process gained, in bytes.
    memory_growth: u64,
}

/// Runs all turns.
///
/// # Errors
///
/// When the client cannot be built.
pub(crate) fn run() -> Result<Report, Box<dyn Error>> {
    FAILURES.into_iter().map(turns).collect::<Result<_, _>>().map(Report)
}

fn turns(failure: Kind) -> Result<Turns, Box<dyn Error>> {
    let server = FeaturesServer::start("{}");
    let options = TrackingOptions::new()
        .host(server.url())
        .client_key("sdk-abc123")
        .drop_deadline(Duration::ZERO);
    let tracking = IngestorTracking::new(options)?;
    let client = Client::embedded()
        .payload(
            r#"{"features": {"exp": {"rules": [{"key": "exp", "variations": [0, 1]}]},
                "flag": {"rules": [{"condition": {"country": "US"}, "force": true}]}}}"#,
        )
        .plugin(tracking.clone())
        .build()?;
    let before = Resources::now().memory.unwrap_or_default();
    let mut turns = Turns {
        name: failure.name,
        healthy: Histogram::new(),
        failing: Histogram::new(),
        offered: 0,
        status: TrackingStatus::default(),
        memory_growth: 0,
    };
    for turn in 0..2 * ROUNDS {
        let kind = if turn.is_multiple_of(2) { HEALTHY } else { failure };
        server.always_tracks((kind.reply)());
        let (latencies, offered) = offer(&client, turn);
        let of_kind = if turn.is_multiple_of(2) { &mut turns.healthy } else { &mut turns.failing };
        of_kind.add(&latencies);
        turns.offered += offered;
        let memory = Resources::now().memory.unwrap_or_default();
        turns.memory_growth = turns.memory_growth.max(memory.saturating_sub(before));
    }
    // Nothing is sent any more, so every event has its place in the counts.
    server.always_tracks(Reply::status(500));
    let _ = tracking.close(Duration::ZERO);
    turns.status = tracking.status();
    Ok(turns)
}

/// Offers events for one turn, and evaluates meanwhile on another thread. Returns the durations of
/// evaluations, and the number of events that the plugin was offered.
fn offer(client: &Client, turn: u32) -> (Histogram, u64) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let evaluating = scope.spawn(|| evaluate(client, turn, &stop));
        let logged = log_events(client);
        stop.store(true, Ordering::Relaxed);
        let (latencies, evaluated) = evaluating.join().unwrap_or_else(|_| (Histogram::new(), 0));
        (latencies, logged + evaluated)
    })
}

/// Logs events at the offered rate, in a burst each millisecond.
fn log_events(client: &Client) -> u64 {
    let gb = client.for_user("user-of-events");
    let start = Instant::now();
    let mut logged = 0;
    while start.elapsed() < TURN {
        let due = start.elapsed().mul_f64(f64::from(EVENTS_PER_SECOND)).as_secs();
        while logged < due {
            gb.log_event("Clicked", [("button", "buy".into())]);
            logged += 1;
        }
        thread::sleep(Duration::from_millis(1));
    }
    logged
}

/// Evaluates two flags for each of many users. Each evaluation is an event, and so is each
/// exposure.
fn evaluate(client: &Client, turn: u32, stop: &AtomicBool) -> (Histogram, u64) {
    let mut latencies = Histogram::new();
    let mut events = 0;
    for user in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let user = UserContext::new(format!("user-{turn}-{user}")).attribute("country", "US");
        let gb = client.for_user(user);
        for key in ["exp", "flag"] {
            let start = Instant::now();
            gb.is_on(key);
            latencies.record(start.elapsed());
        }
        events += 3;
        // A server has pauses between its evaluations.
        thread::sleep(Duration::from_micros(50));
    }
    (latencies, events)
}

/// The result of all turns.
pub(crate) struct Report(Vec<Turns>);

impl Report {
    /// Returns every exceeded limit. Durations are printed only: other programs slow them down.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for turns in &self.0 {
            let status = &turns.status;
            let counted = status.sent + status.lost.total() + status.duplicates + status.queued;
            if counted != turns.offered {
                let name = turns.name;
                problems.push(format!("{name}: {counted} of {} events counted", turns.offered));
            }
            if turns.memory_growth > MEMORY_GROWTH {
                problems.push(format!("{}: the memory grew too much", turns.name));
            }
        }
        problems
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{EVENTS_PER_SECOND} logged events a second, {ROUNDS} turns of {} s each\n",
            TURN.as_secs(),
        )?;
        writeln!(
            formatter,
            "| ingestor | offered | sent | lost | memory, MiB | p99 healthy | p99 failing | ratio |"
        )?;
        writeln!(formatter, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        for turns in &self.0 {
            let [healthy, failing] =
                [&turns.healthy, &turns.failing].map(|histogram| histogram.slowest(SHARE));
            writeln!(
                formatter,
                "| {} | {} | {} | {} | {} | {:.1} us | {:.1} us | {:.2} |",
                turns.name,
                turns.offered,
                turns.status.sent,
                turns.status.lost.total(),
                turns.memory_growth / 1024 / 1024,
                healthy.as_nanos() as f64 / 1e3,
                failing.as_nanos() as f64 / 1e3,
                failing.as_secs_f64() / healthy.as_secs_f64().max(1e-9),
            )?;
        }
        Ok(())
    }
}
