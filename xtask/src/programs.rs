//! Programs of other projects that the commands need on the machine.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::run::{output, run};

/// Returns the path of the first of these programs on the `PATH`. Otherwise installs the Debian
/// package, which needs root.
///
/// # Errors
///
/// When no program is found, and the package cannot be installed.
pub(crate) fn obtain(programs: &[&str], package: &str) -> Result<PathBuf> {
    if let Some(found) = on_path(programs) {
        return Ok(found);
    }
    let names = programs.join(" or ");
    println!("{names}: not on the PATH");
    install(package).map_err(|error| format!("{names} is needed: please install it ({error})"))?;
    on_path(programs)
        .ok_or_else(|| format!("{package} is installed, but {names} is not on the PATH").into())
}

fn on_path(programs: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut candidates =
        programs.iter().flat_map(|program| folders.iter().map(move |folder| folder.join(program)));
    candidates.find(|file| file.is_file())
}

fn install(package: &str) -> Result {
    if on_path(&["apt-get"]).is_none() {
        return Err("it is not installed automatically, because there is no apt-get".into());
    }
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err("only root can install the Debian package".into());
    }
    run(Command::new("apt-get").args(["--quiet", "update"]))?;
    let mut install = Command::new("apt-get");
    install.args(["--quiet", "install", "--yes", "--no-install-recommends", package]);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
