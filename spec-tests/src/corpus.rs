//! A corpus file: its suites and their runs.

use std::fmt;

use serde_json::value::RawValue;

use crate::case::{Case, Mismatch, members};
use crate::engine::Engines;
use crate::exceptions::{Exception, Exceptions};
use crate::suites;

/// A parsed corpus.
pub struct Corpus {
    spec_version: Option<String>,
    suites: Vec<Suite>,
}

struct Suite {
    /// The name, after the names of the suites around it: `savedGroupReferencesV2.run`.
    name: String,
    cases: Vec<Box<RawValue>>,
}

impl Suite {
    /// Returns the part of the name that defines the shape of the cases.
    fn kind(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    fn is_selected(&self, selection: &[String]) -> bool {
        selection.is_empty() || selection.iter().any(|name| is_within(&self.name, name))
    }
}

/// Whether a suite has this name, or is inside the suite with this name.
fn is_within(suite: &str, name: &str) -> bool {
    suite.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The reason why a text is not a corpus.
#[derive(Debug)]
pub struct CorpusError(String);

impl fmt::Display for CorpusError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a corpus: {}", self.0)
    }
}

impl std::error::Error for CorpusError {}

impl Corpus {
    /// Parses a corpus.
    ///
    /// # Errors
    ///
    /// When the text is not a JSON object of suites.
    pub fn parse(text: &str) -> Result<Self, CorpusError> {
        let mut corpus = Corpus { spec_version: None, suites: Vec::new() };
        for (name, value) in members(text).map_err(|error| CorpusError(error.to_string()))? {
            if name == "specVersion" {
                let version = serde_json::from_str(value.get())
                    .map_err(|_| CorpusError("specVersion is not a string".into()))?;
                corpus.spec_version = Some(version);
            } else {
                corpus.add(name, &value)?;
            }
        }
        Ok(corpus)
    }

    fn add(&mut self, name: String, value: &RawValue) -> Result<(), CorpusError> {
        if let Ok(cases) = serde_json::from_str(value.get()) {
            self.suites.push(Suite { name, cases });
            return Ok(());
        }
        let nested = members(value.get()).map_err(|_| {
            CorpusError(format!("{name} is not a suite and does not contain suites"))
        })?;
        for (inner, value) in nested {
            self.add(format!("{name}.{inner}"), &value)?;
        }
        Ok(())
    }

    /// Returns the version of the specification that the corpus is made for.
    pub fn spec_version(&self) -> Option<&str> {
        self.spec_version.as_deref()
    }

    /// Whether the corpus has a suite of this name, or suites inside one.
    pub fn has_suite(&self, name: &str) -> bool {
        self.suites.iter().any(|suite| is_within(&suite.name, name))
    }

    /// Runs the selected suites. An empty selection runs all suites.
    pub fn run(&self, selection: &[String]) -> Report {
        self.run_except(selection, &Exceptions::default(), &Engines::default())
    }

    /// Runs the selected suites on these engines, and expects some cases to fail.
    pub fn run_except(
        &self,
        selection: &[String],
        exceptions: &Exceptions,
        engines: &Engines,
    ) -> Report {
        let selected = self.suites.iter().filter(|suite| suite.is_selected(selection));
        Report { suites: selected.map(|suite| suite.run(exceptions, engines)).collect() }
    }
}

impl Suite {
    fn run(&self, exceptions: &Exceptions, engines: &Engines) -> SuiteReport {
        let mut report = SuiteReport { name: self.name.clone(), ..SuiteReport::default() };
        let Some(run) = suites::runner(self.kind()) else {
            // An empty suite of an unknown kind counts as one skipped case.
            report.skipped = self.cases.len().max(1);
            return report;
        };
        for (index, case) in self.cases.iter().enumerate() {
            let outcome = Case::parse(case.get()).and_then(|case| run(&case, engines));
            if let Err(Mismatch::Unsupported) = outcome {
                report.skipped += 1;
                continue;
            }
            let name = Case::name(case.get(), index);
            let mismatch = match (outcome, exceptions.of(&self.name, &name)) {
                (Ok(()), None) => {
                    report.passed += 1;
                    continue;
                }
                (Err(Mismatch::StepLimit), _) => {
                    report.at_step_limit.push(name);
                    continue;
                }
                (Err(_), Some(exception)) => {
                    report.excepted.push(exception.clone());
                    continue;
                }
                (Ok(()), Some(_)) => "it passes: remove it from the list of exceptions".to_owned(),
                (Err(mismatch), None) => mismatch.to_string(),
            };
            report.failures.push(Failure { suite: self.name.clone(), case: name, mismatch });
        }
        report
    }
}

/// The result of running a corpus.
#[derive(Default)]
pub struct Report {
    suites: Vec<SuiteReport>,
}

/// The result of running a suite.
#[derive(Default)]
pub struct SuiteReport {
    name: String,
    passed: usize,
    skipped: usize,
    /// The names of the cases whose search reached its step limit.
    at_step_limit: Vec<String>,
    failures: Vec<Failure>,
    excepted: Vec<Exception>,
}

/// A case whose answer is not the expected one.
#[derive(Debug)]
pub struct Failure {
    suite: String,
    case: String,
    mismatch: String,
}

impl Report {
    /// Returns the number of cases that passed.
    pub fn passed(&self) -> usize {
        self.suites.iter().map(|suite| suite.passed).sum()
    }

    /// Returns the number of cases that failed.
    pub fn failed(&self) -> usize {
        self.suites.iter().map(|suite| suite.failures.len()).sum()
    }

    /// Returns the number of cases of unknown suites, and of cases that an engine does not answer.
    pub fn skipped(&self) -> usize {
        self.suites.iter().map(|suite| suite.skipped).sum()
    }

    /// Returns the names of the cases whose answer is unknown, since a search reached its step
    /// limit. These count neither as passed nor as failed.
    pub fn at_step_limit(&self) -> impl Iterator<Item = &str> {
        self.suites.iter().flat_map(|suite| &suite.at_step_limit).map(String::as_str)
    }

    /// Whether no case failed, and no case was skipped.
    pub fn is_success(&self) -> bool {
        self.failed() == 0 && self.skipped() == 0
    }

    /// Returns every failure, in the corpus's order.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.suites.iter().flat_map(|suite| &suite.failures)
    }

    /// Returns every case that failed as expected. These count neither as passed nor as failed.
    pub fn excepted(&self) -> impl Iterator<Item = &Exception> {
        self.suites.iter().flat_map(|suite| &suite.excepted)
    }

    /// Returns every suite's report, in the corpus's order.
    pub fn suites(&self) -> impl Iterator<Item = &SuiteReport> {
        self.suites.iter()
    }

    /// Adds another corpus's report.
    pub fn add(&mut self, other: Report) {
        self.suites.extend(other.suites);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "spec: {} passed, {} failed, {} skipped",
            self.passed(),
            self.failed(),
            self.skipped()
        )
    }
}

impl fmt::Display for SuiteReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} passed, {} failed, {} skipped",
            self.name,
            self.passed,
            self.failures.len(),
            self.skipped
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FAILED {} {:?}: {}", self.suite, self.case, self.mismatch)
    }
}
