//! The time of one evaluation: `cargo bench --bench eval`. Fails if an evaluation allocates.
//!
//! The timed section does not include creating users and scopes.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

mod allocations;
mod scenarios;

use std::hint::black_box;
use std::process::ExitCode;
use std::thread;

use criterion::Criterion;
use growthbook::{Evaluator, UserContext};

use allocations::allocations;
use scenarios::Scenario;

fn main() -> ExitCode {
    // Every server has several threads. A process with several threads allocates more slowly.
    thread::spawn(thread::park);

    let (scenarios, users) = (scenarios::all(), scenarios::users());
    if !report_allocations(&scenarios, &users) {
        eprintln!("an evaluation must not allocate");
        return ExitCode::FAILURE;
    }
    let mut criterion = Criterion::default().configure_from_args();
    for scenario in &scenarios {
        measure(&mut criterion, scenario, &users);
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// Prints the allocations of every scenario. Returns whether all counts are zero.
fn report_allocations(scenarios: &[Scenario], users: &[UserContext]) -> bool {
    let calls = format!("allocations, {} calls", users.len());
    println!("{calls:<32} {:>14} {:>14}", "facade", "core");
    let mut none = true;
    for scenario in scenarios {
        let snapshot = scenario.client.snapshot();
        let evaluators: Vec<Evaluator<'_>> = users.iter().map(|it| snapshot.for_user(it)).collect();
        let facade = allocations(&scenario.scopes(users), |scope| scope.is_on(scenario.flag));
        let core = allocations(&evaluators, |evaluator| evaluator.is_on(scenario.flag));
        println!("{:<32} {facade:>14} {core:>14}", scenario.name);
        none &= facade == 0 && core == 0;
    }
    none
}

fn measure(criterion: &mut Criterion, scenario: &Scenario, users: &[UserContext]) {
    let snapshot = scenario.client.snapshot();
    let mut group = criterion.benchmark_group(scenario.name);
    let scopes = scenario.scopes(users);
    let mut turns = scopes.iter().cycle();
    group.bench_function("facade", |bencher| {
        bencher.iter(|| turns.next().map(|scope| scope.is_on(black_box(scenario.flag))));
    });
    let evaluators: Vec<Evaluator<'_>> = users.iter().map(|it| snapshot.for_user(it)).collect();
    let mut turns = evaluators.iter().cycle();
    group.bench_function("core", |bencher| {
        bencher.iter(|| turns.next().map(|evaluator| evaluator.is_on(black_box(scenario.flag))));
    });
    group.finish();
}
