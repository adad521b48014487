//! Cargo's subcommands of other projects that the commands need.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::run::{cargo, root, run};

/// Returns this program of the `PATH`. Otherwise installs this version in `target/tools`.
pub(crate) fn obtain(name: &str, version: &str) -> Result<PathBuf> {
    let on_path = PathBuf::from(name);
    if works(&on_path, name) {
        return Ok(on_path);
    }
    let folder = root().join("target/tools");
    let own = folder.join("bin").join(name);
    if !works(&own, name) {
        // Unoptimized: it runs for a second and would compile for minutes.
        let mut install = cargo(["install", name, "--locked", "--debug", "--quiet"]);
        install.args(["--version", version, "--root"]).arg(&folder);
        run(install.env("CARGO_TARGET_DIR", root().join("target/tools/build")))?;
    }
    Ok(own)
}

/// Whether the program runs. Cargo passes a subcommand its own name first.
fn works(program: &Path, name: &str) -> bool {
    let subcommand = name.trim_start_matches("cargo-");
    let mut version = Command::new(program);
    version.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}
