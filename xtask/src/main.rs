//! The commands for developers. `cargo xtask` without a command lists them.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value that lacks the member gives null"
)]

mod bench;
mod browser;
mod ci;
mod corpus;
mod deny;
mod deps;
mod differential;
mod features;
mod figures;
mod firmware;
mod interop;
mod programs;
mod proxy;
mod ranges;
mod redis;
mod run;
mod sdks;
mod size;
mod soak;
mod targets;
mod test;
mod tools;
mod wasm;

use std::error::Error;
use std::process::ExitCode;

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

const USAGE: &str = "\
usage: cargo xtask <command>

  ci      run everything that a change must pass
  test    run all tests, and the conformance corpus on core and facade
  corpus  fetch and verify the official corpus, and print its path
  differential [--cases N] [--seed S]
          generate new cases, and compare our answers with those of other implementations
  browser let the JavaScript SDK continue in a headless Chromium on a page of the axum service
  interop share one Redis with the JavaScript and Python SDKs, and compare the results
  bench [NAME]
          measure times: with all benchmarks, or with those whose names contain NAME
  bench comparison
          compare us with other products, and rewrite BENCHMARKS.md; plain bench includes it
  bench --check | --bless
          count the instructions of evaluations; --check compares them with the committed
          figures, --bless replaces the committed figures
  proxy [--short]
          measure the client against a double of the GrowthBook Proxy
  soak [--seconds N]
          evaluate for N seconds (300 by default) while a server changes and restarts
  soak --fleet
          measure eight processes that share a Redis
  soak --tracking
          offer 100,000 events a second to an ingestor that fails, for about two minutes
  soak --remote [USERS]
          let a server evaluate for many users (2,000,000 by default), and measure the memory
  features
          check the libraries with each selection of their Cargo features
  firmware
          run the example for devices in an emulator, with a part of the official corpus
  size [--bless]
          compare the sizes of programs with the committed figures, or replace the figures
  wasm    run the embedded client and the core in WebAssembly with Node: compare their answers, and
          the times with those of the JavaScript SDK
  ranges  check the libraries with the lowest and the newest dependencies, and the oldest Rust
  deps    check which crate depends on which, the number of crates, and that modules import each other one way
  deps --modules CRATE
          print which module of a crate imports which, and the cycles";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next();
    let arguments: Vec<String> = words.collect();
    let result = match (command.as_deref(), arguments.as_slice()) {
        (Some("ci"), []) => ci::ci(),
        (Some("test"), []) => test::test(),
        (Some("corpus"), []) => {
            corpus::obtain().map(|corpora| println!("{}", corpora.official.display()))
        }
        (Some("bench"), arguments) => bench::bench(arguments),
        (Some("proxy"), arguments) => proxy::proxy(arguments),
        (Some("soak"), arguments) => soak::soak(arguments),
        (Some("differential"), arguments) => differential::differential(arguments),
        (Some("interop"), []) => interop::interop(),
        (Some("browser"), []) => browser::browser(),
        (Some("features"), []) => features::check(),
        (Some("size"), arguments) => size::size(arguments),
        (Some("firmware"), []) => firmware::check(),
        (Some("wasm"), []) => wasm::compare(),
        (Some("ranges"), []) => ranges::check(),
        (Some("deps"), arguments) => deps::deps(arguments),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
