//! One GrowthBook payload for many processes, in Redis.
//!
//! A [`RedisCache`] is a [`PayloadCache`](growthbook_core::PayloadCache). Processes that share one
//! start from the payload that is there; when a refresh is due, one of them asks the server (a
//! lease that runs out), and the others hear of what it got (pub/sub). A copy lies where the
//! Python SDK's documented Redis cache looks, so that both use each other's payloads.
//!
//! It refuses to be in the way: no request waits longer than a deadline, evaluation never waits
//! at all, and while Redis is down, slow, read-only, emptied or full of rubbish each process
//! carries on by itself. What comes encrypted stays encrypted in Redis.
//!
//! ```no_run
//! use growthbook_redis_cache::RedisCache;
//!
//! let cache = RedisCache::new(redis::Client::open("redis://localhost/")?);
//! // Client::builder("sdk-abc123").cache(cache).start()
//! # Ok::<(), redis::RedisError>(())
//! ```
//!
//! # Entries
//!
//! For the API host and client key of a client (`HOST`, `KEY`), all in one slot of a cluster:
//!
//! | key | value |
//! |---|---|
//! | `gb:HOST::KEY` | a copy in clear for other SDKs, as JSON; lives ten minutes, as theirs |
//! | `growthbook:payload:{gb:HOST::KEY}` | the payload as it came |
//! | `growthbook:meta:{gb:HOST::KEY}` | a hash: `digest`, `etag`, `streaming`, `fetched_at`, `begun`, `date`, `plain` |
//! | `growthbook:lease:{gb:HOST::KEY}` | who is asking the server |
//! | `growthbook:changed:{gb:HOST::KEY}` | the channel where digests of new payloads are published |
//!
//! # Cargo features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `encryption` | yes | `RedisCache::share_in_clear` |
//! | `cluster` | no | Redis Cluster |
//! | `sentinel` | no | masters found by Redis Sentinel |
//! | `tls` | no | `rediss://` addresses, with `rustls`, `ring` and the system's certificates |

mod cache;
mod document;
mod ending;
mod error;
mod keys;
mod lock;
mod scripts;
mod servers;
mod watch;
mod worker;

pub use cache::{DEFAULT_DEADLINE, DEFAULT_LEASE, RedisCache};
pub use error::RedisCacheError;
/// The Redis client this crate takes.
pub use redis;
pub use servers::RedisServers;

/// The target of all log records.
const LOG_TARGET: &str = "growthbook";
