//! The store in Redis.

use std::{fmt, sync::Arc};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};

use super::{
    options::RedisStickyBucketOptions,
    pool::Pool,
    request::{self, Request},
};
use growthbook_support::redis::RedisServers;

/// A store in Redis that all processes share, also with the JavaScript and Python SDKs. A document
/// is JSON under the key `<attributeName>||<attributeValue>`.
///
/// - One `MGET` loads all documents of a user. On Redis Cluster it is a pipeline of `GET`s to each
///   node. A save is one `SET`, or one script with [`merge`](RedisStickyBucketOptions::merge).
/// - No call takes longer than the [`deadline`](RedisStickyBucketOptions::deadline), even if Redis, the
///   network or the name service hangs.
/// - After a timeout or a lost connection, calls fail at once during a pause. The pause lasts 100 ms
///   at first, and up to 5 s after repeated failures. Then one call tries again. On a cluster this
///   applies only to the slots that failed.
/// - A document counts as missing if it is corrupt, belongs to another key or is not a string. The
///   next save replaces it.
/// - The source of an error is a [`RedisStoreError`](crate::RedisStoreError). The log (target
///   `growthbook`) reports the beginning and the end of an outage.
/// - Threads of the store open connections with the first calls. A connection closes after 30 s
///   without use, or when the last clone of the store is dropped. The child of a `fork()` opens its
///   own connections.
///
/// [`RedisServers`](crate::RedisServers) is the address: a server, a cluster, or the master that
/// sentinels name. A save waits for Redis. Put a `WriteBehind` (Cargo feature `write-behind`) around the store if
/// requests must not wait for it.
///
/// ```no_run
/// use growthbook_sticky::{RedisStickyBucketOptions, RedisStickyBucketStore};
///
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let options = RedisStickyBucketOptions::new().merge(true);
/// let store = RedisStickyBucketStore::with_options(client, options);
/// # Ok::<(), redis::RedisError>(())
/// ```
#[derive(Clone)]
pub struct RedisStickyBucketStore {
    pool: Arc<Pool>,
    options: RedisStickyBucketOptions,
}

impl RedisStickyBucketStore {
    /// Creates a store with the default options, which match the other SDKs. It does not connect yet.
    pub fn new(servers: impl Into<RedisServers>) -> Self {
        RedisStickyBucketStore::with_options(servers, RedisStickyBucketOptions::new())
    }

    /// Creates a store with these options. It does not connect yet.
    pub fn with_options(
        servers: impl Into<RedisServers>,
        options: RedisStickyBucketOptions,
    ) -> Self {
        let pool = Pool::new(servers.into(), options.clone());
        RedisStickyBucketStore { pool: Arc::new(pool), options }
    }
}

impl StickyBucketStore for RedisStickyBucketStore {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        if keys.is_empty() {
            return Ok(StickyBuckets::new());
        }
        let reply = self.pool.send(Request::load(keys, &self.options));
        let values = reply.map_err(StickyBucketStoreError::new)?;
        Ok(request::documents(keys, &values))
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        let reply = self.pool.send(Request::save(document, &self.options));
        reply.map(drop).map_err(StickyBucketStoreError::new)
    }
}

impl fmt::Debug for RedisStickyBucketStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisStickyBucketStore")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
