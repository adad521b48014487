//! The gain of a second thread that uses the same client: `cargo bench --bench threads`.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

mod scenarios;
mod waiting;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use criterion::Throughput;
use growthbook::{Client, UserScope};

use scenarios::request::Request;
use scenarios::{EXPERIMENT, USERS};
use waiting::Waiting;

/// The number of turns of one thread and of two threads, for the printed ratio.
const TURNS: usize = 51;

/// The number of calls of each thread in a turn.
const CALLS: u64 = 200_000;

/// The largest share of a turn that a thread may wait for a core.
const WAITED: f64 = 0.02;

/// Makes this many calls on one thread. Every thread has its own users.
type Ask = fn(&Client, Start<'_>, u64) -> Calls;

const WAYS: [(&str, Ask); 2] = [("scopes at hand", ask_scopes), ("user and scope anew", ask_anew)];

fn main() {
    let client = scenarios::experiment_client();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("calls a second of 2 threads over those of 1, on {cores} cores");
    if !Waiting::of_this_thread().is_known() {
        println!("(other programs may disturb this: the system does not report waiting times)");
    }
    for (name, ask) in WAYS {
        report(name, &client, ask);
    }

    let mut criterion = scenarios::short_criterion();
    for (name, ask) in WAYS {
        let mut group = criterion.benchmark_group(format!("threads, {name}"));
        for threads in [1, 2] {
            // One iteration is one call of each thread.
            group.throughput(Throughput::Elements(threads as u64));
            group.bench_function(threads.to_string(), |bencher| {
                bencher.iter_custom(|calls| run(&client, ask, threads, calls).elapsed);
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// Prints the ratio of the calls of two threads to those of one: the median of the turns, and their
/// range. A turn does not count if a thread had to wait for a core.
fn report(name: &str, client: &Client, ask: Ask) {
    let (turns, calls) = if scenarios::is_test() { (1, 1_000) } else { (TURNS, CALLS) };
    let ratio = |_| {
        let [one, two] = [1, 2].map(|threads| run(client, ask, threads, calls));
        let undisturbed = one.waited <= WAITED && two.waited <= WAITED;
        undisturbed.then(|| 2.0 * one.elapsed.as_secs_f64() / two.elapsed.as_secs_f64())
    };
    let mut ratios: Vec<f64> = (0..turns).filter_map(ratio).collect();
    if scenarios::is_test() {
        return; // There are too few calls for a result.
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2);
    if let (Some(median), Some(least), Some(most)) = (median, ratios.first(), ratios.last()) {
        let undisturbed = ratios.len();
        println!(
            "{name:<20} {median:.2} x, from {least:.2} to {most:.2} in {undisturbed} of {turns} turns"
        );
    } else {
        println!("{name:<20} no result: the threads had to wait for a core in all {turns} turns");
    }
}

/// The report of one thread.
struct Calls {
    begin: Instant,
    end: Instant,
    /// The share of the time that the thread waited for a core.
    waited: f64,
}

/// The barrier where threads wait until all of them are ready.
#[derive(Clone, Copy)]
struct Start<'a>(&'a Barrier);

impl Start<'_> {
    fn time(self, calls: impl FnOnce()) -> Calls {
        let mut waiting = Waiting::of_this_thread();
        self.0.wait();
        let (begin, before) = (Instant::now(), waiting.total());
        calls();
        let (end, after) = (Instant::now(), waiting.total());
        Calls { begin, end, waited: (after - before).div_duration_f64(end - begin) }
    }
}

/// The report of all threads together.
struct Run {
    /// From the first thread's first call to the last thread's last one.
    elapsed: Duration,
    /// The largest share of the time that one thread waited for a core.
    waited: f64,
}

fn run(client: &Client, ask: Ask, threads: usize, calls: u64) -> Run {
    let barrier = Barrier::new(threads);
    let reports: Vec<Calls> = thread::scope(|scope| {
        let run = || ask(client, Start(&barrier), calls);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let begin = reports.iter().map(|calls| calls.begin).min().expect("a thread");
    let end = reports.iter().map(|calls| calls.end).max().expect("a thread");
    let waited = reports.iter().map(|calls| calls.waited).fold(0.0, f64::max);
    Run { elapsed: end - begin, waited }
}

/// Uses existing scopes. No thread writes memory that another thread reads.
fn ask_scopes(client: &Client, start: Start<'_>, calls: u64) -> Calls {
    let scopes: Vec<UserScope> =
        scenarios::users().into_iter().map(|user| client.for_user(user)).collect();
    let mut turns = scopes.iter().cycle();
    start.time(|| {
        for _ in 0..calls {
            black_box(turns.next().map(|scope| scope.is_on(black_box(EXPERIMENT))));
        }
    })
}

/// Creates a scope for each call, as a request does. A scope counts as an owner of the snapshot, so
/// all threads write the same counter.
fn ask_anew(client: &Client, start: Start<'_>, calls: u64) -> Calls {
    let requests: Vec<Request> = (0..USERS).map(Request::new).collect();
    let mut turns = requests.iter().cycle();
    start.time(|| {
        for _ in 0..calls {
            let user = turns.next().map(Request::user);
            black_box(user.map(|user| client.for_user(user).is_on(black_box(EXPERIMENT))));
        }
    })
}
