//! Measures the client against a double of the GrowthBook Proxy: `cargo xtask proxy [--short]`.
//!
//! Each figure has a target: a measurement against the official Proxy, or a promise. A figure that
//! misses its target fails the run. The short run checks counts only, because it also runs on
//! machines that do other work.

mod churn;
mod keys;
mod machine;
mod payload;
mod push;
mod report;
mod start;
mod streams;
mod watcher;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use report::Report;

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Short,
    Full,
}

impl Size {
    /// Returns the one or the other.
    pub(crate) fn choose<T>(self, short: T, full: T) -> T {
        match self {
            Size::Short => short,
            Size::Full => full,
        }
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if keys::is_double() {
        keys::run_double();
        return Ok(ExitCode::SUCCESS);
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let size = match arguments.as_slice() {
        [] => Size::Full,
        [name] if name == "--short" => Size::Short,
        _ => return Err("usage: proxy [--short]".into()),
    };
    let begin = Instant::now();
    let mut report = Report::default();
    // The memory of keys is measured first, in a process that has not done much yet.
    keys::measure(size, &mut report)?;
    push::measure(size, &mut report)?;
    streams::measure(size, &mut report)?;
    start::measure(size, &mut report)?;
    churn::measure(size, &mut report)?;
    println!("{report}");
    println!("measured in {:.0?}", begin.elapsed());
    Ok(if report.passes(size) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
