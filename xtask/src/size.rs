//! The sizes of programs that contain the core alone.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use crate::figures::{self, Figures};
use crate::{Result, firmware, targets, wasm};

/// The committed figures.
const FILE: &str = "xtask/size.txt";

/// Each selection of the core's features, by the name of its case.
const SELECTIONS: [(&str, &[&str]); 2] =
    [("everything", &["--features", "full"]), ("no url, no regex", &["--no-default-features"])];

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
    let advice = "a name section shows the places (CARGO_PROFILE_SMALL_STRIP=none)";
    figures::check(FILE, "cargo xtask size --bless", advice, &measure()?)
}

fn measure() -> Result<Figures> {
    targets::add_missing()?;
    let mut cases = BTreeMap::new();
    for (name, features) in SELECTIONS {
        let module = wasm::build("edge-wasm", "small", features)?;
        cases.insert(format!("wasm, {name}"), fs::metadata(&module)?.len());
        let mut gzip = Command::new("gzip");
        gzip.args(["-9", "--no-name", "--stdout"]).arg(&module).stdout(Stdio::piped());
        let compressed = gzip.output().map_err(|error| format!("gzip: {error}"))?.stdout;
        cases.insert(format!("wasm, {name}, gzip -9"), compressed.len().try_into()?);
        let program = firmware::build(features)?.join("flags");
        cases.insert(format!("firmware, {name}"), firmware::flash(&program)?.try_into()?);
    }
    Figures::of(cases)
}
