//! The times of evaluations while the payload is swapped: `cargo bench --bench swap`.
//!
//! A timed call creates a scope, evaluates one flag, and drops the scope. It does not include
//! building the user. Loading a payload occupies a core, and calls may wait for a core. The printed
//! figures leave that time out, if the system reports it. They include interrupts.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

#[path = "../../growthbook-core/benches/payloads/mod.rs"]
mod payloads;
mod scenarios;
mod waiting;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use growthbook::{Client, UserContext};
use serde_json::{Value, json};

use scenarios::request::Request;
use scenarios::{EXPERIMENT, USERS};
use waiting::Waiting;

/// The time from one swap to the next.
const INTERVAL: Duration = Duration::from_millis(10);

/// The number of turns of each way, for the printed percentiles.
const TURNS: usize = 6;

/// The number of calls in a turn.
const CALLS: usize = 1_000_000;

/// A call that waits for a core takes longer than this.
const LONG: Duration = Duration::from_micros(5);

/// A way to swap: its name, and the payload that is set repeatedly.
type Way = (&'static str, Option<String>);

fn main() {
    let client = scenarios::experiment_client();
    let ways = [
        ("no swaps", None),
        ("small payload", Some(small_payload().to_string())),
        ("1,000 features", Some(large_payload().to_string())),
    ];
    let requests: Vec<Request> = (0..USERS).map(Request::new).collect();
    report(&client, &requests, &ways);

    let mut criterion = scenarios::short_criterion();
    measure(&mut criterion, &client, &requests, &ways);
    criterion.final_summary();
}

fn small_payload() -> Value {
    json!({"features": {EXPERIMENT: scenarios::experiment()}})
}

fn large_payload() -> Value {
    let mut payload: Value = serde_json::from_str(&payloads::payload(1_000)).expect("JSON");
    let features = payload.get_mut("features").and_then(Value::as_object_mut).expect("features");
    features.insert(EXPERIMENT.into(), scenarios::experiment());
    payload
}

fn ask(client: &Client, user: UserContext) -> bool {
    client.for_user(user).is_on(black_box(EXPERIMENT))
}

fn measure(criterion: &mut Criterion, client: &Client, requests: &[Request], ways: &[Way]) {
    let mut group = criterion.benchmark_group("swap");
    for (name, payload) in ways {
        let swapper = payload.as_deref().map(|payload| Swapper::start(client, payload));
        let mut turns = requests.iter().cycle();
        group.bench_function(*name, |bencher| {
            let user = || turns.next().map(Request::user).expect("one more");
            bencher.iter_batched(user, |user| ask(client, user), BatchSize::SmallInput);
        });
        swapper.map(Swapper::stop);
    }
    group.finish();
}

/// Prints the times of calls, with and without swaps.
fn report(client: &Client, requests: &[Request], ways: &[Way]) {
    let (turns, calls) = if scenarios::is_test() { (1, 1_000) } else { (TURNS, CALLS) };
    let mut measured: Vec<Measured> = ways.iter().map(|_| Measured::new(turns * calls)).collect();
    for _ in 0..turns {
        for ((_, payload), measured) in ways.iter().zip(&mut measured) {
            measured.turn(client, requests, payload.as_deref(), calls);
        }
    }
    if scenarios::is_test() {
        return; // There are too few calls for a result.
    }
    let known = if Waiting::of_this_thread().is_known() { "without" } else { "with" };
    println!("the times of calls, {known} the time that they wait for a core");
    println!(
        "{:<16} {:>9} {:>9} {:>9} {:>14} {:>9} {:>13}",
        "", "median", "1 in 100", "in 1,000", "in 100,000", "slowest", "swaps a second"
    );
    for ((name, _), mut measured) in ways.iter().zip(measured) {
        measured.nanoseconds.sort_unstable();
        let slowest = |one_in| microseconds(&measured.nanoseconds, one_in);
        println!(
            "{name:<16} {:>9} {:>9} {:>9} {:>14} {:>9} {:>13.0}",
            slowest(2),
            slowest(100),
            slowest(1_000),
            slowest(100_000),
            slowest(usize::MAX),
            measured.swaps as f64 / measured.time.as_secs_f64(),
        );
    }
}

/// Returns the time that one call in `one_in` reaches or exceeds. The calls are sorted by time.
fn microseconds(nanoseconds: &[u32], one_in: usize) -> String {
    let slower = (nanoseconds.len() / one_in).max(1);
    let time = nanoseconds.len().checked_sub(slower).and_then(|index| nanoseconds.get(index));
    time.map_or("-".into(), |time| format!("{:.2} us", f64::from(*time) / 1_000.0))
}

/// The calls of one way.
struct Measured {
    nanoseconds: Vec<u32>,
    swaps: usize,
    time: Duration,
}

impl Measured {
    fn new(calls: usize) -> Self {
        Measured { nanoseconds: Vec::with_capacity(calls), swaps: 0, time: Duration::ZERO }
    }

    fn turn(&mut self, client: &Client, requests: &[Request], payload: Option<&str>, calls: usize) {
        let swapper = payload.map(|payload| Swapper::start(client, payload));
        let mut waiting = Waiting::of_this_thread();
        let mut waited = waiting.total();
        let begin = Instant::now();
        let mut returned = begin;
        for request in requests.iter().cycle().take(calls) {
            let user = request.user();
            let mut called = Instant::now();
            if called - returned > LONG {
                // The call did not cause this wait.
                waited = waiting.total();
                called = Instant::now();
            }
            black_box(ask(client, user));
            returned = Instant::now();
            let mut time = returned - called;
            if time > LONG {
                let total = waiting.total();
                time = time.saturating_sub(total - waited);
                waited = total;
                returned = Instant::now();
            }
            self.nanoseconds.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
        }
        self.time += begin.elapsed();
        self.swaps += swapper.map_or(0, Swapper::stop);
    }
}

/// A thread that sets a payload every [`INTERVAL`], or as often as it can.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Swapper {
    fn start(client: &Client, payload: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (client, payload, stopped) = (client.clone(), payload.to_owned(), stop.clone());
        let thread = thread::spawn(move || {
            let mut swaps = 0;
            let mut due = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                client.set_payload(&payload).expect("a payload");
                swaps += 1;
                due = (due + INTERVAL).max(Instant::now());
                thread::sleep(due - Instant::now());
            }
            swaps
        });
        Swapper { stop, thread }
    }

    /// Stops the thread. Returns the number of swaps.
    fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic")
    }
}
