//! The sizes of programs that contain the core alone.

mod module;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use self::module::Module;
use crate::figures::{self, Figures};
use crate::{Result, firmware, targets, wasm};

/// The committed figures.
const FILE: &str = "xtask/size.txt";

/// Each selection of the core's features, by the name of its case.
const SELECTIONS: [(&str, &[&str]); 2] =
    [("everything", &["--features", "full"]), ("no url, no regex", &["--no-default-features"])];

/// How many parts of a module are printed.
const LARGEST: usize = 10;

/// Prints sizes and compares them with the committed ones, or replaces the committed ones.
pub(crate) fn size(arguments: &[String]) -> Result {
    match arguments {
        [] => check(),
        [option] if option == "--bless" => {
            figures::bless(FILE, "Bytes. Written by `cargo xtask size --bless`.", measure()?)
        }
        _ => Err("usage: cargo xtask size [--bless]".into()),
    }
}

/// Compares the sizes with the committed figures.
///
/// # Errors
///
/// When a program grew by more than the limit.
pub(crate) fn check() -> Result {
    let advice = "the largest parts are printed above";
    figures::check(FILE, "cargo xtask size --bless", advice, &measure()?)
}

fn measure() -> Result<Figures> {
    targets::add_missing()?;
    let mut cases = BTreeMap::new();
    for (name, features) in SELECTIONS {
        let module = wasm::build_with_names("edge-wasm", "small", features)?;
        let Module { stripped, parts } = Module::read(&fs::read(module)?)?;
        println!("the largest parts of the module with {name}, in bytes:");
        parts.iter().take(LARGEST).for_each(|part| println!("{part}"));
        cases.insert(format!("wasm, {name}"), stripped.len().try_into()?);
        cases.insert(format!("wasm, {name}, gzip -9"), compressed_length(stripped)?);
        let program = firmware::build(features)?.join("flags");
        cases.insert(format!("firmware, {name}"), firmware::flash(&program)?.try_into()?);
    }
    Figures::of(cases)
}

/// Returns the length after `gzip -9`.
fn compressed_length(bytes: Vec<u8>) -> Result<u64> {
    let mut gzip = Command::new("gzip");
    gzip.args(["-9", "--no-name", "--stdout"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut gzip = gzip.spawn().map_err(|error| format!("gzip: {error}"))?;
    let mut input = gzip.stdin.take().ok_or("gzip has no standard input")?;
    // Its output may fill the pipe before it has read everything.
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let length = gzip.wait_with_output()?.stdout.len();
    writer.join().map_err(|_| "the writer to gzip panicked")??;
    Ok(length.try_into()?)
}
