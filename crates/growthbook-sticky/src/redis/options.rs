//! What can be set.

use std::{num::NonZeroUsize, time::Duration};

/// How long a load or a save may take by default, connecting included.
pub const DEFAULT_REDIS_DEADLINE: Duration = Duration::from_millis(250);

/// How many connections a store keeps open at most, by default.
pub const DEFAULT_REDIS_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// What is longer is as good as for ever, and every clock can express it.
const LONGEST_DEADLINE: Duration = Duration::from_secs(365 * 24 * 3600);

/// How documents are kept in Redis.
#[derive(Clone, Debug)]
pub struct RedisStickyBucketOptions {
    pub(super) prefix: Box<str>,
    pub(super) ttl: Option<Duration>,
    pub(super) merge: bool,
    pub(super) deadline: Duration,
    pub(super) max_connections: NonZeroUsize,
}

impl RedisStickyBucketOptions {
    /// What the other SDKs do: no prefix, no TTL, the last writer of a document wins.
    pub fn new() -> Self {
        RedisStickyBucketOptions {
            prefix: "".into(),
            ttl: None,
            merge: false,
            deadline: DEFAULT_REDIS_DEADLINE,
            max_connections: DEFAULT_REDIS_CONNECTIONS,
        }
    }

    /// What is put before `<attributeName>||<attributeValue>` in a key. With a prefix the other
    /// SDKs do not find the documents, unless their client adds the same. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long Redis keeps a document after its last change, in whole milliseconds and at least
    /// one. Default: for ever, as the other SDKs do.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Whether a save lays its assignments over those in Redis, atomically, by a script there:
    /// what another process assigned since the user's documents were loaded is kept. By default
    /// the whole document is replaced, as by the other SDKs: the last writer wins, and of two
    /// processes that enroll one user in different experiments at once, one may lose.
    ///
    /// It needs leave to run `EVAL` and `EVALSHA`.
    #[must_use]
    pub fn merge(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// How long a load or a save may take, connecting included. Default:
    /// [`DEFAULT_REDIS_DEADLINE`]. More than a year counts as a year.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST_DEADLINE);
        self
    }

    /// How many connections are kept open at most, to a cluster as a whole; each has a thread.
    /// They are opened as they are needed. Default: [`DEFAULT_REDIS_CONNECTIONS`].
    #[must_use]
    pub fn max_connections(mut self, connections: NonZeroUsize) -> Self {
        self.max_connections = connections;
        self
    }
}

/// As [`RedisStickyBucketOptions::new`].
impl Default for RedisStickyBucketOptions {
    fn default() -> Self {
        RedisStickyBucketOptions::new()
    }
}
