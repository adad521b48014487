//! Measures only this SDK, without the Cargo features of other products. `alone FOLDER` writes
//! `alone.json` into the folder.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

mod load;
#[path = "../../../../../crates/growthbook-core/benches/payloads/mod.rs"]
mod payloads;
#[path = "../../../../../crates/growthbook/benches/scenarios/people.rs"]
mod people;
mod requests;
mod sizes;
#[path = "../../source.rs"]
mod source;
mod threads;

use std::error::Error;
use std::path::PathBuf;

use comparison::measure::park_a_thread;
use comparison::report::Report;

type Step = (&'static str, fn(&mut Report));

const STEPS: [Step; 4] = [
    ("requests", requests::measure),
    ("sizes", sizes::measure),
    ("load", load::measure),
    ("threads", threads::measure),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: alone FOLDER")?);
    park_a_thread();

    let mut report = Report::default();
    for (name, step) in STEPS {
        eprintln!("{name}");
        step(&mut report);
    }
    report.write(&folder.join("alone.json"))?;
    println!("{}", report.to_markdown());
    Ok(())
}
