//! Shares Redis and tracking with the JavaScript and Python SDKs, and compares the results:
//! `cargo xtask interop`. The SDKs come from their registries.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value that lacks the member gives null"
)]

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
