//! The soak: clients evaluate while a server changes and restarts. A fleet of processes shares a
//! Redis.

use crate::run::{cargo, run};
use crate::{Result, redis};

/// Runs the soak. The arguments are `[--seconds N]`, `--fleet`, `--tracking` or `--remote [USERS]`.
pub(crate) fn soak(arguments: &[String]) -> Result {
    let mut soak = cargo(["run", "--quiet", "--release", "--package", "soak", "--"]);
    run(soak.args(arguments).env(redis::SERVER_VARIABLE, redis::obtain()?))
}

/// Runs the soak just long enough for several restarts, and then some users of remote evaluation
/// and the fleet.
pub(crate) fn short() -> Result {
    soak(&["--seconds".into(), "20".into()])?;
    soak(&["--remote".into(), "50000".into()])?;
    soak(&["--fleet".into()])
}
