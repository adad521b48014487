//! Shares Redis with the JavaScript and Python SDKs, and compares the results:
//! `cargo xtask interop`. The SDKs come from their registries.

mod payloads;
mod script;
mod sticky;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    payloads::check()?;
    sticky::check()
}
