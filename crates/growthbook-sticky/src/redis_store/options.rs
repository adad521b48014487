//! The options of the Redis stores.

use std::{num::NonZeroUsize, time::Duration};

use growthbook_support::redis::Tls;

/// The default time that a load or a save may take, including the time to connect.
pub const DEFAULT_REDIS_DEADLINE: Duration = Duration::from_millis(250);

/// The default of the most connections that a store keeps open.
pub const DEFAULT_REDIS_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// The most bytes that Redis may send for one load or save. A load of larger documents is an error
/// of the kind [`TooLarge`](crate::RedisStoreErrorKind::TooLarge).
pub const MAX_REDIS_REPLY_BYTES: usize = 4 * 1024 * 1024;

/// The longest deadline. Adding it to the current time never overflows.
const LONGEST_DEADLINE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Options for documents in Redis.
#[derive(Clone, Debug)]
pub struct RedisStickyBucketOptions {
    pub(super) prefix: Box<str>,
    pub(super) ttl: Option<Duration>,
    pub(super) merge: bool,
    pub(super) deadline: Duration,
    pub(super) max_connections: NonZeroUsize,
    pub(super) tls: Tls,
}

impl RedisStickyBucketOptions {
    /// Creates the options that match the other SDKs: no prefix, no TTL, no merging.
    pub fn new() -> Self {
        RedisStickyBucketOptions {
            prefix: "".into(),
            ttl: None,
            merge: false,
            deadline: DEFAULT_REDIS_DEADLINE,
            max_connections: DEFAULT_REDIS_CONNECTIONS,
            tls: Tls::default(),
        }
    }

    /// Sets the text before `<attributeName>||<attributeValue>` in a key. With a prefix the other SDKs
    /// do not find the documents, unless their Redis client adds the same prefix. Default: none.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long Redis keeps a document after its last change, in whole milliseconds and at least
    /// one. Default: forever, as in the other SDKs.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Sets whether a save merges its assignments into the document in Redis. An atomic script in
    /// Redis does that, so the save keeps what another process assigned since the load.
    ///
    /// By default a save replaces the whole document, as in the other SDKs: the last writer wins. If
    /// two processes enroll one user in different experiments at once, one assignment may be lost.
    ///
    /// The Redis user needs permission for `EVAL` and `EVALSHA`.
    #[must_use]
    pub fn merge(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// Sets how long a load or a save may take, including the time to connect. If connecting takes
    /// longer, that call fails and the next one uses the connection. So a deadline needs to allow one
    /// round trip, and several of them for each node of a cluster. Default:
    /// [`DEFAULT_REDIS_DEADLINE`]. A deadline over a year is shortened to a year.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST_DEADLINE);
        self
    }

    /// Sets the most connections that the store keeps open. Each has a thread, and is opened when it is
    /// needed. A connection to a cluster counts once for all nodes. Default:
    /// [`DEFAULT_REDIS_CONNECTIONS`].
    #[must_use]
    pub fn max_connections(mut self, connections: NonZeroUsize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets a private CA and a client certificate for TLS. Default: the system's certificates are
    /// trusted, and the client has no certificate.
    ///
    /// ```no_run
    /// use growthbook_sticky::{RedisStickyBucketOptions, RedisStickyBucketStore, redis};
    ///
    /// let ca = std::fs::read("ca.pem")?;
    /// let certificates = redis::TlsCertificates { client_tls: None, root_cert: Some(ca) };
    /// let options = RedisStickyBucketOptions::new().certificates(&certificates)?;
    /// let client = redis::Client::open("rediss://redis.internal/")?;
    /// let store = RedisStickyBucketStore::with_options(client, options);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a certificate or a key is invalid, or when they do not belong together.
    #[cfg(feature = "redis-tls")]
    pub fn certificates(
        mut self,
        certificates: &redis::TlsCertificates,
    ) -> Result<Self, redis::RedisError> {
        self.tls = Tls::with_certificates(certificates)?;
        Ok(self)
    }
}

/// The same as [`RedisStickyBucketOptions::new`].
impl Default for RedisStickyBucketOptions {
    fn default() -> Self {
        RedisStickyBucketOptions::new()
    }
}
