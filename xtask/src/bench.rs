//! The benchmarks.

use crate::Result;
use crate::run::{cargo, run};

/// Runs them; further words choose some by name.
pub(crate) fn bench(arguments: &[String]) -> Result {
    let mut bench = cargo(["bench", "--package", "growthbook", "--bench", "eval", "--"]);
    run(bench.args(arguments))
}
