//! `spec-tests [--spec-version VERSION] [--allow-step-limit] [--except FILE]... [--suite NAME]...
//! [--command COMMAND] [--at-least N] FILE...`
//!
//! `--allow-step-limit` accepts cases whose search for a pattern reaches its step limit. They are
//! printed and counted.
//!
//! `--except` names a file: a list of cases whose expectation contradicts the specification.
//!
//! `--command` names a program that answers the questions instead of the core and the facade.
//! `--at-least` allows it to answer a part of the cases: so many must pass.
//!
//! Prints each failure, then a line per suite, then `spec: P passed, F failed, S skipped`. Exits
//! with 1 when a case failed or was skipped, and with 2 when the arguments or a file are wrong.

use std::process::ExitCode;

use spec_tests::{Corpus, Engines, Exceptions, Remote, Report};

const USAGE: &str = "\
usage: spec-tests [--spec-version VERSION] [--allow-step-limit] [--except FILE]...
                  [--suite NAME]... [--command COMMAND] [--at-least N] FILE...";

struct Arguments {
    spec_version: Option<String>,
    allow_step_limit: bool,
    except: Vec<String>,
    suites: Vec<String>,
    command: Option<String>,
    at_least: Option<usize>,
    files: Vec<String>,
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&arguments) {
        Ok(report) => {
            println!("{report}");
            let at_limit = report.at_step_limit().count();
            if at_limit > 0 {
                println!("{at_limit} cases are unknown: a search reached its step limit");
            }
            let is_known = at_limit == 0 || arguments.allow_step_limit;
            let success = match arguments.at_least {
                Some(least) => report.failed() == 0 && report.passed() >= least,
                None => report.is_success(),
            };
            if is_known && success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut arguments = Arguments {
            spec_version: None,
            allow_step_limit: false,
            except: Vec::new(),
            suites: Vec::new(),
            command: None,
            at_least: None,
            files: Vec::new(),
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--spec-version" => arguments.spec_version = Some(words.next()?),
                "--allow-step-limit" => arguments.allow_step_limit = true,
                "--except" => arguments.except.push(words.next()?),
                "--suite" => arguments.suites.push(words.next()?),
                "--command" => arguments.command = Some(words.next()?),
                "--at-least" => arguments.at_least = Some(words.next()?.parse().ok()?),
                option if option.starts_with("--") => return None,
                _ => arguments.files.push(word),
            }
        }
        (!arguments.files.is_empty()).then_some(arguments)
    }
}

fn run(arguments: &Arguments) -> Result<Report, String> {
    let mut total = Report::default();
    let mut exceptions = Exceptions::default();
    for file in &arguments.except {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        exceptions.extend(Exceptions::parse(&text).map_err(|error| format!("{file}: {error}"))?);
    }
    let engines = match &arguments.command {
        Some(command) => Remote::start(command)?.into(),
        None => Engines::default(),
    };
    let mut corpora = Vec::new();
    for file in &arguments.files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let corpus = Corpus::parse(&text).map_err(|error| format!("{file}: {error}"))?;
        corpora.push((file, corpus));
    }
    for suite in &arguments.suites {
        if !corpora.iter().any(|(_, corpus)| corpus.has_suite(suite)) {
            return Err(format!("no file has a suite {suite:?}"));
        }
    }
    for (file, corpus) in &corpora {
        let version = corpus.spec_version().unwrap_or("none");
        println!("{file}: specVersion {version}");
        if arguments.spec_version.as_deref().is_some_and(|expected| expected != version) {
            return Err(format!("{file}: specVersion is {version}, not the expected one"));
        }
        let report = corpus.run_except(&arguments.suites, &exceptions, &engines);
        for exception in report.excepted() {
            println!("{exception}");
        }
        for name in report.at_step_limit() {
            println!("AT THE STEP LIMIT {name:?}");
        }
        for failure in report.failures() {
            println!("{failure}");
        }
        for suite in report.suites() {
            println!("{suite}");
        }
        total.add(report);
    }
    Ok(total)
}
