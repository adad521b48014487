//! The stores in Redis. Read `store`, `target`, `request`, `pool`, `jobs`, `breaker`, `loader`.

mod breaker;
#[cfg(feature = "redis-cluster")]
mod cluster_slot;
mod connection;
mod error;
mod jobs;
#[cfg(feature = "tokio")]
mod loader;
mod options;
mod pool;
mod request;
mod store;
mod target;

pub use error::{RedisStoreError, RedisStoreErrorKind};
#[cfg(feature = "tokio")]
pub use loader::RedisLoader;
pub use options::{
    DEFAULT_REDIS_CONNECTIONS, DEFAULT_REDIS_DEADLINE, MAX_REDIS_REPLY_BYTES,
    RedisStickyBucketOptions,
};
pub use store::RedisStickyBucketStore;
pub use target::RedisTarget;
