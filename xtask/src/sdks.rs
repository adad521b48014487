//! The installation of other SDKs. Their versions are pinned next to the scripts that use them.

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::run::run;

/// Installs the packages of the folder's `requirements.txt` into its `.venv`, once.
pub(crate) fn install_python(folder: &Path) -> Result {
    let done = folder.join(".venv/installed");
    if done.exists() {
        return Ok(());
    }
    run(Command::new("python3").current_dir(folder).args(["-m", "venv", ".venv"]))?;
    let mut install = Command::new(folder.join(".venv/bin/pip"));
    run(install.current_dir(folder).args(["install", "--quiet", "-r", "requirements.txt"]))?;
    Ok(std::fs::write(done, "")?)
}

/// Installs the packages of the folder's `package.json` into its `node_modules`, once.
pub(crate) fn install_javascript(folder: &Path) -> Result {
    let done = folder.join("node_modules/.installed");
    if done.exists() {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-save", "--no-package-lock", "--no-audit"]);
    run(install.current_dir(folder))?;
    Ok(std::fs::write(done, "")?)
}
