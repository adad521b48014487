//! The comparison with hand-written code and other products, for `BENCHMARKS.md`.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::run::{cargo, output, root, run};
use crate::{Result, sdks};

const MANIFEST: &str = "dev/comparison/Cargo.toml";
const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// Measures, and writes the tables into `BENCHMARKS.md`.
pub(crate) fn compare() -> Result {
    let package = root().join("dev/comparison");
    sdks::install_javascript(&package.join("javascript"))?;
    sdks::install_python(&package.join("python"))?;
    // Everything is built before anything is measured.
    run(cargo(BUILD).args(ALONE).args([
        "--bin",
        "alone",
        "--bin",
        "memory",
        "--bin",
        "scenarios",
    ]))?;
    run(cargo(BUILD).args(["--bin", "evaluate", "--bin", "report"]))?;

    let results = root().join("target/comparison");
    fs::create_dir_all(&results)?;
    let scenarios = results.join("scenarios.json");
    fs::write(&scenarios, output(cargo(RUN).args(ALONE).args(["--bin", "scenarios"]))?)?;
    let mut script = Command::new("node");
    script.arg(package.join("javascript/measure.mjs"));
    run_script(&mut script, &scenarios, &results.join("javascript.json"))?;
    let mut script = Command::new(package.join("python/.venv/bin/python"));
    script.arg(package.join("python/measure.py"));
    run_script(&mut script, &scenarios, &results.join("python.json"))?;
    run(cargo(RUN).args(["--bin", "evaluate", "--"]).arg(&results))?;
    run(cargo(RUN).args(ALONE).args(["--bin", "alone", "--"]).arg(&results))?;
    run(cargo(RUN).args(ALONE).args(["--bin", "memory", "--"]).arg(&results))?;

    let tables = output(cargo(RUN).args(["--bin", "report", "--"]).arg(&results))?;
    let document = root().join("BENCHMARKS.md");
    let text = fs::read_to_string(&document)?;
    Ok(fs::write(document, with_tables(&text, &tables)?)?)
}

const BUILD: [&str; 6] = ["build", "--quiet", "--release", "--locked", "--manifest-path", MANIFEST];
const RUN: [&str; 6] = ["run", "--quiet", "--release", "--locked", "--manifest-path", MANIFEST];
/// Builds as our users do: without the other products, and without the features they turn on.
const ALONE: [&str; 1] = ["--no-default-features"];

/// Runs a script with one file as its input, and writes its output to another.
fn run_script(script: &mut Command, input: &Path, output: &Path) -> Result {
    run(script.stdin(File::open(input)?).stdout(File::create(output)?))
}

/// Returns the document with its tables replaced by these.
fn with_tables(document: &str, tables: &str) -> Result<String> {
    let (before, rest) = document
        .split_once(BEGIN)
        .ok_or("BENCHMARKS.md lacks the line `<!-- measured: begin -->`")?;
    let (_, after) =
        rest.split_once(END).ok_or("BENCHMARKS.md lacks the line `<!-- measured: end -->`")?;
    Ok(format!("{before}{BEGIN}\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_the_earlier_tables() {
        let document = format!("Before.\n\n{BEGIN}\nold\n\n{END}\nAfter.\n");
        let expected = format!("Before.\n\n{BEGIN}\nnew\n\n{END}\nAfter.\n");
        assert_eq!(with_tables(&document, "new\n\n").unwrap(), expected);
        assert_eq!(with_tables(&expected, "new").unwrap(), expected);
    }

    #[test]
    fn document_without_marks_is_refused() {
        assert!(with_tables("nothing", "new").is_err());
    }
}
