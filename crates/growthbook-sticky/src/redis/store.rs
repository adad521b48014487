//! The store.

use std::{fmt, sync::Arc};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};

use super::{
    connection::RedisTarget,
    options::RedisStickyBucketOptions,
    pool::Pool,
    request::{self, Request},
};

/// Keeps documents in Redis, where every process finds them, and so do the JavaScript and Python
/// SDKs: under `<attributeName>||<attributeValue>`, as JSON.
///
/// - All of a user's documents are loaded by one `MGET`; on Redis Cluster, by a pipeline of `GET`s
///   to each node. A save is one `SET`, or with [`merge`](RedisStickyBucketOptions::merge) one
///   script.
/// - No call takes longer than the [`deadline`](RedisStickyBucketOptions::deadline), whatever
///   Redis, the network or the name service do.
/// - After a timeout or a lost connection calls fail at once for 100 ms, and where it goes on, for
///   up to 5 s; then one of them tries. On a cluster this holds for the slots that failed.
/// - A document that is corrupt, belongs to another key, or is no string is none; the next save
///   replaces it.
/// - Errors are [`RedisStoreError`](crate::RedisStoreError)s. Outages are logged (target
///   `growthbook`) when they begin and when they end.
/// - Connections are opened with the first call, by threads of their own, and closed after 30 s
///   without use or with the last clone of the store. The child of a `fork()` opens its own.
///
/// A save waits for Redis; put a `WriteBehind` (Cargo feature `write-behind`) around the store so
/// that no request does.
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
    /// Keeps documents as the other SDKs do. Connects to nothing yet.
    pub fn new(client: impl Into<RedisTarget>) -> Self {
        RedisStickyBucketStore::with_options(client, RedisStickyBucketOptions::new())
    }

    /// Keeps documents as the options say. Connects to nothing yet.
    pub fn with_options(client: impl Into<RedisTarget>, options: RedisStickyBucketOptions) -> Self {
        let pool = Pool::new(client.into(), options.deadline, options.max_connections.get());
        RedisStickyBucketStore { pool: Arc::new(pool), options }
    }
}

impl StickyBucketStore for RedisStickyBucketStore {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        if keys.is_empty() {
            return Ok(StickyBuckets::new());
        }
        let asked = self.pool.ask(Request::load(keys, &self.options));
        let answer = asked.map_err(StickyBucketStoreError::new)?;
        Ok(request::documents(keys, &answer))
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        let asked = self.pool.ask(Request::save(document, &self.options));
        asked.map(drop).map_err(StickyBucketStoreError::new)
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
