//! The check of the licences, bans and sources of all dependencies, with cargo-deny.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Result;
use crate::run::{cargo, root, run};

/// The version to install if cargo-deny is missing.
const VERSION: &str = "0.20.2";

pub(crate) fn check() -> Result {
    let program = obtain()?;
    println!("advisories: skipped, because CI cannot reach the advisory database");
    run(Command::new(program).current_dir(root()).args(["check", "licenses", "bans", "sources"]))
}

/// Returns cargo-deny from the `PATH`. Otherwise installs it in `target/tools`.
fn obtain() -> Result<PathBuf> {
    let on_path = PathBuf::from("cargo-deny");
    if works(&on_path) {
        return Ok(on_path);
    }
    let folder = root().join("target/tools");
    let own = folder.join("bin/cargo-deny");
    if !works(&own) {
        // Unoptimized: it runs for a second and would compile for minutes.
        let mut install = cargo(["install", "cargo-deny", "--locked", "--debug", "--quiet"]);
        install.args(["--version", VERSION, "--root"]).arg(&folder);
        run(install.env("CARGO_TARGET_DIR", root().join("target/tools/build")))?;
    }
    Ok(own)
}

fn works(program: &PathBuf) -> bool {
    let version =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
