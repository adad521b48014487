//! The cost of a request: `cargo bench --bench scope`. A request builds a user context of eight
//! attributes and a scope, and evaluates one flag.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

mod allocations;
mod scenarios;

use std::hint::black_box;
use std::process::ExitCode;
use std::thread;

use criterion::{BatchSize, Criterion};
use growthbook::Client;

use allocations::allocations;
use scenarios::people::people;
use scenarios::request::Request;
use scenarios::{EXPERIMENT, USERS};

/// The limit of allocations for a request that builds a user context.
const ALLOCATIONS: u64 = 1;

fn main() -> ExitCode {
    // Every server has several threads. A process with several threads allocates more slowly.
    thread::spawn(thread::park);

    let client = scenarios::experiment_client();
    let requests: Vec<Request> = (0..USERS).map(Request::new).collect();
    if !report_allocations(&client, &requests) {
        eprintln!(
            "a request must not allocate more than {ALLOCATIONS} time, and with a source never"
        );
        return ExitCode::FAILURE;
    }
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, &client, &requests);
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// Prints the allocations of a request. Returns whether they are within the limits.
fn report_allocations(client: &Client, requests: &[Request]) -> bool {
    // The first scope of a thread allocates memory that later scopes of the thread share.
    drop(client.for_user("user"));
    let few = |name: &str, bound: u64, ask: &dyn Fn(&Request) -> bool| {
        let each = requests.iter().map(|request| allocations(std::slice::from_ref(request), ask));
        let most = each.max().unwrap_or_default();
        println!("{name:<32} {most} allocations at most");
        most <= bound
    };
    [
        few("user of 8 attributes", ALLOCATIONS, &|request| request.user().attributes().is_empty()),
        few("user, scope and one evaluation", ALLOCATIONS, &|request| {
            client.for_user(request.user()).is_on(EXPERIMENT)
        }),
        few("source, scope and one evaluation", 0, &|request| {
            client.for_source(request).is_on(EXPERIMENT)
        }),
    ]
    .iter()
    .all(|few| *few)
}

fn measure(criterion: &mut Criterion, client: &Client, requests: &[Request]) {
    let mut group = criterion.benchmark_group("request");
    let mut turns = requests.iter().cycle();
    group.bench_function("user, scope and one evaluation", |bencher| {
        bencher.iter(|| {
            let user = turns.next().map(Request::user);
            user.map(|user| client.for_user(user).is_on(black_box(EXPERIMENT)))
        });
    });
    let mut turns = requests.iter().cycle();
    group.bench_function("source, scope and one evaluation", |bencher| {
        bencher.iter(|| {
            let source = turns.next();
            source.map(|source| client.for_source(source).is_on(black_box(EXPERIMENT)))
        });
    });
    let people = people();
    let mut turns = people.iter().cycle();
    group.bench_function("with list and object, scope and one evaluation", |bencher| {
        bencher.iter(|| {
            let person = turns.next();
            person.map(|it| client.for_user(it.context()).is_on(black_box(EXPERIMENT)))
        });
    });
    let mut turns = requests.iter().cycle();
    group.bench_function("user", |bencher| {
        bencher.iter(|| turns.next().map(Request::user));
    });
    // The time does not include building the user and dropping the scope.
    let mut turns = requests.iter().cycle();
    group.bench_function("scope", |bencher| {
        let user = || turns.next().map(Request::user).expect("one more");
        bencher.iter_batched(user, |user| client.for_user(user), BatchSize::SmallInput);
    });
    group.finish();
}
