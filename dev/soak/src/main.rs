//! Clients and a server that changes and restarts under them, for as long as you like:
//! `cargo xtask soak [--seconds N]`.
//!
//! First nothing but evaluation, then the same with everything else going on: a streaming and a
//! polling client, a server that changes its payload several times a second and restarts every
//! few seconds. The server is a part of this process, and of the threads, sockets and memory
//! that are counted.

mod churn;
mod evaluate;
mod histogram;
mod payload;
mod report;
mod resources;
mod run;

use std::env;
use std::error::Error;
use std::time::Duration;

const DEFAULT_SECONDS: u64 = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let seconds = match arguments.as_slice() {
        [] => DEFAULT_SECONDS,
        [name, value] if name == "--seconds" => value.parse()?,
        _ => return Err("usage: soak [--seconds N]".into()),
    };
    println!("soaking for about {seconds} seconds");
    let report = run::run(Duration::from_secs(seconds))?;
    println!("{report}");
    let problems = report.problems();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ").into()) }
}
