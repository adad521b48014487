//! Shares Redis and tracking with the JavaScript and Python SDKs, and compares the results:
//! `cargo xtask interop`. The SDKs come from their registries.

mod deferred;
mod payloads;
mod script;
mod sticky;
mod tracking;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    deferred::check()?;
    payloads::check()?;
    sticky::check()?;
    tracking::check()
}
