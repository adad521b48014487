//! Where GrowthBook's sticky buckets are kept: the memory of a process, a file of one machine,
//! Redis, or the user's own cookies.
//!
//! Each store implements [`StickyBucketStore`](growthbook_core::sticky::StickyBucketStore), so that a
//! client of the crate `growthbook` takes it; the documents in cookies and those of `RedisLoader`
//! go to `for_user_with_sticky`. What is kept in Redis and in cookies is what the JavaScript and
//! Python SDKs keep there, and they share it with this crate.
//!
//! This crate evaluates nothing and opens no connection of its own accord: Redis clients are built
//! by the application. No store has an attribute's value or a password in what it logs, in its
//! errors or in its `Debug`, and none panics, whatever it finds stored.
//!
//! ```
//! # #[cfg(feature = "memory")] {
//! use growthbook_core::{Payload, UserContext};
//! use growthbook_core::sticky::StickyBucketStore;
//! use growthbook_sticky::MemoryStickyBucketStore;
//!
//! let store = MemoryStickyBucketStore::default();
//! let snapshot = Payload::from_json(r#"{"features": {"checkout": {"rules": [{
//!     "key": "checkout-test", "variations": ["old", "new"], "hashAttribute": "id"
//! }]}}}"#).unwrap().compile();
//! let user = UserContext::new("user-1");
//!
//! let evaluator = snapshot.for_user(&user);
//! let mut buckets = store.get_all(&evaluator.sticky_keys()).unwrap();
//! evaluator.sticky(&mut buckets).eval_feature("checkout");
//! for document in buckets.take_changed() {
//!     store.save(&document).unwrap();
//! }
//! assert_eq!(store.get_all(&evaluator.sticky_keys()).unwrap().iter().len(), 1);
//! # }
//! ```
//!
//! # Which one
//!
//! | store | survives a restart | shared by processes | a load takes | a save takes |
//! |---|---|---|---|---|
//! | `MemoryStickyBucketStore` | no | no | nothing | nothing |
//! | `EmbeddedStickyBucketStore` | yes, also a kill | no | a read from disk or its cache | an `fsync` |
//! | `RedisStickyBucketStore` | yes | yes | a round trip | a round trip |
//! | `read_cookies`, `set_cookie` | yes, for one browser | yes | nothing | nothing |
//!
//! Put a `WriteBehind` around a store whose saves take time: they leave after the evaluation.
//!
//! # Cargo features
//!
//! | feature | default | what it adds | cost |
//! |---|---|---|---|
//! | `memory` | yes | `MemoryStickyBucketStore` | crate `lru` |
//! | `embedded` | | `EmbeddedStickyBucketStore` | crates `redb`, `serde_json` |
//! | `redis` | | `RedisStickyBucketStore` | crates `redis` (about ten more), `serde_json`, `log`; up to 8 threads |
//! | `redis-cluster` | | the same on a `redis::cluster::ClusterClient` | crates `crc16`, `rand` |
//! | `redis-sentinel` | | the same on a `redis::sentinel::SentinelClient` | crate `rand` |
//! | `redis-tls` | | `rediss://` by rustls, with the system's certificates | crates `rustls`, `ring`, `rustls-native-certs` |
//! | `tokio` | | `RedisLoader`, asynchronous | crates `tokio`, `tokio-util`, `futures-util` |
//! | `tokio-tls` | | TLS for that | crate `tokio-rustls` |
//! | `write-behind` | | `WriteBehind` around any store | crate `log`; a thread |
//! | `cookie` | | `read_cookies`, `set_cookie` | crate `serde_json` |
//!
//! No feature changes what another does. TLS needs one cryptography of rustls: `redis-tls` brings
//! `ring`; where something else in the program brings another one as well, the program has to
//! install one of them (`CryptoProvider::install_default`) before it connects.
//!
//! # Logging
//!
//! Through the `log` facade, target `growthbook`: what begins to fail (warn) and what works again
//! (info), not every repetition.

#[cfg(feature = "cookie")]
mod cookie;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(any(feature = "cookie", feature = "embedded", feature = "redis"))]
mod json;
#[cfg(any(feature = "memory", feature = "redis", feature = "write-behind"))]
mod lock;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(all(
    test,
    any(
        feature = "cookie",
        feature = "embedded",
        feature = "memory",
        feature = "redis",
        feature = "write-behind"
    )
))]
mod testing;
#[cfg(feature = "write-behind")]
mod write_behind;

#[cfg(feature = "cookie")]
pub use cookie::{
    COOKIE_PREFIX, CookieError, CookieOptions, DEFAULT_COOKIE_MAX_AGE, MAX_COOKIE_BYTES, SameSite,
    read_cookies, set_cookie,
};
#[cfg(feature = "embedded")]
pub use embedded::{
    DEFAULT_EMBEDDED_DOCUMENTS, EMBEDDED_CACHE_BYTES, EmbeddedStickyBucketStore, OpenError,
};
#[cfg(feature = "memory")]
pub use memory::{DEFAULT_MEMORY_DOCUMENTS, MemoryStickyBucketStore};
#[cfg(feature = "tokio")]
pub use redis::RedisLoader;
#[cfg(feature = "redis")]
pub use redis::{
    DEFAULT_REDIS_CONNECTIONS, DEFAULT_REDIS_DEADLINE, RedisStickyBucketOptions,
    RedisStickyBucketStore, RedisStoreError, RedisStoreErrorKind, RedisTarget,
};
#[cfg(feature = "write-behind")]
pub use write_behind::{
    DEFAULT_WRITE_BEHIND_CAPACITY, DEFAULT_WRITE_BEHIND_DROP_DEADLINE,
    DEFAULT_WRITE_BEHIND_RETRY_FOR, FlushTimedOut, WriteBehind, WriteBehindCounters,
    WriteBehindOptions, WriteProblem,
};

/// The target of all log records.
#[cfg(any(feature = "redis", feature = "write-behind"))]
const LOG_TARGET: &str = "growthbook";

/// The store's own words, where it has some.
#[cfg(feature = "write-behind")]
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
