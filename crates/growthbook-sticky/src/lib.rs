//! Stores for GrowthBook's sticky buckets: the memory of a process, a file, Redis, or cookies.
//!
//! A sticky bucket document holds the variations that were assigned to one user. Each store
//! implements [`StickyBucketStore`](growthbook_core::sticky::StickyBucketStore), and a client of the crate
//! `growthbook` accepts it. Documents from cookies or from `RedisLoader` go to its method
//! `for_user_with_sticky`, and the scope's `take_changed_sticky_buckets` returns the ones to save.
//! Documents in Redis and in cookies are shared with the JavaScript and Python SDKs.
//!
//! What this crate refuses to do:
//!
//! - It does not evaluate flags or experiments.
//! - It does not build Redis clients, and connects only when a store is used.
//! - It never writes attribute values or passwords to logs, errors or `Debug`.
//! - It never panics because of stored data. Corrupt documents count as missing.
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
//! # Which store?
//!
//! | store | survives a restart | shared by processes | a load takes | a save takes |
//! |---|---|---|---|---|
//! | `MemoryStickyBucketStore` | no | no | no I/O | no I/O |
//! | `EmbeddedStickyBucketStore` | yes, also a kill | no | a read from disk or its cache | an `fsync` |
//! | `RedisStickyBucketStore` | yes | yes | a round trip | a round trip |
//! | `read_cookies`, `set_cookie` | yes, in one browser | yes | no I/O | no I/O |
//!
//! Put a `WriteBehind` around a store with slow saves. It writes documents after the evaluation, in
//! a thread.
//!
//! # Cargo features
//!
//! | feature | default | what it adds | cost |
//! |---|---|---|---|
//! | `memory` | yes | `MemoryStickyBucketStore` | crate `lru` |
//! | `embedded` | no | `EmbeddedStickyBucketStore` | crates `redb`, `serde_json` |
//! | `redis` | no | `RedisStickyBucketStore` | crates `redis` (about ten more), `serde_json`; up to 8 threads |
//! | `redis-cluster` | no | `RedisStickyBucketStore` on `RedisServers::cluster` | a module |
//! | `redis-sentinel` | no | `RedisStickyBucketStore` on `RedisServers::sentinel` | a module |
//! | `redis-tls` | no | `rediss://` addresses | crates `rustls`, `ring`, `rustls-native-certs` |
//! | `tokio` | no | `RedisLoader`, asynchronous; includes `redis-tls` | crates `tokio`, `tokio-util`, `futures-util`, `tokio-rustls` |
//! | `write-behind` | no | `WriteBehind` around any store | a thread |
//! | `cookie` | no | `read_cookies`, `set_cookie` | crate `serde_json` |
//!
//! A feature only adds items. It does not change other features.
//!
//! TLS uses the default cryptography provider of `rustls`, or `ring` if the program has not chosen
//! one. The option `certificates` sets a private CA and a client certificate.
//!
//! # Logging
//!
//! Log records use the `log` facade with the target `growthbook`: a warning when something begins to
//! fail, and an info when it works again. Repeated failures are not logged.
//!
//! # Modules, in reading order
//!
//! | module | subject |
//! |---|---|
//! | `memory` | `MemoryStickyBucketStore` |
//! | `embedded::file` | a `redb` database and its two tables |
//! | `embedded::reopening`, `embedded::error` | when a file that failed is opened again; errors |
//! | `embedded` | `EmbeddedStickyBucketStore` |
//! | `cookie` | `read_cookies` and `set_cookie` |
//! | `redis_store::store` | `RedisStickyBucketStore` |
//! | `redis_store::request`, `merge.lua` | the commands and the script that Redis gets |
//! | `redis_store::pool`, `redis_store::jobs` | the threads that talk to Redis, and their queue |
//! | `redis_store::breaker` | the pauses after a failure |
//! | `redis_store::loader` | `RedisLoader`, for tokio |
//! | `redis_store::stream`, `redis_store::reply_meter` | the socket of the loader, and the limit of replies |
//! | `redis_store::options`, `redis_store::error` | options, errors |
//! | `write_behind::queue` | the queue of documents and its retries |
//! | `write_behind::saver` | the thread that writes them |
//! | `write_behind::options`, `write_behind::problem`, `write_behind::counters` | options, reported problems, counters |
//! | `document_json` | the JSON of a document |

#[cfg(feature = "cookie")]
mod cookie;
#[cfg(any(feature = "cookie", feature = "embedded", feature = "redis"))]
mod document_json;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "redis")]
mod redis_store;
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
mod test_documents;
#[cfg(feature = "write-behind")]
mod write_behind;

#[cfg(feature = "cookie")]
pub use cookie::{
    COOKIE_PREFIX, CookieError, CookieOptions, DEFAULT_COOKIE_MAX_AGE, MAX_COOKIE_BYTES, SameSite,
    read_cookies, set_cookie,
};
#[cfg(feature = "embedded")]
pub use embedded::{
    DEFAULT_EMBEDDED_DOCUMENTS, EMBEDDED_CACHE_BYTES, EmbeddedStickyBucketStore,
    EmbeddedStoreError, EmbeddedStoreErrorKind,
};
#[cfg(feature = "memory")]
pub use memory::{DEFAULT_MEMORY_DOCUMENTS, MemoryStickyBucketStore};
/// The Redis client that the store and the loader take.
#[cfg(feature = "redis")]
pub use redis;
#[cfg(feature = "tokio")]
pub use redis_store::RedisLoader;
#[cfg(feature = "redis")]
pub use redis_store::{
    DEFAULT_REDIS_CONNECTIONS, DEFAULT_REDIS_DEADLINE, MAX_REDIS_REPLY_BYTES, RedisServers,
    RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreError, RedisStoreErrorKind,
};
#[cfg(feature = "write-behind")]
pub use write_behind::{
    DEFAULT_WRITE_BEHIND_CAPACITY, DEFAULT_WRITE_BEHIND_DROP_DEADLINE,
    DEFAULT_WRITE_BEHIND_RETRY_FOR, FlushTimedOut, WriteBehind, WriteBehindCounters,
    WriteBehindOptions, WriteProblem,
};
