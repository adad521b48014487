//! The embedded client in WebAssembly, run by Node.

use std::process::Command;

use crate::run::{cargo, output, root, run};
use crate::{Result, targets};

const TARGET: &str = "wasm32-unknown-unknown";

/// Compares the answers in WebAssembly with those of a native program.
pub(crate) fn compare() -> Result {
    targets::add_missing()?;
    run(&mut cargo(["build", "--quiet", "--package", "wasm", "--lib", "--target", TARGET]))?;
    // Cargo names the folder of its artifacts only in its messages. The default is used here.
    let module = root().join("target").join(TARGET).join("debug/wasm.wasm");
    let mut node = Command::new("node");
    let in_wasm = output(node.arg(root().join("dev/wasm/run.mjs")).arg(module))?;
    let native = output(&mut cargo(["run", "--quiet", "--package", "wasm"]))?;
    if native.starts_with("error") || in_wasm != native {
        println!("native:\n{native}\nin WebAssembly:\n{in_wasm}");
        return Err("the answers in WebAssembly are not those of a native program".into());
    }
    println!("{} lines of answers are the same in WebAssembly", native.lines().count());
    Ok(())
}
