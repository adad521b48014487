//! What can go wrong with Redis.

use std::{error::Error, fmt};

use redis::{ErrorKind, RedisError};

use super::connection::server_code;

/// Why Redis could not be asked. It has none of Redis's own words but a code: those may repeat
/// keys, which are attribute values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisStoreError {
    kind: RedisStoreErrorKind,
    detail: Option<Box<str>>,
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisStoreErrorKind {
    /// No answer within the deadline.
    TimedOut,
    /// No connection, or a lost one.
    Unreachable,
    /// Redis failed a moment ago, and is not asked until a pause is over.
    Pausing,
    /// Redis answered with an error.
    Refused,
    /// Anything else.
    Other,
}

impl RedisStoreError {
    pub(super) fn new(kind: RedisStoreErrorKind) -> Self {
        RedisStoreError { kind, detail: None }
    }

    pub(super) fn other(detail: impl Into<Box<str>>) -> Self {
        RedisStoreError { kind: RedisStoreErrorKind::Other, detail: Some(detail.into()) }
    }

    pub(super) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            return RedisStoreError::new(RedisStoreErrorKind::TimedOut);
        }
        match error.kind() {
            // The system's words, or the cluster's addresses.
            ErrorKind::Io => RedisStoreError {
                kind: RedisStoreErrorKind::Unreachable,
                detail: Some(error.to_string().into()),
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

    /// What kind of error it is.
    pub fn kind(&self) -> RedisStoreErrorKind {
        self.kind
    }

    /// Whether Redis cannot be talked to, so that the next request would fail as well.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.kind, RedisStoreErrorKind::TimedOut | RedisStoreErrorKind::Unreachable)
    }
}

/// A word in capitals says nothing of a user.
fn is_code(word: &str) -> bool {
    word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl fmt::Display for RedisStoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            RedisStoreErrorKind::TimedOut => "Redis did not answer within the deadline",
            RedisStoreErrorKind::Unreachable => "Redis cannot be reached",
            RedisStoreErrorKind::Pausing => "Redis failed a moment ago, and is not asked yet",
            RedisStoreErrorKind::Refused => "Redis answered with an error",
            RedisStoreErrorKind::Other => "Redis cannot be used",
        })?;
        match &self.detail {
            Some(detail) => write!(formatter, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for RedisStoreError {}
