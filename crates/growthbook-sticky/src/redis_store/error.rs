//! The errors of the Redis stores, and what an error of the Redis client means.

use std::{error::Error, fmt};

use growthbook_support::redis::{io_text, is_oversize};
use redis::{ErrorKind, RedisError};

/// The reason why a request to Redis failed.
///
/// Of a reply from Redis it keeps the error code only. The text of a reply may repeat keys, and
/// keys contain attribute values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisStoreError {
    kind: RedisStoreErrorKind,
    detail: Option<Box<str>>,
}

/// The kind of a [`RedisStoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisStoreErrorKind {
    /// Redis did not reply within the deadline.
    TimedOut,
    /// The store could not connect, or lost its connection.
    Unreachable,
    /// An earlier request failed, and the pause after it is not over. Redis was not asked.
    Pausing,
    /// Redis replied with an error.
    Refused,
    /// The documents of a load are larger than
    /// [`MAX_REDIS_REPLY_BYTES`](crate::MAX_REDIS_REPLY_BYTES).
    TooLarge,
    /// Any other error.
    Other,
}

impl RedisStoreError {
    pub(super) fn new(kind: RedisStoreErrorKind) -> Self {
        RedisStoreError { kind, detail: None }
    }

    /// The pause after this failure is not over.
    pub(super) fn pausing(cause: &RedisStoreError) -> Self {
        let detail = Some(cause.to_string().into());
        RedisStoreError { kind: RedisStoreErrorKind::Pausing, detail }
    }

    pub(super) fn other(detail: impl Into<Box<str>>) -> Self {
        RedisStoreError { kind: RedisStoreErrorKind::Other, detail: Some(detail.into()) }
    }

    pub(super) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            return RedisStoreError::new(RedisStoreErrorKind::TimedOut);
        }
        if is_oversize(error) {
            return RedisStoreError::new(RedisStoreErrorKind::TooLarge);
        }
        match error.kind() {
            // A text of the crate `redis` lists the addresses of the cluster.
            ErrorKind::Io => RedisStoreError {
                kind: RedisStoreErrorKind::Unreachable,
                detail: Some(io_text(error).unwrap_or_else(|| error.to_string()).into()),
            },
            ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel => RedisStoreError {
                kind: RedisStoreErrorKind::Unreachable,
                detail: Some(error.category().into()),
            },
            ErrorKind::Server(_) | ErrorKind::Extension => RedisStoreError {
                kind: RedisStoreErrorKind::Refused,
                detail: server_code(error).filter(|code| is_code(code)).map(Into::into),
            },
            _ => RedisStoreError::other(error.category()),
        }
    }

    /// Returns the kind of this error.
    pub fn kind(&self) -> RedisStoreErrorKind {
        self.kind
    }

    /// Returns whether Redis did not reply at all, so that the next request would fail as well.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.kind, RedisStoreErrorKind::TimedOut | RedisStoreErrorKind::Unreachable)
    }
}

impl fmt::Display for RedisStoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            RedisStoreErrorKind::TimedOut => "Redis did not answer within the deadline",
            RedisStoreErrorKind::Unreachable => "Redis cannot be reached",
            RedisStoreErrorKind::Pausing => {
                "Redis failed a moment ago, and the store waits before it asks again"
            }
            RedisStoreErrorKind::Refused => "Redis answered with an error",
            RedisStoreErrorKind::TooLarge => "the documents of a user in Redis are too large",
            RedisStoreErrorKind::Other => "Redis cannot be used",
        })?;
        if let Some(detail) = &self.detail {
            write!(formatter, ": {detail}")?;
        }
        // The detail of a pause is the failure before it, with what to do.
        match (self.kind, &self.detail) {
            (RedisStoreErrorKind::Pausing, Some(_)) => Ok(()),
            (kind, _) => write!(formatter, "; {}", kind.advice()),
        }
    }
}

impl RedisStoreErrorKind {
    /// Returns what to do.
    fn advice(self) -> &'static str {
        match self {
            RedisStoreErrorKind::TimedOut => {
                "check its load and the network, or raise the deadline"
            }
            RedisStoreErrorKind::Unreachable => "check its address, and that it runs",
            RedisStoreErrorKind::Pausing => "see the failure before",
            RedisStoreErrorKind::Refused => "check the rights of its user, and its memory",
            RedisStoreErrorKind::TooLarge => "remove their keys",
            RedisStoreErrorKind::Other => "check the address and the options of the client",
        }
    }
}

impl Error for RedisStoreError {}

/// Returns the error code of a reply. Returns `None` if the error is not a reply from Redis.
pub(super) fn server_code(error: &RedisError) -> Option<String> {
    let code = error.code().map(ToOwned::to_owned);
    code.or_else(|| Some(error.clone().into_server_errors()?.first()?.1.code().to_owned()))
}

/// Returns whether Redis replied with this error. Then the connection still works.
pub(super) fn is_reply(error: &RedisError) -> bool {
    server_code(error).is_some()
}

/// Returns whether this server cannot do the work, so that the store has to connect again. It may
/// be a replica now, or not ready yet.
pub(super) fn needs_another_server(error: &RedisError) -> bool {
    let codes = ["READONLY", "MASTERDOWN", "LOADING", "NOAUTH", "CLUSTERDOWN"];
    server_code(error).is_some_and(|code| codes.contains(&&*code))
}

/// Returns whether this is a short word in capitals. Such a word does not contain user data.
fn is_code(word: &str) -> bool {
    word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_what_to_do() {
        let of = |kind, detail: Option<&str>| {
            RedisStoreError { kind, detail: detail.map(Into::into) }.to_string()
        };
        let cases = [
            (
                of(RedisStoreErrorKind::TimedOut, None),
                "Redis did not answer within the deadline; check its load and the network, or raise \
                 the deadline",
            ),
            (
                of(RedisStoreErrorKind::Unreachable, Some("connection refused")),
                "Redis cannot be reached: connection refused; check its address, and that it runs",
            ),
            (
                of(RedisStoreErrorKind::Pausing, None),
                "Redis failed a moment ago, and the store waits before it asks again; see the \
                 failure before",
            ),
            (
                of(RedisStoreErrorKind::Refused, Some("NOPERM")),
                "Redis answered with an error: NOPERM; check the rights of its user, and its memory",
            ),
            (
                of(RedisStoreErrorKind::TooLarge, None),
                "the documents of a user in Redis are too large; remove their keys",
            ),
            (
                of(RedisStoreErrorKind::Other, Some("parse error")),
                "Redis cannot be used: parse error; check the address and the options of the client",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
        let refused = RedisStoreError { kind: RedisStoreErrorKind::TimedOut, detail: None };
        assert_eq!(
            RedisStoreError::pausing(&refused).to_string(),
            format!(
                "Redis failed a moment ago, and the store waits before it asks again: {refused}"
            )
        );
    }
}
