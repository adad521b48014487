//! Keeps a GrowthBook payload fresh, and never loses the last good one.
//!
//! A [`Feed`] asks the features endpoint, follows its stream of changes, keeps payloads in a
//! [`PayloadCache`](growthbook_core::cache::PayloadCache), and offers each one to a [`PayloadSink`]. A
//! [`LivePayload`] is a ready sink: it decides which payload is used, compiles it, and lets any
//! number of threads evaluate with it. A failure never takes away the payload in use.
//! [`Feed::status`] says what failed, and refreshing recovers by itself.
//!
//! This crate does not evaluate, has no async runtime, and starts at most one thread for each host
//! and client key, however many clients there are. Most programs take the crate `growthbook`,
//! which adds a client with callbacks, settings and sticky buckets.
//!
//! With the core alone, this is all a program needs:
//!
//! ```
//! # #[cfg(feature = "network")] {
//! use std::sync::Arc;
//! use growthbook_core::{Payload, PayloadSource, UserContext};
//! use growthbook_fetch::{Feed, FetchOptions, LivePayload, MemoryCache};
//!
//! // Used until there is a payload from the cache or the network.
//! let fallback = Payload::from_json(r#"{"features": {"new-checkout": {"defaultValue": false}}}"#)
//!     .unwrap();
//! let live = LivePayload::new()
//!     .starting_with(fallback, PayloadSource::Fallback)
//!     .on_change(|change| println!("changed: {:?}", change.features));
//! let live = Arc::new(live);
//!
//! let options = FetchOptions::new("sdk-abc123").api_host("https://growthbook.example.com");
//! let feed = Feed::start(&options, Arc::new(MemoryCache::shared()), live.clone())?;
//!
//! // For each request:
//! let user = UserContext::new("user-123").attribute("country", "US");
//! let pinned = live.load();
//! let gb = pinned.snapshot().for_user(&user);
//! assert!(gb.is_off("new-checkout"));
//!
//! println!("a payload from {:?}; {:?}", pinned.source(), feed.status());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Cargo features
//!
//! | feature | default | what it adds | cost |
//! |---|---|---|---|
//! | `network` | yes | [`Feed`], its options, and the caches | crates `ureq`, `rustls`, `mio`, `url`, `jiff`, `lru`, `sha2`, `base64`; a thread |
//!
//! Without `network` a [`LivePayload`] is left. Give it payloads that the program gets elsewhere.
//!
//! # Layout
//!
//! In reading order:
//!
//! | module | what it does |
//! |---|---|
//! | `live` | holds the payload in use, and decides which one that is |
//! | `sink` | the boundary: how a payload is offered |
//! | `options`, `status`, `error` | what an application sets and sees |
//! | `schedule` | decides, without a clock, when to do what |
//! | `sse` | parses a stream, without a socket |
//! | `http` | speaks the wire format on these connections |
//! | `cache` | keeps payloads in memory and in files |
//! | `source` | puts these together for all clients on one host and key |
//! | `registry` | finds the source for a host and key |
//! | `feed` | one client's part in a source |
//!
//! # Logging
//!
//! Through the [`log`](https://docs.rs/log) facade, target `growthbook`: warnings of a payload, and what begins to fail
//! (warn); what works again (info); a failure of another kind than the one before (debug).
//! Repetitions are not logged. Client keys, headers and payloads are never logged, nor are they
//! handed to ureq, which logs what it sees at the level `trace`. The bytes a server sends are
//! logged there.

#[cfg(feature = "network")]
mod cache;
#[cfg(feature = "network")]
mod date;
#[cfg(feature = "network")]
mod error;
#[cfg(feature = "network")]
mod feed;
#[cfg(feature = "network")]
mod http;
mod live;
#[cfg(feature = "network")]
mod options;
#[cfg(feature = "network")]
mod registry;
#[cfg(feature = "network")]
mod schedule;
#[cfg(feature = "network")]
mod sink;
#[cfg(feature = "network")]
mod source;
#[cfg(feature = "network")]
pub mod sse;
#[cfg(feature = "network")]
mod status;
#[cfg(feature = "network")]
mod time;

#[cfg(feature = "network")]
pub use cache::{DEFAULT_MEMORY_CACHE_ENTRIES, FileCache, MemoryCache};
#[cfg(feature = "network")]
pub use date::is_older;
#[cfg(feature = "network")]
pub use error::{FetchError, FetchErrorKind};
#[cfg(feature = "network")]
pub use feed::{CloseTimedOut, Feed, ReadyFuture, StartError};
pub use live::{InUse, LivePayload, Pinned};
#[cfg(feature = "network")]
pub use options::{
    ConfigError, DEFAULT_API_HOST, DEFAULT_CACHE_TTL, DEFAULT_CLOSE_TIMEOUT,
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_BODY_BYTES, DEFAULT_POLL_INTERVAL, DEFAULT_READ_TIMEOUT,
    DEFAULT_STREAM_TIMEOUT, DEFAULT_TOTAL_TIMEOUT, FetchOptions, MIN_POLL_INTERVAL, Refresh,
};
#[cfg(feature = "network")]
pub use sink::{Offered, PayloadSink};
#[cfg(feature = "network")]
pub use source::NotReady;
#[cfg(feature = "network")]
pub use status::{Counters, DateProblem, FetchStatus, LastError, StreamOff, StreamState};
