//! Evaluates twenty flags, and prints the answers and the memory that they take.

#![cfg_attr(target_os = "none", no_std, no_main)]

use core::fmt::{self, Write};

use firmware::{console, flags, heap};
use growthbook_core::{Payload, PayloadError};

#[cfg_attr(target_os = "none", cortex_m_rt::entry)]
fn main() -> ! {
    heap::start();
    console::exit(report(&mut console::output()).is_ok())
}

fn report(output: &mut console::Stream) -> fmt::Result {
    let empty = snapshot_bytes(r#"{"features": {}}"#).map_err(|_| fmt::Error)?;
    let all = snapshot_bytes(flags::PAYLOAD).map_err(|_| fmt::Error)?;
    flags::write_answers(output)?;
    writeln!(output, "heap: {} bytes at most", heap::peak())?;
    writeln!(output, "heap: {} bytes for a snapshot without flags", empty)?;
    let each = all.saturating_sub(empty) / flags::KEYS.len();
    writeln!(output, "heap: {each} bytes for each flag")
}

/// Returns the bytes of heap that a snapshot takes, without its payload.
fn snapshot_bytes(payload: &str) -> Result<usize, PayloadError> {
    let before = heap::used();
    let snapshot = Payload::from_json(payload)?.compile();
    let bytes = heap::used().saturating_sub(before);
    drop(snapshot);
    Ok(bytes)
}
