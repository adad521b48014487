//! What `growthbook`, `growthbook-fetch`, `growthbook-redis-cache` and `growthbook-sticky` share.
//!
//! This crate is a part of them, and not for other programs: it may change with any version. It has
//! no dependencies.

mod clock;
mod error;
mod mutex;
mod panic;

pub use clock::now;
pub use error::source_text;
pub use mutex::{ForkSafeMutex, StaysLocked};
pub use panic::{Panicked, contain};

/// The target of all log records.
pub const LOG_TARGET: &str = "growthbook";
