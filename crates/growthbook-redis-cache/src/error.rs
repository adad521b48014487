//! Why Redis was of no help.

use std::fmt;
use std::io;

use growthbook_core::PayloadCacheError;
use redis::RedisError;

/// Why Redis was of no help. Neither keys nor payloads nor addresses are in its text.
#[non_exhaustive]
pub enum RedisCacheError {
    /// It took longer than the deadline.
    Timeout,
    /// It failed a moment ago, and is left alone for another.
    Resting,
    /// It refused, or the connection broke.
    Redis(RedisError),
    /// The system gives no thread.
    Thread(io::Error),
}

impl fmt::Display for RedisCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedisCacheError::Timeout => formatter.write_str("Redis took too long"),
            RedisCacheError::Resting => formatter.write_str("Redis failed a moment ago"),
            // Its own text may quote the entry, and with it the client key.
            RedisCacheError::Redis(error) => match error.code() {
                Some(code) => write!(formatter, "Redis answered {code}"),
                None => write!(formatter, "Redis failed ({:?})", error.kind()),
            },
            RedisCacheError::Thread(_) => formatter.write_str("no thread could be started"),
        }
    }
}

/// As its text: that of Redis may quote the client key.
impl fmt::Debug for RedisCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisCacheError({self})")
    }
}

/// Without a source: texts of Redis may quote the client key.
impl core::error::Error for RedisCacheError {}

impl From<RedisCacheError> for PayloadCacheError {
    fn from(error: RedisCacheError) -> Self {
        PayloadCacheError::new(error)
    }
}
