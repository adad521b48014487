//! The stores against real Redis servers, which `cargo xtask test` finds or installs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod cluster;
mod documents;
mod failures;
mod loader;
mod merge;
mod sentinel;
mod support;
