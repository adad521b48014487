//! The error of the cache.

use std::fmt;
use std::io;

use growthbook_core::cache::PayloadCacheError;
use redis::RedisError;

/// The error of a [`RedisCache`](crate::RedisCache). Its text has no keys, payloads or addresses.
#[non_exhaustive]
pub enum RedisCacheError {
    /// The deadline passed, or too many requests were waiting already.
    Timeout,
    /// Redis failed a moment ago. Requests fail at once until a short pause is over.
    Paused,
    /// Redis refused the request, or the connection broke.
    Redis(RedisError),
    /// The system could not start a thread.
    Thread(io::Error),
}

impl fmt::Display for RedisCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedisCacheError::Timeout => {
                formatter.write_str("Redis did not answer within the deadline")
            }
            RedisCacheError::Paused => {
                formatter.write_str("Redis failed a moment ago and is not asked for a short while")
            }
            // The error's own text may quote an entry, and with it the client key.
            RedisCacheError::Redis(error) => match error.code() {
                Some(code) => write!(formatter, "Redis answered with the error {code}"),
                None => write!(formatter, "the request to Redis failed ({:?})", error.kind()),
            },
            RedisCacheError::Thread(_) => {
                formatter.write_str("the thread for Redis could not be started")
            }
        }
    }
}

/// Prints the same text as `Display`: the text of Redis may quote the client key.
impl fmt::Debug for RedisCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisCacheError({self})")
    }
}

/// Has no source: the text of Redis may quote the client key.
impl core::error::Error for RedisCacheError {}

impl From<RedisCacheError> for PayloadCacheError {
    fn from(error: RedisCacheError) -> Self {
        PayloadCacheError::new(error)
    }
}
