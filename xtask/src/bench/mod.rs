//! The benchmarks.

use crate::run::{cargo, run};
use crate::{Result, redis};

/// Each with its package, and whether it starts a Redis server.
const BENCHES: [(&str, &str, bool); 4] = [
    ("growthbook", "eval", false),
    ("growthbook-core", "load", false),
    ("growthbook-sticky", "sticky", true),
    ("growthbook-redis-cache", "cache", true),
];

/// Runs them; further words choose some by name.
pub(crate) fn bench(arguments: &[String]) -> Result {
    for (package, name, needs_redis) in BENCHES {
        let mut bench = cargo(["bench", "--all-features", "--package", package, "--bench", name]);
        if needs_redis {
            bench.env(redis::SERVER_VARIABLE, redis::obtain()?);
        }
        run(bench.arg("--").args(arguments))?;
    }
    Ok(())
}
