//! Shares Redis, tracking and remote evaluation with the JavaScript and Python SDKs, and compares the results:
//! `cargo xtask interop`. The SDKs come from their registries.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value that lacks the member gives null"
)]

mod deferred;
mod payloads;
mod remote;
mod script;
mod sticky;
mod tracking;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    deferred::check()?;
    remote::check()?;
    payloads::check()?;
    sticky::check()?;
    tracking::check()
}
