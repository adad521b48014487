//! Shares Redis with the JavaScript and Python SDKs, from their registries, and compares what
//! everybody reads there: `cargo xtask interop`.

mod payloads;
mod script;
mod sticky;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    payloads::check()?;
    sticky::check()
}
