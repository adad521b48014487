//! The gain of a second thread, and the cost of swapping payloads at the same time.
//!
//! A swap includes all steps: its own thread parses, compiles and sets the payload. The processor
//! time of that thread counts.

use std::hint::{self, black_box};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use comparison::report::{Quantity, Report, Row, Target};
use comparison::spread::{Samples, quantile};
use growthbook::{Client, UserContext, UserScope};
use serde_json::{Map, Value, json};

use crate::payloads;
use crate::people::{Person, people};

const FLAG: &str = "experiment";
const ROUNDS: usize = 21;
const LATENCY_ROUNDS: usize = 9;
/// The approximate time of a round of one thread.
const ROUND: Duration = Duration::from_millis(60);
/// The divisor for the warm-up: threads run this part of a round before it.
const WARM_UP: usize = 4;
const SWAPS_PER_SECOND: u32 = 100;
const TIMED_EVALUATIONS: usize = 1_000_000;

pub(crate) fn measure(report: &mut Report) {
    let payload = small_payload();
    let client = Client::from_json(&payload).expect("a payload");
    let users: Vec<UserContext> = people().iter().map(Person::context).collect();

    let scopes = || -> Vec<UserScope<'static>> {
        users.iter().map(|user| client.for_user(user.clone())).collect()
    };
    let held = |scope: &UserScope<'_>| scope.is_on(FLAG);
    let swap = || client.set_payload(&payload).expect("a payload");
    let swaps = Repeated(&swap);
    throughput(report, "scopes held", scopes, held, None);
    let request = |user: &UserContext| client.for_user(user.clone()).is_on(FLAG);
    throughput(report, "a scope for each evaluation", || users.clone(), request, None);
    let session = |person: &Person| client.for_source(person).is_on(FLAG);
    throughput(report, "a scope for each evaluation, no context", people, session, None);
    let what = "a scope for each evaluation, 100 swaps a second";
    throughput(report, what, || users.clone(), request, Some(swaps));

    latency(report, "101 flags", &users, &payload);
    latency(report, "1,000 flags, 835 kB", &users, &payloads::payload(1_000));
}

fn small_payload() -> String {
    let mut features: Map<String, Value> =
        (0..100).map(|flag| (format!("flag-{flag}"), json!({"defaultValue": true}))).collect();
    features.insert(
        FLAG.into(),
        json!({"defaultValue": false, "rules": [
            {"variations": [false, true], "hashVersion": 2, "seed": FLAG, "key": FLAG},
        ]}),
    );
    json!({"features": features}).to_string()
}

/// A function that another thread calls repeatedly.
#[derive(Clone, Copy)]
struct Repeated<'a>(&'a (dyn Fn() + Sync));

impl Repeated<'_> {
    fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let period = Duration::from_secs(1) / SWAPS_PER_SECOND;
                let mut next = Instant::now();
                while !done.load(Ordering::Relaxed) {
                    (self.0)();
                    next += period;
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                }
            });
            let outcome = work();
            done.store(true, Ordering::Relaxed);
            outcome
        })
    }
}

/// Compares the evaluations per second of two threads with those of one thread without swaps.
fn throughput<T: Sync>(
    report: &mut Report,
    what: &str,
    asked: impl Fn() -> Vec<T>,
    ask: impl Fn(&T) -> bool + Copy + Send + Sync,
    swaps: Option<Repeated<'_>>,
) {
    let (first, second) = (asked(), asked());
    let passes = passes(&first, ask);
    let (mut one, mut two) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        one.push(rate(&[&first], ask, passes));
        let both = || rate(&[&first, &second], ask, passes);
        two.push(swaps.map_or_else(both, |swaps| swaps.during(both)));
    }
    report.rows.push(Row {
        number: 11,
        what: format!("two threads, {what}"),
        figure: Quantity::PerSecond(two.spread()),
        beside: Some(("one thread".into(), Quantity::PerSecond(one.spread()))),
        ratio: Some(two.relative_to(&one).spread()),
        target: Target::AtLeast(1.9),
    });
}

/// Returns how often all items fit into a round.
fn passes<T>(asked: &[T], ask: impl Fn(&T) -> bool) -> usize {
    let start = Instant::now();
    let mut passes = 0;
    while start.elapsed() < ROUND {
        pass(asked, &ask);
        passes += 1;
    }
    passes
}

fn pass<T>(asked: &[T], ask: &impl Fn(&T) -> bool) {
    for asked in asked {
        black_box(ask(black_box(asked)));
    }
}

/// Returns the evaluations per second of all threads together, from the first start to the last
/// end.
///
/// The threads run for a while before that, so that the system gives each its own processor. They
/// do not sleep until they start together.
fn rate<T: Sync>(
    threads: &[&[T]],
    ask: impl Fn(&T) -> bool + Copy + Send + Sync,
    passes: usize,
) -> f64 {
    let evaluations: usize = threads.iter().map(|asked| asked.len() * passes).sum();
    let (count, ready) = (threads.len(), AtomicUsize::new(0));
    let run = |asked: &[T]| {
        for _ in 0..passes.div_ceil(WARM_UP) {
            pass(asked, &ask);
        }
        ready.fetch_add(1, Ordering::Relaxed);
        while ready.load(Ordering::Relaxed) < count {
            hint::spin_loop();
        }
        let start = Instant::now();
        for _ in 0..passes {
            pass(asked, &ask);
        }
        (start, Instant::now())
    };
    let run = &run;
    let times: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let running: Vec<_> = threads.iter().map(|asked| scope.spawn(move || run(asked))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let start = times.iter().map(|(start, _)| start).min();
    let end = times.iter().map(|(_, end)| end).max();
    let taken = start.zip(end).map(|(start, end)| end.duration_since(*start));
    evaluations as f64 / taken.unwrap_or_default().as_secs_f64()
}

/// Measures the slowest of 100,000 requests in three ways: with swaps, without swaps, and next to
/// an unrelated thread that parses the same JSON as often.
fn latency(report: &mut Report, size: &str, users: &[UserContext], payload: &str) {
    let client = Client::from_json(payload).expect("a payload");
    let flag = if client.snapshot().contains_feature(FLAG) { FLAG } else { "team-10-flag-510" };
    let swap = || client.set_payload(payload).expect("a payload");
    let read = || drop(black_box(serde_json::from_str::<Value>(payload)));
    let mut times = vec![0.0; TIMED_EVALUATIONS];
    let mut slowest = || slowest(&client, users, flag, &mut times);
    let (mut without, mut with) = (Samples::default(), Samples::default());
    let mut beside_reading = Samples::default();
    slowest();
    for _ in 0..LATENCY_ROUNDS {
        without.push(slowest());
        with.push(Repeated(&swap).during(&mut slowest));
        beside_reading.push(Repeated(&read).during(&mut slowest));
    }
    let row = |other: &Samples, name: &str, target| Row {
        number: 11,
        what: format!("slowest of 100,000, 100 swaps a second of {size}"),
        figure: Quantity::Nanoseconds(with.spread()),
        beside: Some((name.into(), Quantity::Nanoseconds(other.spread()))),
        ratio: Some(with.relative_to(other).spread()),
        target,
    };
    report.rows.push(row(&without, "without", Target::AtMost(1.1)));
    let name = "reading the same as a `Value`";
    report.rows.push(row(&beside_reading, name, Target::None));
}

fn slowest(client: &Client, users: &[UserContext], flag: &str, times: &mut [f64]) -> f64 {
    for (time, user) in times.iter_mut().zip(users.iter().cycle()) {
        let user = user.clone();
        let start = Instant::now();
        black_box(client.for_user(user).is_on(flag));
        *time = start.elapsed().as_nanos() as f64;
    }
    times.sort_unstable_by(f64::total_cmp);
    quantile(times, 0.99999)
}
