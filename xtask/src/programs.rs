//! Programs of other projects, that chores need on the machine.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::run::{output, run};

/// The path of the first of these programs on the `PATH`. Where there is none, root on Debian gets
/// the package that has one.
///
/// # Errors
///
/// When there is none, and none can be installed.
pub(crate) fn obtain(programs: &[&str], package: &str) -> Result<PathBuf> {
    if let Some(found) = on_path(programs) {
        return Ok(found);
    }
    let names = programs.join(" or ");
    println!("{names}: not on the PATH");
    install(package).map_err(|error| format!("{names} is needed, please install it ({error})"))?;
    on_path(programs)
        .ok_or_else(|| format!("{package} was installed, and {names} is not on the PATH").into())
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
        return Err("without apt-get it is not installed by itself".into());
    }
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err("only root can install Debian's package".into());
    }
    run(Command::new("apt-get").args(["--quiet", "update"]))?;
    let mut install = Command::new("apt-get");
    install.args(["--quiet", "install", "--yes", "--no-install-recommends", package]);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
