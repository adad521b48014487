//! The number of instructions of an evaluation. Unlike times, it does not depend on the load of
//! the machine.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::callgrind;
use crate::Result;
use crate::figures::{self, Figures};
use crate::run::{cargo, output, root};

/// The committed figures, next to the benchmark.
const FILE: &str = "crates/growthbook/benches/instructions.txt";

/// The folder of the profiles, for `callgrind_annotate`.
const PROFILES: &str = "target/instructions";

/// The rounds of a case's two runs. The difference of their counts is the result, so that set-up
/// and first rounds do not count.
const ROUNDS: [u64; 2] = [1, 3];

/// Counts the instructions, and compares them with the committed figures.
///
/// # Errors
///
/// When a case grew by more than the limit, or the cases are not the committed ones.
pub(crate) fn check() -> Result {
    let advice = format!("`callgrind_annotate` shows the places, from {PROFILES}");
    figures::check(FILE, "cargo xtask bench --bless", &advice, &count()?)
}

/// Counts the instructions, and writes the file to commit.
pub(crate) fn bless() -> Result {
    figures::bless(FILE, "Instructions per call. Written by `cargo xtask bench --bless`.", count()?)
}

/// A case of the benchmark.
struct Case {
    name: String,
    calls_per_round: u64,
}

fn count() -> Result<Figures> {
    let valgrind = callgrind::obtain()?;
    let program = build()?;
    let profiles = root().join(PROFILES);
    fs::create_dir_all(&profiles)?;

    let cases: Mutex<VecDeque<Case>> = Mutex::new(cases(&output(&mut Command::new(&program))?)?);
    let next = || cases.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let worker = || {
        let mut counted = BTreeMap::new();
        while let Some(case) = next() {
            let figure = count_case(&valgrind, &program, &case, &profiles)
                .map_err(|error| format!("{}: {error}", case.name))?;
            counted.insert(case.name, figure);
        }
        Ok(counted)
    };
    let mut cases = BTreeMap::new();
    for counted in on_all_cores(worker) {
        cases.extend(counted?);
    }
    Figures::of(cases)
}

/// Builds the benchmark, and returns the path of its program. The profile is `release`, as in other
/// steps of CI. It generates the same code as `bench`.
fn build() -> Result<PathBuf> {
    let mut build = cargo(["bench", "--quiet", "--no-run", "--profile", "release"]);
    build.args(["--package", "growthbook", "--bench", "instructions"]);
    let messages = output(build.arg("--message-format=json"))?;
    executable(&messages).ok_or_else(|| "cargo did not report the program of the benchmark".into())
}

/// Finds the benchmark's program in cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut built = messages.filter(|message| message["target"]["name"] == "instructions");
    built.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Parses the benchmark's list of cases.
fn cases(list: &str) -> Result<VecDeque<Case>> {
    let case = |line: &str| {
        let (calls, name) = line.split_once('\t')?;
        Some(Case { name: name.into(), calls_per_round: calls.parse().ok().filter(|it| *it > 0)? })
    };
    list.lines()
        .map(|line| case(line).ok_or_else(|| format!("the line is not a case: {line:?}").into()))
        .collect()
}

fn count_case(valgrind: &Path, program: &Path, case: &Case, profiles: &Path) -> Result<u64> {
    let count = |rounds: u64| {
        let profile = profiles.join(format!("{}.{rounds}.out", file_name(&case.name)));
        let rounds = rounds.to_string();
        let arguments = ["--case", &case.name, "--rounds", &rounds];
        callgrind::instructions(valgrind, program, &arguments, &profile)
    };
    let [fewer, more] = ROUNDS;
    let difference =
        count(more)?.checked_sub(count(fewer)?).ok_or("more rounds took fewer instructions")?;
    let calls = case.calls_per_round * (more - fewer);
    Ok((difference + calls / 2) / calls)
}

/// Returns a file name that needs no quotes in a shell.
fn file_name(case: &str) -> String {
    let words = case.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// Runs the worker on one thread per core. Errors become strings, because a boxed error cannot
/// leave its thread.
fn on_all_cores<T: Send>(worker: impl Fn() -> Result<T> + Sync) -> Vec<Result<T, String>> {
    let worker = || worker().map_err(|error| error.to_string());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let panicked = |_| Err("a thread that counts panicked".into());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{cases, executable, file_name};

    #[test]
    fn program_is_found_in_cargo_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"log"},"executable":null}
not JSON
{"reason":"compiler-artifact","target":{"name":"instructions"},"executable":"/t/instructions-1"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages).as_deref(), Some(Path::new("/t/instructions-1")));
        assert_eq!(executable("{}"), None);
    }

    #[test]
    fn cases_are_listed_with_their_calls() {
        let listed = cases("1024\t50/50 experiment: core\n1\tload\n").unwrap();
        let listed: Vec<(&str, u64)> =
            listed.iter().map(|case| (case.name.as_str(), case.calls_per_round)).collect();
        assert_eq!(listed, [("50/50 experiment: core", 1024), ("load", 1)]);
        for broken in ["no number\tload", "0\tload", "load"] {
            assert!(cases(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn profiles_have_plain_names() {
        assert_eq!(
            file_name("50/50 experiment, 5,000 flags: core"),
            "50-50-experiment-5-000-flags-core"
        );
        assert_eq!(file_name("value: &str"), "value-str");
    }
}
