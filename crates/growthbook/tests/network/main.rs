//! Connected clients, against a server that can misbehave.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod caching;
#[cfg(feature = "encryption")]
mod encryption;
mod failures;
mod leases;
mod lifecycle;
mod logs;
#[cfg(feature = "redis-cache")]
mod redis;
mod secrets;
mod sharing;
mod streams;
mod support;
