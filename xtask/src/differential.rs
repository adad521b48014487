//! Fresh cases, answered by other implementations and by us.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::run::{cargo, root, run};

const DEFAULT_CASES: u32 = 2_000;
/// Not the seed of the recorded corpus, so that the default finds something new.
const DEFAULT_SEED: u32 = 2;

/// The corpora the recorder writes that are to agree with us.
const CORPORA: [&str; 4] = ["recorded", "disputed", "regex", "url"];

/// `[--cases N] [--seed S]`
pub(crate) fn differential(arguments: &[String]) -> Result {
    let (cases, seed) = parse(arguments)?;
    let recorder = root().join("spec-tests/recorder");
    set_up(&recorder)?;

    let answers = root().join("target/differential");
    fs::create_dir_all(&answers)?;
    let mut record = Command::new(recorder.join(".venv/bin/python"));
    record.current_dir(&recorder).arg("record.py").arg("--into").arg(&answers);
    run(record.args(["--cases", &cases.to_string(), "--seed", &seed.to_string()]))?;

    let mut runner = cargo(["run", "--quiet", "--package", "spec-tests", "--"]);
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

/// The implementations to compare with, in the versions that are pinned beside the recorder. The
/// Rust one is built by the recorder itself.
fn set_up(recorder: &Path) -> Result {
    if !recorder.join(".venv/bin/python").exists() {
        run(Command::new("python3").current_dir(recorder).args(["-m", "venv", ".venv"]))?;
        let mut install = Command::new(recorder.join(".venv/bin/pip"));
        run(install.current_dir(recorder).args(["install", "--quiet", "-r", "requirements.txt"]))?;
    }
    if !recorder.join("node_modules").exists() {
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-save", "--no-package-lock", "--no-audit"]);
        run(install.current_dir(recorder))?;
    }
    Ok(())
}
