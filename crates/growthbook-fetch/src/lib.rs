//! Keeps a GrowthBook payload fresh, and never loses the last good one.
//!
//! A [`Feed`] asks the features endpoint, follows its stream of changes, keeps what it gets in a
//! [`PayloadCache`](growthbook_core::PayloadCache), and offers each document to a
//! [`PayloadSink`]. Everything that can go wrong on the way leaves the payload in use alone, is
//! named by [`Feed::status`], and ends by itself.
//!
//! This crate evaluates nothing, has no async runtime, and starts at most one thread for each
//! host and client key, however many clients there are. Most programs take the crate
//! `growthbook`, whose client is a sink.
//!
//! ```
//! use std::sync::Arc;
//! use growthbook_core::{Payload, PayloadError, PayloadSource};
//! use growthbook_fetch::{Feed, FetchOptions, Offered, PayloadSink, Refresh};
//!
//! struct Print;
//!
//! impl PayloadSink for Print {
//!     fn offer(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
//!         let payload = Payload::from_json(document)?;
//!         println!("{} features from {source}", payload.compile().feature_keys().len());
//!         Ok(Offered::Applied { change: payload.changes_since(&Payload::empty()) })
//!     }
//! }
//!
//! let options = FetchOptions::new("sdk-abc123").refresh(Refresh::Manual);
//! let feed = Feed::start(&options, Arc::new(()), Print)?;
//! assert!(feed.status().last_error.is_none());
//! # Ok::<(), growthbook_fetch::StartError>(())
//! ```
//!
//! # Layout
//!
//! `schedule` decides, without a clock, when to do what; `sse` parses a stream, without a socket;
//! `net` makes connections that can be interrupted; `http` speaks the wire format on them;
//! `source` puts these together for everybody who shares a host and key; `feed` is one client's
//! part in it.
//!
//! # Logging
//!
//! Through the [`log`] facade, target `growthbook`: what begins to fail (warn) and what works
//! again (info), not every repetition; what fails in another way than before (debug). Client keys,
//! headers and payloads are never logged, nor are they handed to ureq, which writes what it sees to
//! the log at the level `trace`: the bytes a server sends are there.

mod cache;
mod date;
mod error;
mod feed;
mod http;
mod net;
mod options;
mod registry;
mod schedule;
mod sink;
mod source;
pub mod sse;
mod status;
mod time;

pub use cache::{DEFAULT_MEMORY_CACHE_ENTRIES, FileCache, MemoryCache};
pub use date::is_older;
pub use error::{FetchError, FetchErrorKind};
pub use feed::{CloseTimedOut, Feed, ReadyFuture, StartError};
pub use options::{
    ConfigError, DEFAULT_API_HOST, DEFAULT_CACHE_TTL, DEFAULT_CLOSE_TIMEOUT,
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_BODY_BYTES, DEFAULT_POLL_INTERVAL, DEFAULT_READ_TIMEOUT,
    DEFAULT_STREAM_TIMEOUT, DEFAULT_TOTAL_TIMEOUT, FetchOptions, Refresh,
};
pub use sink::{Offered, PayloadSink};
pub use source::NotReady;
pub use status::{Counters, FetchStatus, LastError, StreamOff, StreamState};

/// The target of all log records.
const LOG_TARGET: &str = "growthbook";
