//! Evaluates while a server changes and restarts: `cargo xtask soak [--seconds N]`. Measures a fleet
//! of processes that share a Redis: `cargo xtask soak --fleet`. Offers events to an ingestor that
//! fails: `cargo xtask soak --tracking`. Lets a server evaluate for millions of users: `cargo xtask
//! soak --remote [USERS]`.
//!
//! The first phase only evaluates. The second phase evaluates with a streaming and a polling
//! client, while the server changes its payload several times per second and restarts every few
//! seconds. The server runs in this process. So its threads, sockets and memory also count.

mod churn;
mod evaluate;
mod fleet;
mod histogram;
mod payload;
mod remote;
mod report;
mod run;
mod tracking;

use std::env;
use std::error::Error;
use std::time::Duration;

const DEFAULT_SECONDS: u64 = 300;

fn main() -> Result<(), Box<dyn Error>> {
    if fleet::is_process() {
        return fleet::run_process();
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let seconds = match arguments.as_slice() {
        [] => DEFAULT_SECONDS,
        [name] if name == "--fleet" => return measure_fleet(),
        [name] if name == "--tracking" => return measure_tracking(),
        [name] if name == "--remote" => return measure_remote(remote::DEFAULT_USERS),
        [name, users] if name == "--remote" => return measure_remote(users.parse()?),
        [name, value] if name == "--seconds" => value.parse()?,
        _ => {
            return Err(
                "usage: soak [--seconds N | --fleet | --tracking | --remote [USERS]]".into()
            );
        }
    };
    println!("soaking for about {seconds} seconds");
    let report = run::run(Duration::from_secs(seconds))?;
    println!("{report}");
    check(&report.problems())
}

fn measure_fleet() -> Result<(), Box<dyn Error>> {
    let report = fleet::run();
    println!("{report}");
    check(&report.problems())
}

fn measure_tracking() -> Result<(), Box<dyn Error>> {
    let report = tracking::run()?;
    println!("{report}");
    check(&report.problems())
}

fn measure_remote(users: u64) -> Result<(), Box<dyn Error>> {
    let report = remote::run(users)?;
    println!("{report}");
    check(&report.problems())
}

fn check(problems: &[String]) -> Result<(), Box<dyn Error>> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ").into()) }
}
