//! The official conformance corpus. It is not part of the repository: it is taken from the
//! registry package of the official Rust SDK, and verified.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Result;
use crate::run::{cargo, output, root};

/// The version of the specification the corpus is made for.
pub(crate) const SPEC_VERSION: &str = "0.12.0";

/// The suites this SDK answers.
pub(crate) const SUITES: [&str; 14] = [
    "evalCondition",
    "hash",
    "getBucketRange",
    "chooseVariation",
    "getEqualWeights",
    "inNamespace",
    "getQueryStringOverride",
    "decrypt",
    "feature",
    "run",
    "stickyBucket",
    "contextualBandit",
    "savedGroupReferencesV2",
    "savedGroupReferencesRemote",
];

const PACKAGE: &str = "growthbook-rust";
const PACKAGE_VERSION: &str = "0.4.0";
const FILE: &str = "tests/cases/cases.json";
const SHA256: &str = "01811b2c39ab6f80426376342fa8338f5447d6d1a9d14095dbc06fc3cc882bf3";

/// Names a local copy to use instead.
const VARIABLE: &str = "GROWTHBOOK_CORPUS";

/// The corpus's path: a verified local copy, fetched when there is none yet.
pub(crate) fn obtain() -> Result<PathBuf> {
    if let Some(path) = env::var_os(VARIABLE) {
        let path = env::current_dir()?.join(path);
        verify(&path)?;
        return Ok(path);
    }
    let path = root().join(".corpus/cases.json");
    if verify(&path).is_err() {
        fetch(&path)?;
        verify(&path)?;
    }
    Ok(path)
}

fn verify(path: &Path) -> Result {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest != SHA256 {
        return Err(format!("{}: SHA-256 is {digest}, expected {SHA256}", path.display()).into());
    }
    Ok(())
}

/// Lets cargo download the package as a dependency of a crate made for the purpose, and copies
/// the corpus out of it.
fn fetch(path: &Path) -> Result {
    let folder = root().join("target/xtask/corpus");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let manifest = folder.join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"corpus\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [workspace]\n\n[dependencies]\n{PACKAGE} = \"={PACKAGE_VERSION}\"\n"
        ),
    )?;
    let mut metadata = cargo(["metadata", "--quiet", "--format-version", "1", "--manifest-path"]);
    let metadata: Value = serde_json::from_str(&output(metadata.arg(&manifest))?)?;
    let package = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == PACKAGE && package["version"] == PACKAGE_VERSION)
        .and_then(|package| package["manifest_path"].as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .ok_or_else(|| format!("cargo did not provide {PACKAGE} {PACKAGE_VERSION}"))?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(package.join(FILE), path)?;
    Ok(())
}
