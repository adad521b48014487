//! The official conformance corpus. It is not part of the repository. It is copied from the
//! registry package of the official Rust SDK, and verified.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Result;
use crate::run::{cargo, output, root};

/// The version of the specification that the corpus is made for.
pub(crate) const SPEC_VERSION: &str = "0.12.0";

/// The suites that this SDK answers.
pub(crate) const SUITES: [&str; 17] = [
    "evalCondition",
    "pruneCondition",
    "reducePayload",
    "hash",
    "getBucketRange",
    "chooseVariation",
    "getEqualWeights",
    "inNamespace",
    "getQueryStringOverride",
    "decrypt",
    "feature",
    "run",
    "urlRedirect",
    "stickyBucket",
    "contextualBandit",
    "savedGroupReferencesV2",
    "savedGroupReferencesRemote",
];

const PACKAGE: &str = "growthbook-rust";
const PACKAGE_VERSION: &str = "0.4.0";

/// A file of the package.
struct Source {
    path: &'static str,
    sha256: &'static str,
}

const OFFICIAL: Source = Source {
    path: "tests/cases/cases.json",
    sha256: "01811b2c39ab6f80426376342fa8338f5447d6d1a9d14095dbc06fc3cc882bf3",
};
/// More cases of the same shape: the official Rust SDK tests itself with them.
const RUST: Source = Source {
    path: "tests/cases/rust.json",
    sha256: "22953185c12eef1e3ece47ac2705a23b38e49d9c719fd4f91ea91dc48202f78c",
};

/// The environment variable with the path of a local copy to use instead.
const VARIABLE: &str = "GROWTHBOOK_CORPUS";

/// The available corpora.
pub(crate) struct Corpora {
    pub(crate) official: PathBuf,
    /// `None` if the official corpus is a local copy, and nothing was fetched before.
    pub(crate) rust: Option<PathBuf>,
}

/// Returns verified local copies. Fetches them if they are missing.
pub(crate) fn obtain() -> Result<Corpora> {
    let (official, rust) = (local(&OFFICIAL), local(&RUST));
    if let Some(path) = env::var_os(VARIABLE) {
        let official = env::current_dir()?.join(path);
        verify(&official, &OFFICIAL)?;
        let rust = verify(&rust, &RUST).is_ok().then_some(rust);
        return Ok(Corpora { official, rust });
    }
    if verify(&official, &OFFICIAL).is_err() || verify(&rust, &RUST).is_err() {
        fetch()?;
        verify(&official, &OFFICIAL)?;
        verify(&rust, &RUST)?;
    }
    Ok(Corpora { official, rust: Some(rust) })
}

/// Returns the path where a fetched file is kept.
fn local(source: &Source) -> PathBuf {
    let folder = root().join(".corpus");
    Path::new(source.path).file_name().map_or(folder.clone(), |name| folder.join(name))
}

fn verify(path: &Path, source: &Source) -> Result {
    let bytes = fs::read(path).map_err(|error| {
        format!("{} ({} of {PACKAGE} {PACKAGE_VERSION}): {error}", path.display(), source.path)
    })?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest != source.sha256 {
        let expected = source.sha256;
        return Err(format!("{}: SHA-256 is {digest}, not {expected}", path.display()).into());
    }
    Ok(())
}

/// Lets cargo download the package as a dependency of a temporary crate, and copies the corpora
/// out of it.
fn fetch() -> Result {
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
    for source in [OFFICIAL, RUST] {
        let path = local(&source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(package.join(source.path), path)?;
    }
    Ok(())
}
