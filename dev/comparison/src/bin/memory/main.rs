//! The allocations and the memory of this SDK. `memory FOLDER` writes `memory.json` into the
//! folder.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

mod allocations;
#[expect(dead_code, reason = "the figures combine all cases, so the names are unused")]
#[path = "../../../../../crates/growthbook/benches/scenarios/cases.rs"]
mod cases;
#[path = "../../../../../crates/growthbook-core/benches/payloads/mod.rs"]
mod payloads;
#[path = "../../../../../crates/growthbook/benches/scenarios/people.rs"]
mod people;
mod resident;
mod snapshot;
#[path = "../../source.rs"]
mod source;

use std::error::Error;
use std::path::PathBuf;

use comparison::report::{Quantity, Report, Row, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: memory FOLDER")?);
    let mut report = Report::default();
    // This is first, because the process is still small.
    resident::measure(&mut report);
    allocations::measure(&mut report);
    snapshot::measure(&mut report);
    report.write(&folder.join("memory.json"))?;
    println!("{}", report.to_markdown());
    Ok(())
}

fn row(number: u8, what: String, figure: Quantity, target: Target) -> Row {
    Row { number, what, figure, beside: None, ratio: None, target }
}
