//! The embedded client and the core in WebAssembly, run by Node.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{cargo, output, root, run};
use crate::{Result, corpus, sdks, targets};

const TARGET: &str = "wasm32-unknown-unknown";

/// Compares the answers in WebAssembly with those of a native program and of the corpus, and
/// compares times with the JavaScript SDK.
pub(crate) fn compare() -> Result {
    targets::add_missing()?;
    client()?;
    core()?;
    times()
}

/// Compares the answers of the embedded client.
fn client() -> Result {
    let module = build("wasm", "dev", &[])?;
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

/// Runs the official corpus on the example for workers.
fn core() -> Result {
    let module = build("edge-wasm", "dev", &["--features", "corpus"])?;
    let script = root().join("examples/edge-wasm/corpus.mjs");
    let command = format!("node {} {}", script.display(), module.display());
    let mut tests = cargo(["run", "--quiet", "--package", "spec-tests", "--"]);
    tests.args(["--spec-version", corpus::SPEC_VERSION, "--command", &command]);
    for suite in corpus::SUITES {
        tests.args(["--suite", suite]);
    }
    run(tests.arg(&corpus::obtain()?.official))
}

/// Prints times beside those of the JavaScript SDK, in the same process.
fn times() -> Result {
    let folder = root().join("examples/edge-wasm");
    sdks::install_javascript(&folder)?;
    let module = build("edge-wasm", "release", &["--features", "full"])?;
    run(Command::new("node").arg(folder.join("time.mjs")).arg(module))
}

/// Builds a module with these features, and returns its path. Cargo names the folder of its artifacts only in its
/// messages. The default is used here.
pub(crate) fn build(package: &str, profile: &str, arguments: &[&str]) -> Result<PathBuf> {
    build_by(cargo([]), package, profile, arguments)
}

/// Builds a module with the names of its functions, even if the profile removes them.
pub(crate) fn build_with_names(
    package: &str,
    profile: &str,
    arguments: &[&str],
) -> Result<PathBuf> {
    let mut cargo = cargo([]);
    cargo.env(format!("CARGO_PROFILE_{}_STRIP", profile.to_uppercase()), "none");
    build_by(cargo, package, profile, arguments)
}

fn build_by(
    mut build: Command,
    package: &str,
    profile: &str,
    arguments: &[&str],
) -> Result<PathBuf> {
    build.args(["build", "--quiet", "--lib", "--target", TARGET]);
    run(build.args(["--package", package, "--profile", profile]).args(arguments))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(root().join("target").join(TARGET).join(folder).join(file))
}
