//! Connected clients, against servers that work, fail, hang and restart.
//!
//! No test depends on the speed of the machine. A test that shows that something does not happen
//! waits for an event after which it would have happened. A hanging server hangs until the test
//! releases it, so a call that returns before that has not waited for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod caching;
mod connections;
#[cfg(feature = "encryption")]
mod encryption;
mod failures;
#[cfg(target_os = "linux")]
mod keys;
mod leases;
mod lifecycle;
mod logs;
mod panics;
mod pausing;
mod proxies;
#[cfg(feature = "redis-cache")]
mod redis;
mod refreshing;
mod remote;
mod secrets;
mod sharing;
mod streams;
mod support;
mod texts;
