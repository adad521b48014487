//! The test that other SDKs and we can share one Redis.

use crate::run::{cargo, root, run};
use crate::{Result, redis, sdks};

/// Installs the other SDKs, and compares their results with ours.
pub(crate) fn interop() -> Result {
    let folder = root().join("dev/interop");
    sdks::install_python(&folder.join("python"))?;
    sdks::install_javascript(&folder.join("javascript"))?;
    let mut interop = cargo(["run", "--quiet", "--package", "interop"]);
    run(interop.env(redis::SERVER_VARIABLE, redis::obtain()?))
}
