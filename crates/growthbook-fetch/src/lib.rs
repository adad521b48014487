//! Keeps a GrowthBook payload fresh, and never loses the last good one.
//!
//! A [`Feed`] asks the features endpoint, follows its stream of changes, keeps payloads in a
//! [`PayloadCache`](growthbook_core::cache::PayloadCache), and offers each one to a [`PayloadSink`]. A
//! [`LivePayload`] is a ready sink: it decides which payload is used, compiles it, and lets any
//! number of threads evaluate with it. A failure never takes away the payload in use.
//! [`Feed::status`] says what failed, and refreshing recovers by itself.
//!
//! This crate does not evaluate, and has no async runtime. One client key needs one thread, and many
//! keys share a few: see [Threads and sockets](#threads-and-sockets). Most programs take the crate `growthbook`,
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
//! | `network` | yes | [`Feed`], its options, and the caches | crates `ureq`, `rustls`, `mio`, `url`, `jiff`, `lru`, `sha2`, `base64`; a few threads |
//! | `tracing` | no | a span for each fetch, see below | crate `tracing` |
//! | `metrics` | no | counters and a gauge, see below | crate `metrics` |
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
//! | `options`, `headers`, `status`, `error` | what an application sets and sees |
//! | `schedule` | decides, without a clock, when to do what |
//! | `sse` | parses a stream, without a socket |
//! | `http` | speaks the wire format on these connections |
//! | `cache` | keeps payloads in memory and in files |
//! | `pool` | does the work of all sources on a few threads |
//! | `source` | puts these together for all clients on one host and key |
//! | `registry` | finds the source for a host and key; has the pool of the process |
//! | `feed` | one client's part in a source |
//! | `remote` | answers of a server that evaluates for each user |
//!
//! # Threads and sockets
//!
//! All client keys of a process share a few threads. At most 16 of them work at the same time: they
//! fetch, open a stream, read one, or call the application. One more thread waits for all keys. Work that
//! takes over a second probably hangs, and no longer counts. There are at most 64 threads in all. So if
//! 64 servers or callbacks hang at the same time, the other keys wait for one of them. Evaluation never
//! waits.
//!
//! An open stream needs a socket of its own. A fetch needs one too, which is closed unless the next fetch
//! is due within 4 seconds. A program with very many keys raises its limit of open files, or polls.
//!
//! # Spans
//!
//! With the Cargo feature `tracing`, each fetch is a span `growthbook.fetch` at the level `INFO`, with
//! the target `growthbook::fetch`. A subscriber measures its duration. Names are OpenTelemetry's, but
//! for those that begin with `growthbook`:
//!
//! | field | value |
//! |---|---|
//! | `url.scheme`, `server.address`, `server.port` | the server, without the path and the client key |
//! | `http.request.method`, `http.response.status_code` | `GET`, and the status if there is a reply |
//! | `growthbook.fetch.result` | `payload`, `not_modified` or `failed` |
//! | `error.type` | of a failure: the status, or [`FetchErrorKind::name`] |
//! | `otel.kind`, `otel.status_code` | `client`, and `ERROR` for a failure |
//!
//! # Metrics
//!
//! With the Cargo feature `metrics`, the counters of [`FetchStatus`] are also metrics of the program's
//! recorder. They have no labels, and are the sums of all clients:
//!
//! | counter | field of [`Counters`] |
//! |---|---|
//! | `growthbook_fetches_total` | `fetches` |
//! | `growthbook_fetches_not_modified_total` | `not_modified` |
//! | `growthbook_fetch_failures_total` | `failures` |
//! | `growthbook_payloads_shared_total` | `shared` |
//! | `growthbook_payloads_applied_total` | `updates` |
//! | `growthbook_payloads_older_total` | `older_ignored` |
//! | `growthbook_streams_opened_total` | `streams_opened` |
//! | `growthbook_stream_reconnects_total` | `stream_reconnects` |
//! | `growthbook_stream_events_total` | `stream_events` |
//!
//! The gauge `growthbook_streams_open` is the number of open streams. The counter
//! `growthbook_cache_errors_total` has the failures of caches.
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
mod config_error;
#[cfg(feature = "network")]
mod date;
#[cfg(feature = "network")]
mod error;
#[cfg(feature = "network")]
mod feed;
#[cfg(feature = "network")]
mod headers;
#[cfg(feature = "network")]
mod http;
mod live;
#[cfg(feature = "network")]
mod options;
#[cfg(feature = "network")]
mod pool;
#[cfg(feature = "network")]
mod registry;
#[cfg(feature = "network")]
mod remote;
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
pub use config_error::{ConfigError, InvalidHost};
#[cfg(feature = "network")]
pub use date::is_older;
#[cfg(feature = "network")]
pub use error::{FetchError, FetchErrorKind};
#[cfg(feature = "network")]
pub use feed::{CloseTimedOut, Feed, ReadyFuture, RefreshFuture, StartError};
#[cfg(feature = "network")]
#[doc(inline)]
pub use growthbook_net::{ConnectionConfigError, ConnectionOptions};
pub use live::{InUse, LivePayload, Pinned};
#[cfg(feature = "network")]
pub use options::{
    DEFAULT_API_HOST, DEFAULT_CACHE_TTL, DEFAULT_CLOSE_TIMEOUT, DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_BODY_BYTES, DEFAULT_POLL_INTERVAL, DEFAULT_READ_TIMEOUT, DEFAULT_STREAM_TIMEOUT,
    DEFAULT_TOTAL_TIMEOUT, FetchOptions, MIN_POLL_INTERVAL, Refresh,
};
#[cfg(feature = "network")]
pub use remote::{
    AnswerFuture, DEFAULT_REMOTE_ANSWER_BYTES, DEFAULT_REMOTE_ANSWERS, DEFAULT_REMOTE_HARD_TTL,
    DEFAULT_REMOTE_REQUESTS, DEFAULT_REMOTE_SOFT_TTL, MAX_WAITING_REQUESTS, NoAnswer,
    RemoteCounters, RemoteFeed, RemoteOptions, RemoteStatus, UserAnswer,
};
#[cfg(feature = "network")]
pub use sink::{Offered, PayloadSink};
#[cfg(feature = "network")]
pub use source::NotReady;
#[cfg(feature = "network")]
pub use status::{Counters, DateProblem, FetchStatus, LastError, StreamOff, StreamState};
