//! GrowthBook feature flags and A/B tests for Rust: evaluated locally, in process.
//!
//! A [`Client`] holds a payload of feature definitions, compiled once; [`Client::for_user`] pins
//! it for one user or request; asking a flag then walks it without locks, allocation or IO.
//! Evaluation never fails and never panics: an unknown flag or a value of another type gives the
//! fallback; [`UserScope::eval_feature`] tells the value as it is, and its source.
//!
//! ```
//! use growthbook::{Client, UserContext};
//!
//! let client = Client::from_json(r#"{"features": {
//!     "new-checkout": {"defaultValue": false, "rules": [
//!         {"condition": {"country": {"$in": ["US", "CA"]}}, "force": true}
//!     ]},
//!     "max-items": {"defaultValue": 25}
//! }}"#)?;
//! let gb = client.for_user(UserContext::new("user-123").attribute("country", "US"));
//!
//! assert!(gb.is_on("new-checkout"));
//! assert_eq!(gb.feature_value("max-items", 10), 25);
//! assert_eq!(gb.feature_value("button-color", "blue"), "blue");
//! # Ok::<(), growthbook::PayloadError>(())
//! ```
//!
//! A client made with [`Client::builder`] and a client key fetches its payload, follows the
//! changes of it, and keeps the last good one through every failure. [`Client::from_json`] and
//! [`Client::embedded`] make clients that fetch nothing and start no threads; hand them
//! payloads with [`Client::set_payload`]. Where even `std` is too much, take `growthbook-core`
//! alone.
//!
//! # Cargo features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `fetch` | yes | [`Client::builder`]: clients that ask a server; adds `ureq` and `rustls` |
//! | `redis-cache` | no | `RedisCache`: one payload and one fetch for many processes |
//! | `sticky` | no | `MemoryStickyBucketStore`; `WriteBehind`: saves that leave after the evaluation |
//! | `sticky-embedded` | no | `EmbeddedStickyBucketStore`: a database file of one machine |
//! | `sticky-redis` | no | `RedisStickyBucketStore`: for many processes |
//! | `sticky-cookie` | no | `read_cookies`, `set_cookie`: documents in a browser |
//! | `redis-cluster`, `redis-sentinel`, `redis-tls` | no | where Redis may be |
//! | `encryption` | yes | [`ClientBuilder::decryption_key`]: payloads with encrypted sections |
//! | `secure-attributes` | yes | [`secure_attribute`]: attributes compared as hashes |
//!
//! # Logging
//!
//! Through the [`log`] facade, target `growthbook`: a callback that panicked (error); what was
//! wrong in a payload, and a refresh, cache or sticky bucket store that begins to fail (warn); one
//! that works again (info); every evaluated feature and inline experiment, values of another type
//! than their fallback, and each document that a failing store did not load or save (debug).
//! Attribute values, client keys and decryption keys are never logged.

mod builder;
mod client;
#[cfg(feature = "fetch")]
mod connected;
#[cfg(feature = "fetch")]
mod connection;
mod embedded;
mod exposures;
mod globals;
pub mod guide;
#[cfg(feature = "fetch")]
mod lifecycle;
mod scope;
mod state;
mod sticky;
mod sticky_store;
mod tracking;

pub use builder::ClientBuilder;
pub use client::Client;
#[cfg(feature = "fetch")]
pub use connected::{Connected, StartError};
pub use embedded::Embedded;
pub use exposures::DEFAULT_EXPOSURE_CACHE_SIZE;
#[doc(inline)]
pub use growthbook_core::*;
#[cfg(feature = "fetch")]
pub use growthbook_fetch::{
    CloseTimedOut, ConfigError, Counters, DEFAULT_API_HOST, DEFAULT_CACHE_TTL,
    DEFAULT_CLOSE_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_BODY_BYTES,
    DEFAULT_MEMORY_CACHE_ENTRIES, DEFAULT_POLL_INTERVAL, DEFAULT_READ_TIMEOUT,
    DEFAULT_STREAM_TIMEOUT, DEFAULT_TOTAL_TIMEOUT, FetchError, FetchErrorKind, FetchOptions,
    FileCache, LastError, MemoryCache, NotReady, Refresh, StreamOff, StreamState,
};
#[cfg(feature = "redis-cache")]
pub use growthbook_redis_cache::{RedisCache, RedisCacheError, RedisServers, redis};
#[cfg(feature = "sticky")]
#[doc(inline)]
pub use growthbook_sticky::*;
#[cfg(feature = "fetch")]
pub use lifecycle::{Ready, ReadyClient, Status};
pub use scope::UserScope;
pub use tracking::{ExperimentViewed, ExperimentViewedEvent, FeatureUsage};

/// Compiles the README's examples.
#[cfg(all(doctest, feature = "fetch"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The target of all log records.
const LOG_TARGET: &str = "growthbook";
