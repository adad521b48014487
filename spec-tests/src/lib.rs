//! Runs conformance corpora in the shape of GrowthBook's `cases.json`.
//!
//! A corpus is a JSON object of suites, a suite an array of cases or an object of suites. Every
//! case runs twice: on `growthbook-core` and through the façade `growthbook`. It passes when both
//! give exactly what the case expects: the same JSON, no member more or less, numbers equal to the
//! last bit unless the suite says rounded.

#![expect(clippy::indexing_slicing, reason = "a JSON value without the member gives null")]

mod case;
mod compare;
mod corpus;
mod engine;
mod exceptions;
mod reduction;
mod suites;

pub use corpus::{Corpus, CorpusError, Failure, Report, SuiteReport};
pub use exceptions::{Exception, Exceptions};
