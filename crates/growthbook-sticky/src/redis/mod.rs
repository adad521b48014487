//! Documents in Redis.

mod breaker;
mod connection;
mod error;
#[cfg(feature = "tokio")]
mod loader;
mod options;
mod pool;
mod request;
#[cfg(feature = "redis-cluster")]
mod slot;
mod store;

pub use connection::RedisTarget;
pub use error::{RedisStoreError, RedisStoreErrorKind};
#[cfg(feature = "tokio")]
pub use loader::RedisLoader;
pub use options::{DEFAULT_REDIS_CONNECTIONS, DEFAULT_REDIS_DEADLINE, RedisStickyBucketOptions};
pub use store::RedisStickyBucketStore;
