//! The check that every selection of Cargo features compiles, with cargo-hack.

use std::process::Command;
use std::time::Instant;

use crate::ci::LIBRARIES;
use crate::run::{root, run};
use crate::{Result, tools};

/// The version to install if cargo-hack is missing.
const VERSION: &str = "0.6.46";

/// The most features of a selection in a library with many. Besides these, all features together
/// are checked. A missing import or `cfg` shows itself with two features already.
const DEPTH: &str = "2";

/// The libraries with so many features that not all selections are checked.
const LARGE: [&str; 2] = ["growthbook-sticky", "growthbook"];

/// Checks the power set of each library's features. The dependencies of tests are not activated,
/// because the workspace's resolver leaves them out of a plain `cargo check`.
pub(crate) fn check() -> Result {
    let program = tools::obtain("cargo-hack", VERSION)?;
    for library in LIBRARIES {
        let start = Instant::now();
        let mut hack = Command::new(&program);
        hack.current_dir(root()).args(["hack", "check", "--quiet", "--feature-powerset"]);
        if LARGE.contains(&library) {
            hack.args(["--depth", DEPTH]);
        }
        run(hack.args(["--package", library]))?;
        println!("{library}: {:.0?}", start.elapsed());
    }
    Ok(())
}
