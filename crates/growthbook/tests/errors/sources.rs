//! The variants of the public error types, from the sources of the crates.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates whose errors reach a user of `growthbook`.
const CRATES: [&str; 7] = [
    "growthbook",
    "growthbook-core",
    "growthbook-fetch",
    "growthbook-redis-cache",
    "growthbook-sticky",
    "growthbook-tracking",
    "growthbook-webhook",
];

/// Kinds whose errors cannot be made outside of their crate. Tests beside them have their texts.
const TESTED_ELSEWHERE: [&str; 2] = ["EmbeddedStoreErrorKind", "RedisStoreErrorKind"];

/// Returns the variants of each `pub enum` whose name ends like an error's, as `Type::Variant`.
pub(crate) fn variants() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut variants = Vec::new();
    for name in CRATES {
        for file in files(&crates.join(name).join("src")) {
            variants.extend(variants_in(&fs::read_to_string(file).unwrap()));
        }
    }
    variants
}

/// Returns the Rust files in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of_entry = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let is_source = |path: &PathBuf| path.extension().is_some_and(|it| it == "rs");
    entries.flat_map(of_entry).filter(is_source).collect()
}

/// The sources are formatted, so the lines of a variant begin with exactly one level.
fn variants_in(source: &str) -> Vec<String> {
    let mut variants = Vec::new();
    let mut current = None;
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("pub enum ") {
            let name = rest.split([' ', '<']).next().unwrap();
            let is_error = ["Error", "ErrorKind", "Problem"].iter().any(|end| name.ends_with(end));
            current = (is_error && !TESTED_ELSEWHERE.contains(&name)).then_some(name);
            // A problem of a document in a queue is not an error.
            current = current.filter(|name| *name != "WriteProblem");
        } else if line.starts_with('}') {
            current = None;
        } else if let Some(name) = current
            && let Some(variant) = line.strip_prefix("    ")
            && variant.starts_with(|it: char| it.is_ascii_uppercase())
        {
            let end = variant.find(|it: char| !it.is_ascii_alphanumeric()).unwrap();
            variants.push(format!("{name}::{}", variant.get(..end).unwrap()));
        }
    }
    variants
}

#[test]
fn variants_are_found_in_a_source() {
    let source = "pub enum OneError {\n    /// Doc.\n    A,\n    B {\n        Field: u8,\n    },\n\
                  }\npub enum Other {\n    C,\n}\npub enum TwoError<'a> {\n    D(&'a str),\n}\n";
    assert_eq!(variants_in(source), ["OneError::A", "OneError::B", "TwoError::D"]);
}
