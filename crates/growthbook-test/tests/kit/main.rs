//! Tests of the test kit: what it makes, and the texts of its failures.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod flags;
mod forced;
mod recorder;
mod search;
#[cfg(feature = "server")]
mod server;
mod strict;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the message of a panic.
fn failure(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).unwrap_err();
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => (*other.downcast::<&str>().unwrap()).to_owned(),
    }
}
