//! The Redis stores on real Redis servers, which `cargo xtask test` finds or installs.
//!
//! A halted server does not reply until the test resumes it. So a call that returns before that was
//! ended by its deadline or by a pause, however slow the machine is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod cluster;
mod documents;
mod failures;
mod limits;
mod loader;
mod merge;
mod sentinel;
mod support;
#[cfg(feature = "redis-tls")]
mod tls;
