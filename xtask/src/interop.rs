//! Whether other SDKs and we can share one Redis.

use crate::run::{cargo, root, run};
use crate::{Result, sdks};

/// Installs the other SDKs, and compares.
pub(crate) fn interop() -> Result {
    let folder = root().join("interop");
    sdks::install_python(&folder.join("python"))?;
    sdks::install_javascript(&folder.join("javascript"))?;
    run(&mut cargo(["run", "--quiet", "--package", "interop"]))
}
