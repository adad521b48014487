//! What `growthbook`, `growthbook-fetch`, `growthbook-redis-cache` and `growthbook-sticky` share.
//!
//! This crate is a part of them, and not for other programs: it may change with any version. It has
//! no dependencies.

mod error;
mod mutex;

pub use error::source_text;
pub use mutex::{ForkSafeMutex, StaysLocked};

/// The target of all log records.
pub const LOG_TARGET: &str = "growthbook";
