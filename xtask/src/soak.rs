//! The soak: clients evaluate while a server changes and restarts.

use crate::Result;
use crate::run::{cargo, run};

/// Runs the soak. The arguments are `[--seconds N]`.
pub(crate) fn soak(arguments: &[String]) -> Result {
    let mut soak = cargo(["run", "--quiet", "--release", "--package", "soak", "--"]);
    run(soak.args(arguments))
}

/// Runs the soak just long enough for several restarts.
pub(crate) fn short() -> Result {
    soak(&["--seconds".into(), "20".into()])
}
