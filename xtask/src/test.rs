//! The run of all tests.

use crate::Result;
use crate::ci::LIBRARIES;
use crate::corpus::{self, Corpora};
use crate::redis;
use crate::run::{cargo, run};

/// `serde_json` features that other crates of a program may turn on. No answer may depend on them.
const SERDE_JSON_FEATURES: &str = "arbitrary-precision,preserve-order";

/// Our own corpora: answers of other implementations, and our choice where they disagree.
const RECORDED: [&str; 6] =
    ["recorded", "disputed", "regex", "regex_backtracking", "url", "remote_eval"];

pub(crate) fn test() -> Result {
    let corpora = corpus::obtain()?;
    let redis = redis::obtain()?;
    let tests = |arguments: &[&str]| {
        let mut tests = cargo(["test", "--quiet"]);
        run(tests.args(arguments).env(redis::SERVER_VARIABLE, &redis))
    };
    tests(&["--workspace", "--all-features"])?;
    for library in LIBRARIES {
        tests(&["--package", library, "--no-default-features"])?;
    }
    run(&mut cargo(["run", "--quiet", "--example", "quickstart"]))?;
    run(&mut cargo(["run", "--quiet", "--example", "quickstart", "--", "--live"]))?;
    conformance(&corpora, &[])?;
    conformance(&corpora, &["--features", SERDE_JSON_FEATURES])
}

/// Runs every corpus on the core and on the facade.
fn conformance(corpora: &Corpora, features: &[&str]) -> Result {
    let runner = || {
        let mut runner = cargo(["run", "--quiet", "--package", "spec-tests"]);
        runner.args(features).arg("--");
        runner
    };
    let mut official = runner();
    official.args(["--spec-version", corpus::SPEC_VERSION]);
    for suite in corpus::SUITES {
        official.args(["--suite", suite]);
    }
    run(official.arg(&corpora.official))?;

    match &corpora.rust {
        Some(rust) => run(runner().args(["--except", "spec-tests/exceptions.json"]).arg(rust))?,
        None => println!("rust.json: skipped, because only the official corpus is given"),
    }

    let mut recorded = runner();
    for corpus in RECORDED {
        recorded.arg(format!("spec-tests/corpus/{corpus}.json"));
    }
    run(&mut recorded)
}
