//! What `growthbook`, `growthbook-fetch`, `growthbook-redis-cache` and `growthbook-sticky` share.
//!
//! This crate is a part of them, and not for other programs: it may change with any version. Without
//! the Cargo feature `redis`, its only dependency is the facade `log`. The other crates have none on
//! it, so they cannot write a record whose logger's panic escapes.

mod clock;
mod error;
mod log;
mod mutex;
mod nearest;
mod panic;
#[cfg(feature = "redis")]
pub mod redis;

pub use ::log::Level;
pub use clock::{now, unix_millis};
pub use error::source_text;
pub use log::{LOG_TARGET, is_logged};
#[doc(hidden)]
pub use log::{may_be_logged, write_record};
pub use mutex::{ForkSafeMutex, StaysLocked};
pub use nearest::nearest;
pub use panic::{Panicked, contain};
