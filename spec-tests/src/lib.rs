//! Runs conformance corpora in the shape of GrowthBook's `cases.json`.
//!
//! A corpus is a JSON object of suites. A suite is an array of cases, or an object of suites. Every
//! case runs twice: on `growthbook-core`, and on the facade `growthbook`. Or it runs in another
//! program: in WebAssembly, or on a device. It passes when all answers are the expected JSON, without extra or missing members. Numbers must be equal to the
//! last bit, except in suites with rounded numbers.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value that lacks the member gives null"
)]

mod case;
mod compare;
mod corpus;
mod engine;
mod exceptions;
mod functions;
mod questions;
mod reduction;
mod remote;
mod suites;

pub use corpus::{Corpus, CorpusError, Failure, Report, SuiteReport};
pub use engine::Engines;
pub use exceptions::{Exception, Exceptions};
pub use questions::answer;
pub use remote::Remote;
