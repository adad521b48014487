//! What subscribers of `tracing` and recorders of `metrics` receive.
//!
//! Each test has its own subscriber and recorder, for its thread alone. So the tests run at the same
//! time. A client that refreshes on demand fetches on the thread of the test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod evaluations;
mod fetches;
mod recorder;
mod status;
mod subscriber;
mod support;
