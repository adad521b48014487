//! Whether a second thread that asks the same client is a second thread's worth:
//! `cargo bench --bench threads`.

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

/// How often one thread and two threads take turns for the printed ratio.
const TURNS: usize = 51;

/// Calls of each thread in a turn.
const CALLS: u64 = 200_000;

/// The share of a turn that its threads may wait for a core.
const WAITED: f64 = 0.02;

/// Asks so many times; every thread has users of its own.
type Ask = fn(&Client, Start<'_>, u64) -> Calls;

const WAYS: [(&str, Ask); 2] = [("scopes at hand", ask_scopes), ("user and scope anew", ask_anew)];

fn main() {
    let client = scenarios::experiment_client();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("calls a second of 2 threads over those of 1, on {cores} cores");
    if !Waiting::of_this_thread().is_known() {
        println!("(other programs may disturb this: the system does not tell)");
    }
    for (name, ask) in WAYS {
        report(name, &client, ask);
    }

    let mut criterion = scenarios::short_criterion();
    for (name, ask) in WAYS {
        let mut group = criterion.benchmark_group(format!("threads, {name}"));
        for threads in [1, 2] {
            // An iteration is a call of each thread.
            group.throughput(Throughput::Elements(threads as u64));
            group.bench_function(threads.to_string(), |bencher| {
                bencher.iter_custom(|calls| run(&client, ask, threads, calls).elapsed);
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// Prints how many times as much two threads do: the median of the turns, and their range. A turn
/// in which a thread had to wait for a core says nothing about two threads, and is left out.
fn report(name: &str, client: &Client, ask: Ask) {
    let (turns, calls) = if scenarios::is_test() { (1, 1_000) } else { (TURNS, CALLS) };
    let ratio = |_| {
        let [one, two] = [1, 2].map(|threads| run(client, ask, threads, calls));
        let undisturbed = one.waited <= WAITED && two.waited <= WAITED;
        undisturbed.then(|| 2.0 * one.elapsed.as_secs_f64() / two.elapsed.as_secs_f64())
    };
    let mut ratios: Vec<f64> = (0..turns).filter_map(ratio).collect();
    if scenarios::is_test() {
        return; // Too few calls to say anything.
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2);
    if let (Some(median), Some(least), Some(most)) = (median, ratios.first(), ratios.last()) {
        let undisturbed = ratios.len();
        println!(
            "{name:<20} {median:.2} x, from {least:.2} to {most:.2} in {undisturbed} of {turns} turns"
        );
    } else {
        println!(
            "{name:<20} not told: in none of {turns} turns the threads had cores of their own"
        );
    }
}

/// What a thread reports.
struct Calls {
    begin: Instant,
    end: Instant,
    /// The share of the time it waited for a core.
    waited: f64,
}

/// Where threads wait until all are set up.
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

/// What all threads together report.
struct Run {
    /// From the first thread's first call to the last thread's last one.
    elapsed: Duration,
    /// The share of the time that the thread which waited most for a core did so.
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

/// Scopes made before: nothing is written that another thread reads.
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

/// As requests do it: a scope holds on to the payload, and so all threads write one counter.
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
