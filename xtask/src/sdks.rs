//! The installation of other SDKs. Their versions are pinned next to the scripts that use them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::run::run;

/// Installs the packages of the folder's `requirements.txt` into its `.venv`, unless they are.
pub(crate) fn install_python(folder: &Path) -> Result {
    let done = Installed::of(folder, "requirements.txt", ".venv/installed")?;
    if done.is_current() {
        return Ok(());
    }
    run(Command::new("python3").current_dir(folder).args(["-m", "venv", ".venv"]))?;
    let mut install = Command::new(folder.join(".venv/bin/pip"));
    run(install.current_dir(folder).args(["install", "--quiet", "-r", "requirements.txt"]))?;
    done.note()
}

/// Installs the packages of the folder's `package.json` into its `node_modules`, unless they are.
pub(crate) fn install_javascript(folder: &Path) -> Result {
    let done = Installed::of(folder, "package.json", "node_modules/.installed")?;
    if done.is_current() {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-save", "--no-package-lock", "--no-audit"]);
    run(install.current_dir(folder))?;
    done.note()
}

/// A file that has a copy of the list of packages that were installed last.
struct Installed {
    file: PathBuf,
    packages: String,
}

impl Installed {
    fn of(folder: &Path, packages: &str, file: &str) -> Result<Self> {
        let packages = fs::read_to_string(folder.join(packages))?;
        Ok(Installed { file: folder.join(file), packages })
    }

    /// Whether the list did not change since then.
    fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|packages| packages == self.packages)
    }

    fn note(&self) -> Result {
        Ok(fs::write(&self.file, &self.packages)?)
    }
}
