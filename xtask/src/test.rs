//! All tests.

use std::path::Path;

use crate::Result;
use crate::ci::LIBRARIES;
use crate::corpus;
use crate::run::{cargo, root, run};

/// `serde_json` features that other crates of a program may turn on. No answer may depend on them.
const SERDE_JSON_FEATURES: &str = "arbitrary-precision,preserve-order";

pub(crate) fn test() -> Result {
    let official = corpus::obtain()?;
    run(&mut cargo(["test", "--quiet", "--workspace", "--all-features"]))?;
    for library in LIBRARIES {
        run(&mut cargo(["test", "--quiet", "--package", library, "--no-default-features"]))?;
    }
    run(&mut cargo(["run", "--quiet", "--example", "quickstart"]))?;
    conformance(&official, &[])?;
    conformance(&official, &["--features", SERDE_JSON_FEATURES])
}

/// Runs the official corpus and our own ones, on core and façade.
fn conformance(official: &Path, features: &[&str]) -> Result {
    let mut runner = cargo(["run", "--quiet", "--package", "spec-tests"]);
    runner.args(features).args(["--", "--spec-version", corpus::SPEC_VERSION]);
    for suite in corpus::SUITES {
        runner.args(["--suite", suite]);
    }
    run(runner.arg(official).current_dir(root()))
}
