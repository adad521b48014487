//! The check of the licences, bans and sources of all dependencies, with cargo-deny.

use std::process::Command;

use crate::run::{root, run};
use crate::{Result, tools};

/// The version to install if cargo-deny is missing.
const VERSION: &str = "0.20.2";

pub(crate) fn check() -> Result {
    let program = tools::obtain("cargo-deny", VERSION)?;
    println!("advisories: skipped, because CI cannot reach the advisory database");
    run(Command::new(program).current_dir(root()).args(["check", "licenses", "bans", "sources"]))
}
