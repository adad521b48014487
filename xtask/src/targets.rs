//! The check that the crates without `std` build on targets without a standard library.

use std::process::Command;

use crate::Result;
use crate::run::{cargo, output, root, run};

/// A microcontroller and WebAssembly.
const TARGETS: [&str; 2] = ["thumbv7em-none-eabi", "wasm32-unknown-unknown"];

/// The feature selections of the core that must build on these targets.
const FEATURES: [&[&str]; 2] =
    [&["--no-default-features"], &["--no-default-features", "--features", "encryption"]];

pub(crate) fn check() -> Result {
    add_missing()?;
    for target in TARGETS {
        for features in FEATURES {
            let mut build = cargo(["build", "--quiet", "--package", "growthbook-core"]);
            run(build.args(["--target", target]).args(features))?;
        }
        let mut build = cargo(["build", "--quiet", "--package", "growthbook-webhook"]);
        run(build.args(["--target", target]))?;
    }
    Ok(())
}

/// Installs the targets that are missing.
pub(crate) fn add_missing() -> Result {
    let mut list = Command::new("rustup");
    let installed = output(list.current_dir(root()).args(["target", "list", "--installed"]))?;
    for target in TARGETS {
        if !installed.lines().any(|line| line.trim() == target) {
            run(Command::new("rustup").current_dir(root()).args(["target", "add", target]))?;
        }
    }
    Ok(())
}
