//! The names of the keys in Redis.

use std::error::Error;
use std::fmt;

use growthbook_core::cache::PayloadKey;

/// The keys of one payload. All are in one slot of a Redis Cluster.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The clear-text copy. The Python SDK's documented cache uses the same key.
    pub(crate) copy: String,
    /// The payload as the server sent it.
    pub(crate) payload: String,
    /// A hash of facts about the payload.
    pub(crate) meta: String,
    /// The holder of the lease.
    pub(crate) lease: String,
    /// The channel that announces new payloads.
    pub(crate) changed: String,
}

impl Keys {
    pub(crate) fn new(prefix: &KeyPrefix, key: &PayloadKey) -> Self {
        let prefix = &*prefix.0;
        let copy = format!("{prefix}gb:{}::{}", key.api_host(), key.client_key());
        // A cluster chooses the slot by the text between braces.
        let own = |name: &str| format!("{prefix}growthbook:{name}:{{{copy}}}");
        Keys {
            payload: own("payload"),
            meta: own("meta"),
            lease: own("lease"),
            changed: own("changed"),
            copy,
        }
    }
}

/// The text before the names of all keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyPrefix(Box<str>);

/// The longest prefix.
const MAX_PREFIX_BYTES: usize = 64;

impl KeyPrefix {
    pub(crate) fn new(prefix: &str) -> Result<Self, InvalidPrefix> {
        if prefix.len() > MAX_PREFIX_BYTES {
            return Err(InvalidPrefix(Problem::TooLong));
        }
        let is_allowed = |char: &char| char.is_ascii_alphanumeric() || ":._-/".contains(*char);
        match prefix.chars().find(|char| !is_allowed(char)) {
            Some(char) => Err(InvalidPrefix(Problem::Character(char))),
            None => Ok(KeyPrefix(prefix.into())),
        }
    }
}

/// The error of [`RedisCache::prefix`](crate::RedisCache::prefix).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPrefix(Problem);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    TooLong,
    Character(char),
}

impl fmt::Display for InvalidPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the prefix of the keys in Redis ")?;
        match &self.0 {
            Problem::TooLong => {
                write!(formatter, "is longer than {MAX_PREFIX_BYTES} bytes: shorten it")
            }
            Problem::Character(char) => write!(
                formatter,
                "contains {char:?}; only ASCII letters, digits and : . _ - / are allowed"
            ),
        }
    }
}

impl Error for InvalidPrefix {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_before_each_name() {
        let prefix = KeyPrefix::new("shop:").unwrap();
        let keys = Keys::new(&prefix, &PayloadKey::new("https://cdn.growthbook.io", "sdk-1"));
        assert_eq!(keys.copy, "shop:gb:https://cdn.growthbook.io::sdk-1");
        let own = [&keys.payload, &keys.meta, &keys.lease, &keys.changed];
        assert!(own.iter().all(|name| name.starts_with("shop:growthbook:")));
        assert!(own.iter().all(|name| name.ends_with(&format!("{{{}}}", keys.copy))));
    }

    #[test]
    fn invalid_prefixes_are_refused() {
        for valid in ["", "a", "team/shop-1_x.y:", &"x".repeat(64)] {
            assert!(KeyPrefix::new(valid).is_ok(), "{valid}");
        }
        for invalid in ["{a}", "a b", "a\n", "ü", "a*", &"x".repeat(65)] {
            assert!(KeyPrefix::new(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn key_names_are_compatible() {
        let keys = Keys::new(
            &KeyPrefix::default(),
            &PayloadKey::new("https://cdn.growthbook.io/", "sdk-1"),
        );
        assert_eq!(keys.copy, "gb:https://cdn.growthbook.io/::sdk-1");
        assert_eq!(keys.payload, "growthbook:payload:{gb:https://cdn.growthbook.io/::sdk-1}");
        assert_eq!(keys.meta, "growthbook:meta:{gb:https://cdn.growthbook.io/::sdk-1}");
        assert_eq!(keys.lease, "growthbook:lease:{gb:https://cdn.growthbook.io/::sdk-1}");
        assert_eq!(keys.changed, "growthbook:changed:{gb:https://cdn.growthbook.io/::sdk-1}");
    }
}
