//! The stores in Redis. Read `store`, `request`, `pool`, `jobs`, `breaker`, `loader`.

mod breaker;
mod error;
mod jobs;
#[cfg(feature = "tokio")]
mod loader;
mod options;
mod pool;
#[cfg(feature = "tokio")]
mod reply_meter;
mod request;
mod store;
#[cfg(feature = "tokio")]
mod stream;

#[doc(inline)]
pub use growthbook_support::redis::RedisServers;

pub use error::{RedisStoreError, RedisStoreErrorKind};
#[cfg(feature = "tokio")]
pub use loader::RedisLoader;
pub use options::{
    DEFAULT_REDIS_CONNECTIONS, DEFAULT_REDIS_DEADLINE, MAX_REDIS_REPLY_BYTES,
    RedisStickyBucketOptions,
};
pub use store::RedisStickyBucketStore;
