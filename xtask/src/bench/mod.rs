//! The benchmarks.

mod callgrind;
mod comparison;
mod instructions;

use crate::run::{cargo, run};
use crate::{Result, redis};

pub(crate) use instructions::check;

/// The benchmarks: the package, the name, and whether it starts a Redis server.
const BENCHES: [(&str, &str, bool); 7] = [
    ("growthbook", "eval", false),
    ("growthbook", "scope", false),
    ("growthbook", "threads", false),
    ("growthbook", "swap", false),
    ("growthbook-core", "load", false),
    ("growthbook-sticky", "sticky", true),
    ("growthbook-redis-cache", "cache", true),
];

/// Runs benchmarks. `--check` and `--bless` count instructions, and `comparison` compares us with
/// other products. Without arguments, all benchmarks measure times, and the comparison follows.
/// Other arguments select the benchmarks whose names contain one of them.
pub(crate) fn bench(arguments: &[String]) -> Result {
    match arguments {
        [only] if only == "--check" => check(),
        [only] if only == "--bless" => instructions::bless(),
        [only] if only == "comparison" => comparison::compare(),
        [] => time(&[]).and_then(|()| comparison::compare()),
        arguments => time(arguments),
    }
}

fn time(arguments: &[String]) -> Result {
    for (package, name, needs_redis) in BENCHES {
        let mut bench = cargo(["bench", "--all-features", "--package", package, "--bench", name]);
        if needs_redis {
            bench.env(redis::SERVER_VARIABLE, redis::obtain()?);
        }
        run(bench.arg("--").args(arguments))?;
    }
    Ok(())
}
