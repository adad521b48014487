//! Clients and a server that changes and restarts under them.

use crate::Result;
use crate::run::{cargo, run};

/// `[--seconds N]`
pub(crate) fn soak(arguments: &[String]) -> Result {
    let mut soak = cargo(["run", "--quiet", "--release", "--package", "soak", "--"]);
    run(soak.args(arguments))
}

/// Long enough for several restarts.
pub(crate) fn short() -> Result {
    soak(&["--seconds".into(), "20".into()])
}
