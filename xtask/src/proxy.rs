//! The measurement of the client against a double of the GrowthBook Proxy.

use crate::Result;
use crate::run::{cargo, run};

/// Runs the measurement. The only argument is `--short`.
pub(crate) fn proxy(arguments: &[String]) -> Result {
    let mut proxy = cargo(["run", "--quiet", "--release", "--package", "proxy", "--"]);
    run(proxy.args(arguments))
}

/// Runs the short measurement, which checks counts and only prints times.
pub(crate) fn short() -> Result {
    proxy(&["--short".into()])
}
