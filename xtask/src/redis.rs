//! The Redis server that tests start for themselves.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::run::{output, run};

/// The environment variable that tells tests which server to run; the same as in `test-server`.
pub(crate) const SERVER_VARIABLE: &str = "GROWTHBOOK_REDIS_SERVER";

/// The programs that will do.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The Debian package with the first of them.
const PACKAGE: &str = "redis-server";

/// The path of a server's program: the one the environment names, one on the `PATH`, or that of
/// Debian's package, which is installed when we are root.
///
/// # Errors
///
/// When there is none. Tests that need it are never skipped.
pub(crate) fn obtain() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(SERVER_VARIABLE) {
        return Ok(path.into());
    }
    if let Some(found) = on_path() {
        return Ok(found);
    }
    println!("none of {} is on the PATH", PROGRAMS.join(", "));
    install().map_err(|error| {
        format!("the tests need a Redis server: install redis-server or valkey-server ({error})")
    })?;
    on_path().ok_or_else(|| format!("{PACKAGE} was installed, and is not on the PATH").into())
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut candidates =
        PROGRAMS.iter().flat_map(|program| folders.iter().map(move |folder| folder.join(program)));
    candidates.find(|file| file.is_file())
}

fn install() -> Result {
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err("only root can install Debian's package".into());
    }
    run(Command::new("apt-get").args(["--quiet", "update"]))?;
    let mut install = Command::new("apt-get");
    install.args(["--quiet", "install", "--yes", "--no-install-recommends", PACKAGE]);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
