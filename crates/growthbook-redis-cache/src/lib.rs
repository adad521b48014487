//! A GrowthBook payload cache in Redis: one payload and one fetch for many processes.
//!
//! [`RedisCache`] implements two traits of the core. As a
//! [`PayloadCache`](growthbook_core::cache::PayloadCache) it stores the last good payload, so that a new
//! process starts with it. As a [`FetchLease`](growthbook_core::cache::FetchLease) it lets one process ask
//! the server for all, and notifies the others of the new payload.
//!
//! It refuses to be in the way:
//!
//! - No request takes longer than a deadline, and evaluation never waits for Redis.
//! - While Redis is down, slow, read-only, emptied or full of garbage, each process continues by
//!   itself.
//! - It reads no more than a limit, [`MAX_PAYLOAD_BYTES`].
//! - It does not decrypt. Encrypted payloads stay encrypted in Redis, unless the application calls
//!   `RedisCache::share_in_clear`.
//! - It never writes client keys, payloads or addresses to errors and logs.
//!
//! ```no_run
//! use growthbook_redis_cache::RedisCache;
//!
//! let cache = RedisCache::new(redis::Client::open("redis://localhost/")?);
//! // Client::builder("sdk-abc123").cache(cache).start()
//! # Ok::<(), redis::RedisError>(())
//! ```
//!
//! # Entries in Redis
//!
//! `HOST` and `KEY` are the API host and the client key of a client. All entries of one payload are
//! in one slot of a cluster. A prefix ([`RedisCache::prefix`]) comes before each name, and before
//! `gb:` between the braces.
//!
//! | key | value |
//! |---|---|
//! | `gb:HOST::KEY` | a clear-text copy as JSON, for the Python SDK's documented cache; lives ten minutes |
//! | `growthbook:payload:{gb:HOST::KEY}` | the payload as the server sent it |
//! | `growthbook:meta:{gb:HOST::KEY}` | a hash of facts: `digest`, `etag`, `streaming`, `fetched_at`, `begun` (when the holder of the lease began to fetch), `date` (of the last change), `plain` (the SHA-1 of the copy) |
//! | `growthbook:lease:{gb:HOST::KEY}` | the holder of the lease |
//! | `growthbook:changed:{gb:HOST::KEY}` | the channel that announces digests of new payloads |
//!
//! Payloads of the Python SDK are used as well: if it has put a different copy, that copy counts.
//!
//! # Modules, in reading order
//!
//! | module | subject |
//! |---|---|
//! | `cache` | [`RedisCache`]: its options, `get`, `put` and `confirm` |
//! | `payload` | the scripts that read, store and confirm a payload |
//! | `lease` | the lease: `acquire`, `release`, `watch`, and their scripts |
//! | `lua` | the start of each script, and number formats |
//! | `keys` | the names of the keys |
//! | `document` | the facts about a document, and its digest |
//! | `memory` | what a cache remembers of each payload |
//! | `worker` | the thread that sends requests, with a deadline |
//! | `watch` | the thread that receives notifications |
//! | `threads` | waiting for threads to end |
//! | `error` | [`RedisCacheError`] |
//!
//! # Cargo features
//!
//! | feature | default | what it adds | cost |
//! |---|---|---|---|
//! | `encryption` | yes | `RedisCache::share_in_clear` | the core's decryption |
//! | `cluster` | no | Redis Cluster | a module |
//! | `sentinel` | no | masters that Redis Sentinel names | a module |
//! | `tls` | no | `rediss://` addresses, and `RedisCache::certificates` | crates `rustls`, `ring` and `rustls-native-certs` |

mod cache;
mod document;
mod error;
mod keys;
mod lease;
mod lua;
mod memory;
mod payload;
mod threads;
mod watch;
mod worker;

pub use cache::{DEFAULT_DEADLINE, DEFAULT_LEASE, RedisCache};
pub use error::RedisCacheError;
#[doc(inline)]
pub use growthbook_support::redis::RedisServers;
pub use keys::InvalidPrefix;
pub use lua::MAX_PAYLOAD_BYTES;
/// The crate of the Redis client that [`RedisCache::new`] takes.
pub use redis;
