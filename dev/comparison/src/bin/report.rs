//! Combines the results of the other binaries in a folder: `report FOLDER`.

use std::error::Error;
use std::path::PathBuf;

use comparison::machine;
use comparison::report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: report FOLDER")?);
    let mut report = Report::default();
    for part in ["evaluate.json", "alone.json", "memory.json"] {
        report.append(Report::read(&folder.join(part))?);
    }
    let versions: Vec<String> =
        report.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    println!("{}", machine::describe());
    println!("{}\n", versions.join(", "));
    println!("{}", report.summary());
    println!("{}", report.to_markdown());
    Ok(())
}
