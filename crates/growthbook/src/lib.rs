//! GrowthBook feature flags and A/B tests for Rust: evaluated locally, in process.
//!
//! A [`Client`] holds a payload of feature definitions, compiled once. [`Client::for_user`] pins it
//! for one user or request. Asking a flag then walks it without locks, allocation or IO.
//! Evaluation never fails and never panics: an unknown flag or a value of another type gives the
//! fallback. [`UserScope::eval_feature`] gives the value as it is, and its source.
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
//! [`Client::embedded`] make clients that fetch nothing and start no threads. Give them payloads
//! with [`Client::set_payload`]. Where even `std` is too much, take `growthbook-core` alone.
//!
//! # Names
//!
//! The crate's root has what most programs use. The rest is in modules:
//!
//! | module | for |
//! |---|---|
//! | [`attributes`], [`secure`] | attributes in types of your own, and attributes compared as hashes |
//! | [`tracking`] | exposures, feature usage and other events; callbacks and plugins |
//! | `ingestor` | exposures and events to GrowthBook's ingestor; with the Cargo feature `tracking` |
//! | [`experiment`], [`result`], [`warning`] | the parts of experiments, results and warnings |
//! | [`explain`] | why a user got a value |
//! | [`fetch`] | status, errors and defaults of a client that asks a server |
//! | [`remote`] | a client for which a server evaluates |
//! | [`cache`] | caches for payloads |
//! | [`sticky`] | sticky buckets and their stores |
//! | [`auto`], [`url`] | auto experiments on pages |
//! | [`bandit`] | contextual bandits |
//! | [`reduce`] | a small payload for the browser |
//! | [`bucketing`], [`condition`], [`encryption`], [`limits`], [`observe`] | the parts of evaluation, one by one |
//! | [`guide`] | longer texts with examples |
//!
//! # Layout
//!
//! The source, in reading order:
//!
//! | module | what it does |
//! |---|---|
//! | `state` | what the evaluations of a client share |
//! | `scope`, `scope_source` | evaluates for one user on one payload; the user's attribute source |
//! | `scope_changes` | scopes that are made from a scope, in the middle of a request |
//! | `scope_events`, `scope_tracking` | a scope's own plugins and record |
//! | `observer`, `seen` | notifies plugins during an evaluation; which exposures were reported before |
//! | `flag_problems`, `logged_flags` | reports flags that are unknown or have another type; which were logged before |
//! | `listeners`, `callbacks` | plugins in use, and those that are a closure |
//! | `scope_buckets`, `sticky_store` | sticky buckets of a scope, and the log of a failing store |
//! | `client`, `globals` | the client: the payload in use, and what holds for every user |
//! | `client_events`, `subscription` | logged events, and plugins that are added while the client runs |
//! | `counts`, `tracing_plugin`, `metrics_plugin` | plugins that count events, or hand them to `tracing` and `metrics` |
//! | `client_remote` | answers to clients for which this one evaluates |
//! | `deferred`, `tracking` | deferred tracking calls; the public names of events |
//! | `connection` | the feed of a client, started again after a fork |
//! | `lifecycle`, `status` | waiting, refreshing and closing; the status |
//! | `builder`, `embedded`, `connected` | settings of every client, and of two kinds |
//! | `environment` | settings of a connected client from environment variables |
//! | `remote` | a client for which a server evaluates |
//!
//! # Cargo features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `fetch` | yes | [`Client::builder`]: clients that ask a server; adds `ureq` and `rustls` |
//! | `redis-cache` | no | `RedisCache`: one payload and one fetch for many processes |
//! | `sticky` | no | `MemoryStickyBucketStore`; `WriteBehind`: saves after the evaluation, on a thread |
//! | `sticky-embedded` | no | `EmbeddedStickyBucketStore`: a database file of one machine |
//! | `sticky-redis` | no | `RedisStickyBucketStore`: for many processes |
//! | `sticky-cookie` | no | `read_cookies`, `set_cookie`: documents in a browser |
//! | `tracking` | no | `ingestor::IngestorTracking`: events to GrowthBook's ingestor, on a thread |
//! | `redis-cluster`, `redis-sentinel`, `redis-tls` | no | Redis Cluster, Sentinel and TLS |
//! | `system-certificates` | no | `ConnectionOptions::system_certificates`: the certificates of the system |
//! | `derive` | no | `#[derive(AttributeSource)]`: a struct of the application as a user |
//! | `encryption` | yes | [`ClientBuilder::decryption_key`]: payloads with encrypted sections |
//! | `tracing` | no | [`tracking`]`::TracingPlugin`: OpenTelemetry's event for each evaluation; spans of fetches |
//! | `metrics` | no | [`tracking`]`::MetricsPlugin`: counts of events; metrics of fetches and streams |
//! | `webhooks` | no | `webhook::verify_webhook`: messages that the payload has changed |
//! | `secure-attributes` | yes | [`secure::secure_attribute`]: attributes compared as hashes |
//!
//! # Logging
//!
//! Through the [`log`](https://docs.rs/log) facade, target `growthbook`:
//!
//! | level | what |
//! |---|---|
//! | error | a callback, plugin or attribute source that panicked |
//! | warn | an unknown flag, or one with a value of another type than its fallback, once for each flag; warnings of a payload; a refresh, cache or sticky bucket store that begins to fail |
//! | info | one that works again |
//! | debug | each evaluated feature and inline experiment; further evaluations of an unknown flag, or of one with another type; each document that a failing store did not load or save |
//!
//! Attribute values, client keys and decryption keys are never logged.
//!
//! # Panics of the application's code
//!
//! A panic in a callback, an [`AttributeSource`], a [sticky bucket store](sticky::StickyBucketStore),
//! a [cache](cache::PayloadCache) or its [lease](cache::FetchLease) is caught: evaluation and
//! refreshing continue. Rust prints its message to standard error, unless the program has a panic
//! hook. With `panic = "abort"` in the program's profile, no panic can be caught, and it ends the
//! program.

mod builder;
mod callbacks;
mod client;
mod client_events;
mod client_remote;
#[cfg(feature = "fetch")]
mod connected;
#[cfg(feature = "fetch")]
mod connection;
mod counts;
mod deferred;
mod embedded;
#[cfg(feature = "fetch")]
mod environment;
mod flag_problems;
mod globals;
pub mod guide;
#[cfg(feature = "fetch")]
mod lifecycle;
mod listeners;
mod logged_flags;
#[cfg(feature = "metrics")]
mod metrics_plugin;
mod observer;
#[cfg(feature = "fetch")]
pub mod remote;
mod scope;
mod scope_buckets;
mod scope_changes;
mod scope_events;
mod scope_source;
mod scope_tracking;
mod seen;
mod state;
#[cfg(feature = "fetch")]
mod status;
mod sticky_store;
mod subscription;
#[cfg(feature = "tracing")]
mod tracing_plugin;
pub mod tracking;

pub use builder::ClientBuilder;
pub use client::Client;
#[cfg(feature = "fetch")]
pub use connected::{Connected, StartError};
pub use embedded::Embedded;
#[cfg(feature = "fetch")]
pub use environment::EnvironmentError;
#[cfg(feature = "encryption")]
pub use growthbook_core::DecryptionKey;
// The core's root may have its own form of the macro under the same name.
pub use growthbook_core::attributes::AttributeSource;
#[cfg(feature = "encryption")]
pub use growthbook_core::encryption;
#[cfg(feature = "secure-attributes")]
pub use growthbook_core::secure;
pub use growthbook_core::{
    Assignment, AttributeRef, AttributeValue, Attributes, Evaluator, Exclusion, Experiment,
    ExperimentDefinition, ExperimentResult, FeatureKey, FeatureName, FeatureResult,
    FeatureResultSource, FeatureResults, GlobalContext, HashValue, IntoUser, Payload,
    PayloadChange, PayloadError, PayloadSource, Snapshot, UserContext, ValueError, Warning,
};
pub use growthbook_core::{
    attributes, auto, bandit, bucketing, condition, experiment, explain, limits, observe, reduce,
    remote_eval, result, url, warning,
};
/// Derives [`AttributeSource`](trait@AttributeSource) for a struct of the application.
#[cfg(feature = "derive")]
pub use growthbook_derive::AttributeSource;
#[cfg(feature = "fetch")]
pub use growthbook_fetch::{FetchError, FetchOptions, NotReady, Refresh};
#[cfg(feature = "webhooks")]
pub use growthbook_webhook as webhook;
#[cfg(feature = "fetch")]
pub use lifecycle::Ready;
/// The Redis client that caches and stores in Redis take.
#[cfg(any(feature = "redis-cache", feature = "sticky-redis"))]
pub use redis;
#[cfg(feature = "fetch")]
pub use remote::{Remote, RemoteClient};
pub use scope::UserScope;
#[cfg(feature = "fetch")]
pub use status::Status;
pub use tracking::{ExperimentViewed, ExperimentViewedRecord, FeatureUsage, Plugin, Subscription};

/// Exposures and events to GrowthBook's ingestor, with the Cargo feature `tracking`.
#[cfg(feature = "tracking")]
pub mod ingestor {
    pub use growthbook_tracking::{
        DEFAULT_BATCH_SIZE, DEFAULT_CAPACITY, DEFAULT_CAPACITY_BYTES, DEFAULT_DROP_DEADLINE,
        DEFAULT_DUPLICATE_CACHE_SIZE, DEFAULT_INTERVAL, DEFAULT_REQUEST_TIMEOUT, DEFAULT_RETRY_FOR,
        EU_INGESTOR, FlushTimedOut, IngestorTracking, LostEvents, RequestError,
        TrackingConfigError, TrackingOptions, TrackingStatus, US_INGESTOR,
    };
}

/// Caches for payloads: memory, a file, Redis, or one of your own.
pub mod cache {
    pub use growthbook_core::cache::{
        CacheChanged, CacheWatch, CachedPayload, FetchLease, LeaseOutcome, PayloadCache,
        PayloadCacheError, PayloadKey, PayloadSource, UnixMillis,
    };
    #[cfg(feature = "fetch")]
    pub use growthbook_fetch::{DEFAULT_MEMORY_CACHE_ENTRIES, FileCache, MemoryCache};
    #[cfg(feature = "redis-cache")]
    pub use growthbook_redis_cache::{
        DEFAULT_DEADLINE, DEFAULT_LEASE, InvalidPrefix, MAX_PAYLOAD_BYTES, RedisCache,
        RedisCacheError, RedisServers,
    };
}

/// Status, errors and defaults of a client that asks a server.
#[cfg(feature = "fetch")]
pub mod fetch {
    pub use crate::environment::{
        API_HOST_VARIABLE, CLIENT_KEY_VARIABLE, DECRYPTION_KEY_VARIABLE, STREAMING_HOST_VARIABLE,
    };
    pub use growthbook_fetch::{
        CloseTimedOut, ConfigError, ConnectionConfigError, ConnectionOptions, Counters,
        DEFAULT_API_HOST, DEFAULT_CACHE_TTL, DEFAULT_CLOSE_TIMEOUT, DEFAULT_CONNECT_TIMEOUT,
        DEFAULT_MAX_BODY_BYTES, DEFAULT_POLL_INTERVAL, DEFAULT_READ_TIMEOUT,
        DEFAULT_STREAM_TIMEOUT, DEFAULT_TOTAL_TIMEOUT, DateProblem, FetchErrorKind, InvalidHost,
        LastError, MIN_POLL_INTERVAL, StreamOff, StreamState,
    };

    pub use crate::lifecycle::ReadyClient;
}

/// Sticky bucketing: users keep the variation they were first given. Documents of assignments, and
/// stores for them.
pub mod sticky {
    pub use growthbook_core::sticky::{
        StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError,
        StickyBuckets,
    };
    #[cfg(feature = "sticky-cookie")]
    pub use growthbook_sticky::{
        COOKIE_PREFIX, CookieError, CookieOptions, DEFAULT_COOKIE_MAX_AGE, MAX_COOKIE_BYTES,
        SameSite, read_cookies, set_cookie,
    };
    #[cfg(feature = "sticky-embedded")]
    pub use growthbook_sticky::{
        DEFAULT_EMBEDDED_DOCUMENTS, EMBEDDED_CACHE_BYTES, EmbeddedStickyBucketStore,
        EmbeddedStoreError, EmbeddedStoreErrorKind,
    };
    #[cfg(feature = "sticky")]
    pub use growthbook_sticky::{
        DEFAULT_MEMORY_DOCUMENTS, DEFAULT_WRITE_BEHIND_CAPACITY,
        DEFAULT_WRITE_BEHIND_DROP_DEADLINE, DEFAULT_WRITE_BEHIND_RETRY_FOR, FlushTimedOut,
        MemoryStickyBucketStore, WriteBehind, WriteBehindCounters, WriteBehindOptions,
        WriteProblem,
    };
    #[cfg(feature = "sticky-redis")]
    pub use growthbook_sticky::{
        DEFAULT_REDIS_CONNECTIONS, DEFAULT_REDIS_DEADLINE, MAX_REDIS_REPLY_BYTES, RedisServers,
        RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreError, RedisStoreErrorKind,
    };
}

/// Compiles the README's examples.
#[cfg(all(doctest, feature = "fetch"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
