//! The comparison of our answers with other implementations, on newly generated cases.

use std::fs;
use std::process::Command;

use crate::run::{cargo, root, run};
use crate::{Result, sdks};

const DEFAULT_CASES: u32 = 2_000;
/// It differs from the seed of the recorded corpus, so that the default finds something new.
const DEFAULT_SEED: u32 = 2;

/// The corpora of the recorder that must agree with us.
const CORPORA: [&str; 6] =
    ["recorded", "disputed", "regex", "regex_backtracking", "url", "remote_eval"];

/// Runs the comparison. The arguments are `[--cases N] [--seed S]`.
pub(crate) fn differential(arguments: &[String]) -> Result {
    let (cases, seed) = parse(arguments)?;
    let recorder = root().join("spec-tests/recorder");
    // The recorder builds the Rust SDK itself.
    sdks::install_python(&recorder)?;
    sdks::install_javascript(&recorder)?;

    let answers = root().join("target/differential");
    fs::create_dir_all(&answers)?;
    let mut record = Command::new(recorder.join(".venv/bin/python"));
    record.current_dir(&recorder).arg("record.py").arg("--into").arg(&answers);
    run(record.args(["--cases", &cases.to_string(), "--seed", &seed.to_string()]))?;

    // A random pattern may need more steps than a search may take.
    let mut runner =
        cargo(["run", "--quiet", "--package", "spec-tests", "--", "--allow-step-limit"]);
    for corpus in CORPORA {
        runner.arg(answers.join(format!("{corpus}.json")));
    }
    run(&mut runner)
}

fn parse(arguments: &[String]) -> Result<(u32, u32)> {
    let (mut cases, mut seed) = (DEFAULT_CASES, DEFAULT_SEED);
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--cases" => cases = value.parse()?,
            [name, value] if name == "--seed" => seed = value.parse()?,
            _ => return Err("usage: cargo xtask differential [--cases N] [--seed S]".into()),
        }
    }
    Ok((cases, seed))
}
