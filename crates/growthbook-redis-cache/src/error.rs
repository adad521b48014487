//! The error of the cache.

use std::fmt;
use std::io;
use std::sync::Arc;

use growthbook_core::cache::PayloadCacheError;
use growthbook_support::redis::io_text;
use redis::RedisError;

use crate::lua::MAX_PAYLOAD_BYTES;

/// The error of a [`RedisCache`](crate::RedisCache). Its text has no keys, payloads or addresses.
#[derive(Clone)]
#[non_exhaustive]
pub enum RedisCacheError {
    /// The deadline passed, or too many requests were waiting already.
    Timeout,
    /// Redis failed a moment ago. Requests fail at once until a short pause is over.
    Paused {
        /// The failure before the pause.
        cause: Arc<RedisCacheError>,
    },
    /// Redis refused the request, or the connection broke.
    Redis(RedisError),
    /// The payload is larger than [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
    TooLarge,
    /// The Redis client panicked.
    Panicked,
    /// The system could not start a thread.
    Thread(Arc<io::Error>),
}

const TIMED_OUT: &str = "Redis did not answer within the deadline: check its load and the network, or raise the deadline";

impl fmt::Display for RedisCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedisCacheError::Timeout => formatter.write_str(TIMED_OUT),
            RedisCacheError::Paused { cause } => {
                write!(formatter, "{cause}; after this failure, Redis is not asked for a moment")
            }
            RedisCacheError::Redis(error) => write_redis_error(formatter, error),
            RedisCacheError::TooLarge => {
                write!(
                    formatter,
                    "the payload is larger than {MAX_PAYLOAD_BYTES} bytes: limit the SDK connection to fewer projects"
                )
            }
            RedisCacheError::Panicked => {
                formatter.write_str("the Redis client panicked: see the message on standard error")
            }
            RedisCacheError::Thread(error) => {
                write!(
                    formatter,
                    "the thread for Redis could not be started ({error}): raise the limits of the process"
                )
            }
        }
    }
}

/// Writes the cause. The error's own text may quote an entry, and with it the client key.
fn write_redis_error(formatter: &mut fmt::Formatter<'_>, error: &RedisError) -> fmt::Result {
    // A word in capitals is a code. A server that is not Redis may send anything.
    let is_code = |code: &&str| code.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some(code) = error.code().filter(is_code) {
        return write!(
            formatter,
            "Redis answered with the error {code}: check the rights of its user, and its memory"
        );
    }
    if error.is_timeout() {
        return formatter.write_str(TIMED_OUT);
    }
    match io_text(error) {
        Some(text) => write!(
            formatter,
            "the connection to Redis failed ({text}): check its address, and that it runs"
        ),
        None => write!(
            formatter,
            "the request to Redis failed ({}): check the address and the options",
            error.category()
        ),
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
