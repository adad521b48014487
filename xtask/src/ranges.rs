//! The check of the manifests' version ranges: the libraries build with the minimum supported Rust
//! version, with the lowest and with the newest dependencies that the ranges allow.
//!
//! A program of its own depends on the libraries, so Cargo resolves the ranges as it does for
//! users. The workspace's lock file and the dependencies of its tests have no effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::ci::LIBRARIES;
use crate::run::{cargo, output, root, run};

/// The choice of Cargo's resolver among versions that need a newer Rust.
const RESOLVER: &str = "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS";

pub(crate) fn check() -> Result {
    let workspace = Workspace::read()?;
    workspace.install_toolchain()?;
    // Users with an older resolver get the newest version, even if it needs a newer Rust.
    workspace.check("newest", "allow", &BTreeMap::new())?;
    // The dependencies of dependencies have ranges of their own, which are not ours to check.
    workspace.check("lowest", "fallback", &workspace.lowest)
}

/// What the manifests of the libraries say.
struct Workspace {
    rust_version: String,
    libraries: Vec<Library>,
    /// The lowest version of each direct dependency.
    lowest: BTreeMap<String, String>,
}

struct Library {
    name: String,
    folder: String,
    features: Vec<String>,
}

impl Workspace {
    fn read() -> Result<Self> {
        let metadata = output(&mut cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let packages = list(&metadata["packages"]);
        let packages = packages.filter(|package| LIBRARIES.contains(&text(&package["name"])));
        let mut rust_versions = BTreeSet::new();
        let mut libraries = Vec::new();
        let mut lowest = BTreeMap::new();
        for package in packages {
            rust_versions.insert(text(&package["rust_version"]).to_owned());
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let features = package["features"].as_object().into_iter().flatten();
            libraries.push(Library {
                name: text(&package["name"]).to_owned(),
                folder: manifest.parent().unwrap_or(&manifest).display().to_string(),
                features: features.map(|(name, _)| name.clone()).collect(),
            });
            for dependency in list(&package["dependencies"]) {
                let is_ours = dependency["source"].is_null();
                let is_for_tests = text(&dependency["kind"]) == "dev";
                if !is_ours && !is_for_tests {
                    let version = lowest_version(text(&dependency["req"]))?;
                    lowest.insert(text(&dependency["name"]).to_owned(), version);
                }
            }
        }
        match Vec::from_iter(rust_versions).as_slice() {
            [one] => Ok(Workspace { rust_version: one.clone(), libraries, lowest }),
            several => Err(format!("the libraries have these Rust versions: {several:?}").into()),
        }
    }

    fn install_toolchain(&self) -> Result {
        let version = self.rust_version.as_str();
        let mut probe = Command::new("rustup");
        probe.current_dir(root()).args(["run", version, "rustc", "--version"]);
        if !probe.output().is_ok_and(|probe| probe.status.success()) {
            let mut install = Command::new("rustup");
            install.args(["toolchain", "install", version, "--profile", "minimal"]);
            run(install.current_dir(root()))?;
        }
        Ok(())
    }

    /// Resolves the ranges again, with these versions fixed, and checks the libraries.
    fn check(&self, name: &str, resolver: &str, fixed: &BTreeMap<String, String>) -> Result {
        let folder = root().join("target/ranges").join(name);
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("src/lib.rs"), "")?;
        fs::write(folder.join("Cargo.toml"), self.manifest(name, fixed))?;
        // Cargo keeps the versions of an existing lock file.
        let _ = fs::remove_file(folder.join("Cargo.lock"));

        println!("{name} versions, with Rust {}", self.rust_version);
        let mut check = Command::new("rustup");
        check.args(["run", &self.rust_version, "cargo", "check", "--quiet"]);
        check.env(RESOLVER, resolver).current_dir(&folder);
        // The cargo that runs this program sets variables that would select its own toolchain.
        check.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
        run(check.env("CARGO_TARGET_DIR", root().join("target/ranges/build")))
    }

    fn manifest(&self, name: &str, fixed: &BTreeMap<String, String>) -> String {
        let mut manifest = format!(
            "[workspace]\n\n[package]\nname = \"{name}\"\nversion = \"0.0.0\"\n\
             edition = \"2024\"\nrust-version = \"{}\"\n\n[dependencies]\n",
            self.rust_version
        );
        // Writing to a string cannot fail.
        for Library { name, folder, features } in &self.libraries {
            let _ = writeln!(manifest, "{name} = {{ path = {folder:?}, features = {features:?} }}");
        }
        for (name, version) in fixed {
            let _ = writeln!(
                manifest,
                "{name} = {{ version = \"={version}\", default-features = false }}"
            );
        }
        manifest
    }
}

/// Returns the lowest version in a range with a caret or a tilde.
fn lowest_version(range: &str) -> Result<String> {
    let version = range.trim_start_matches(['^', '~', '=']);
    let mut parts: Vec<&str> = version.split('.').collect();
    if parts.len() > 3 || !parts.iter().all(|part| part.parse::<u64>().is_ok()) {
        return Err(format!("the lowest version of {range} is not known: add it here").into());
    }
    parts.resize(3, "0");
    Ok(parts.join("."))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_version_is_the_bound_of_the_range() {
        let cases = [("^1.2.3", "1.2.3"), ("~4.1", "4.1.0"), ("=2", "2.0.0")];
        for (range, lowest) in cases {
            assert_eq!(lowest_version(range).unwrap(), lowest);
        }
        for range in ["*", ">=1, <3", "^1.0.0-beta"] {
            assert!(lowest_version(range).is_err(), "{range}");
        }
    }
}
