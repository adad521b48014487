//! Payload caches: where a client stores payloads between refreshes, restarts and processes.
//!
//! A client calls a [`PayloadCache`]: `get` at its start, `put` and `confirm` after a refresh. A
//! cache that several processes share may offer a [`FetchLease`] as well, so that one process asks
//! the server for all. This crate defines both traits and never calls them.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::escaped::Escaped;

/// Stores the last good payload of each API host and client key.
///
/// A cache implements `get` and `put`; the other methods have defaults.
///
/// # Contract
///
/// - **A method may block, but not for long.** Evaluation never waits for it. The start of a client
///   and its refreshes do. A cache on a network sets its own deadlines.
/// - **A method may fail or panic.** The client counts the error, logs it, and continues without
///   the cache. It does not repeat the call. After a failed write, the next refresh writes again.
/// - **`put` receives readable payloads only.** `get` may return anything: the client checks it
///   like a reply of the server.
/// - **The cache returns times as it received them.** The time 0 means that the age is unknown.
/// - **`put` replaces the whole entry.** A reader gets the old entry or the new one, never a
///   mixture.
/// - **Calls may come from several threads at once**, and from several processes if they share the
///   cache.
///
/// # Example
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Mutex, PoisonError};
///
/// use growthbook_core::cache::{CachedPayload, PayloadCache, PayloadCacheError, PayloadKey};
///
/// #[derive(Default)]
/// struct MyCache(Mutex<HashMap<PayloadKey, CachedPayload>>);
///
/// impl PayloadCache for MyCache {
///     fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
///         Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
///     }
///
///     fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
///         let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         entries.insert(key.clone(), payload.clone());
///         Ok(())
///     }
/// }
/// # let cache = MyCache::default();
/// # assert_eq!(cache.get(&PayloadKey::new("host", "key")).unwrap(), None);
/// ```
pub trait PayloadCache: Send + Sync {
    /// Returns the payload that was last put for this key; `None` if there is not one, or if it is
    /// corrupt.
    ///
    /// # Errors
    ///
    /// The cache cannot be read. The client continues without it.
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError>;

    /// Stores a payload in place of the current one of its key. Ends this process's lease, if it
    /// has one.
    ///
    /// # Errors
    ///
    /// The cache cannot be written. The previous payload should still be there.
    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError>;

    /// Stores a payload, even in place of a newer one: the server insists on it. Ends this process's
    /// lease, if it has one.
    ///
    /// The default calls `put`. A cache whose `put` keeps a newer payload has to implement it.
    ///
    /// # Errors
    ///
    /// The cache cannot be written. The previous payload should still be there.
    fn replace(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.put(key, payload)
    }

    /// Records that the server confirmed this payload: it is as fresh as if fetched now. Ends this
    /// process's lease, if it has one.
    ///
    /// The client calls this instead of `put` when the cache has the payload already. The default
    /// does nothing. The payload then looks older than it is, and a client that starts with
    /// it asks the server sooner.
    ///
    /// # Errors
    ///
    /// The cache cannot be written.
    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let _ = (key, payload);
        Ok(())
    }

    /// Returns the lease of a cache that several processes share. Default: `None`, and each process
    /// asks the server by itself.
    fn fetch_lease(&self) -> Option<&dyn FetchLease> {
        None
    }

    /// Ends threads and closes connections after a client that used this cache was closed.
    ///
    /// Waits no longer than the limit, and returns false if they did not end in that time. The
    /// cache stays usable: the next call, of this cache or of a clone, starts them again. The
    /// default does nothing and returns true.
    fn disconnect(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }

    /// Returns the origin that a client reports for payloads of this cache. Default:
    /// [`PayloadSource::Cache`].
    fn source(&self) -> PayloadSource {
        PayloadSource::Cache
    }
}

/// Lets one process ask the server for all processes that share a cache.
///
/// A lease is the right to ask the server for the payload of one key. One process holds it at a
/// time, for a bounded time.
///
/// # Contract
///
/// - **The client acquires before each scheduled refresh.** A refresh that the application orders
///   needs no lease.
/// - **A lease ends** with the holder's next [`put`](PayloadCache::put) or
///   [`confirm`](PayloadCache::confirm), with `release`, or when its time is over. A holder that
///   dies delays the others no longer than that.
/// - **The process holds the lease**, not one of its caches. While it does, each cache of this
///   process gets [`Acquired`](LeaseOutcome::Acquired), and any of them may end the lease.
/// - **A method may block, but not for long**, like those of [`PayloadCache`].
/// - **A method may fail or panic.** After a failed `acquire` the client asks the server itself.
///   After a failed `release` it does nothing: the lease runs out. It repeats neither call.
pub trait FetchLease: Send + Sync {
    /// Asks for the right to fetch.
    ///
    /// `known` is the payload that this process has. If another process began to fetch at most
    /// `max_age` ago, its payload is fresh enough, and this process does not fetch.
    ///
    /// # Errors
    ///
    /// The store of the lease cannot be asked.
    fn acquire(
        &self,
        key: &PayloadKey,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Result<LeaseOutcome, PayloadCacheError>;

    /// Ends this process's lease without a payload: the server failed, or sent an older one. Does
    /// nothing when another process holds the lease.
    ///
    /// The cache may pause for a moment before another process can acquire.
    ///
    /// # Errors
    ///
    /// The store of the lease cannot be written.
    fn release(&self, key: &PayloadKey) -> Result<(), PayloadCacheError>;

    /// Calls `changed`, on a thread of the cache, when another process may have put a payload.
    ///
    /// The calls end when the returned watch is dropped. Dropping does not wait, so that one more
    /// call may follow. Returns `None` when the cache cannot notify; this is the default. Changes
    /// then arrive with the next refresh.
    fn watch(&self, key: &PayloadKey, changed: CacheChanged) -> Option<CacheWatch> {
        let _ = (key, changed);
        None
    }
}

/// The callback of [`FetchLease::watch`]. It may block and may use the cache.
pub type CacheChanged = Box<dyn Fn() + Send + Sync>;

/// A running [`FetchLease::watch`]. Ends a little after it is dropped.
pub type CacheWatch = Box<dyn Send + Sync>;

/// The answer to [`FetchLease::acquire`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseOutcome {
    /// This process holds the lease, and asks the server.
    Acquired,
    /// Another process holds the lease.
    HeldElsewhere {
        /// When to try again, if no notification arrives before.
        retry_in: Duration,
    },
    /// Another process fetched recently enough. This process does not ask the server.
    AlreadyFresh {
        /// The payload it put; `None` if it is the known one.
        payload: Option<CachedPayload>,
        /// How long ago the other process began to ask the server.
        age: Duration,
    },
}

/// Stores nothing.
impl PayloadCache for () {
    fn get(&self, _key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        Ok(None)
    }

    fn put(&self, _key: &PayloadKey, _payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        Ok(())
    }
}

/// Shares one cache among several clients.
impl<C: PayloadCache + ?Sized> PayloadCache for Arc<C> {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        (**self).get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        (**self).put(key, payload)
    }

    fn replace(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        (**self).replace(key, payload)
    }

    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        (**self).confirm(key, payload)
    }

    fn fetch_lease(&self) -> Option<&dyn FetchLease> {
        (**self).fetch_lease()
    }

    fn disconnect(&self, limit: Duration) -> bool {
        (**self).disconnect(limit)
    }

    fn source(&self) -> PayloadSource {
        (**self).source()
    }
}

/// Milliseconds since the Unix epoch.
pub type UnixMillis = u64;

/// The key of a payload: an API host and a client key.
///
/// `Debug` does not print the client key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadKey {
    api_host: Box<str>,
    client_key: Box<str>,
}

impl PayloadKey {
    /// Makes the key of this client key on this host, both as configured.
    pub fn new(api_host: impl Into<Box<str>>, client_key: impl Into<Box<str>>) -> Self {
        PayloadKey { api_host: api_host.into(), client_key: client_key.into() }
    }

    /// Returns the API host as configured, with its final slash if it has one.
    pub fn api_host(&self) -> &str {
        &self.api_host
    }

    /// Returns the client key. Do not write it to errors or logs.
    pub fn client_key(&self) -> &str {
        &self.client_key
    }
}

/// Prints the host, and the end of the client key: enough to recognize it in a log.
impl fmt::Display for PayloadKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The number of characters at the end of a client key that are shown.
        const SHOWN: usize = 4;
        /// A shorter key is not shown at all.
        const SHORTEST: usize = 12;
        // A host may have a user and a password.
        let host = match self.api_host.split_once("://") {
            Some((scheme, rest)) => {
                write!(formatter, "{}://", Escaped(scheme))?;
                rest
            }
            None => &self.api_host,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        write!(formatter, "{}", Escaped(host))?;
        match self.client_key.char_indices().rev().nth(SHOWN - 1) {
            Some((start, _)) if self.client_key.chars().nth(SHORTEST - 1).is_some() => {
                let end = self.client_key.get(start..).unwrap_or_default();
                write!(formatter, " (client key ...{})", Escaped(end))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for PayloadKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PayloadKey").finish_non_exhaustive()
    }
}

/// A payload in a cache: the document as the server sent it. Encrypted parts stay encrypted.
///
/// `Debug` does not print the document. It serializes to JSON with the member names `document`,
/// `etag`, `streaming` and `fetchedAt`. Only the first one must be there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedPayload {
    /// The payload's JSON text.
    #[serde(serialize_with = "write_text", deserialize_with = "read_text")]
    pub document: Arc<str>,
    /// The server's ETag for this document. A conditional request sends it back.
    #[serde(default)]
    pub etag: Option<Box<str>>,
    /// Whether the server offered to stream changes when it sent this document. A cache may drop
    /// this if there is no ETag: the client then does not use it.
    #[serde(default)]
    pub streaming: bool,
    /// When the server last sent or confirmed the document; 0 if unknown. A time in the future
    /// counts as long ago.
    #[serde(default)]
    pub fetched_at: UnixMillis,
}

// serde reads and writes an `Arc` with a Cargo feature only.

fn write_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn read_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Arc::from)
}

impl fmt::Debug for CachedPayload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CachedPayload")
            .field("bytes", &self.document.len())
            .field("etag", &self.etag)
            .field("streaming", &self.streaming)
            .field("fetched_at", &self.fetched_at)
            .finish()
    }
}

/// The origin of a payload, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayloadSource {
    /// The API or its stream. This process fetched the payload.
    Network,
    /// A cache in memory or shared between processes. The client started with the payload.
    Cache,
    /// The API. Another process that shares the cache fetched the payload.
    Shared,
    /// A cache in a file. The client started with the payload.
    File,
    /// The application's fallback, used until there is another payload.
    Fallback,
    /// A payload that the application set.
    Application,
}

impl PayloadSource {
    /// Returns the name of the source in lower case, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            PayloadSource::Network => "network",
            PayloadSource::Cache => "cache",
            PayloadSource::Shared => "shared",
            PayloadSource::File => "file",
            PayloadSource::Fallback => "fallback",
            PayloadSource::Application => "application",
        }
    }
}

/// Writes the name in lower case.
impl Serialize for PayloadSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for PayloadSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The error of a cache. `Display` has the text of the cache's own error, and `source` returns it.
pub struct PayloadCacheError(Box<dyn core::error::Error + Send + Sync>);

impl PayloadCacheError {
    /// Wraps a cache's own error. That error must not print client keys, payloads or passwords.
    pub fn new(error: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        PayloadCacheError(error.into())
    }
}

impl fmt::Debug for PayloadCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PayloadCacheError").field(&self.0).finish()
    }
}

impl fmt::Display for PayloadCacheError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the payload cache failed: {}", self.0)
    }
}

impl core::error::Error for PayloadCacheError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;

    #[test]
    fn key_is_recognized_but_not_shown() {
        let text = |host: &str, key: &str| PayloadKey::new(host, key).to_string();
        let cases = [
            (
                "https://cdn.growthbook.io",
                "sdk-abcdef123",
                "https://cdn.growthbook.io (client key ...f123)",
            ),
            ("https://u:p@w@host:1/", "sdk-abcdef123", "https://host:1/ (client key ...f123)"),
            ("user@host", "sdk-1", "host"),
            ("a\nb", "sdk-abcdef\u{1f}123", "a\\nb (client key ...\\u{1f}123)"),
        ];
        for (host, key, expected) in cases {
            assert_eq!(text(host, key), expected);
        }
    }

    #[test]
    fn cached_payload_survives_json() {
        let payload = CachedPayload {
            document: "{\"features\":{}}".into(),
            etag: Some("W/1".into()),
            streaming: true,
            fetched_at: 7,
        };
        let json = serde_json::to_value(&payload).unwrap();
        assert_eq!(
            json,
            json!({"document": "{\"features\":{}}", "etag": "W/1", "streaming": true, "fetchedAt": 7})
        );
        assert_eq!(serde_json::from_value::<CachedPayload>(json).unwrap(), payload);
        let least: CachedPayload = serde_json::from_value(json!({"document": "{}"})).unwrap();
        assert_eq!((least.etag, least.streaming, least.fetched_at), (None, false, 0));
    }
}
