//! Where payloads are kept between processes and restarts: the boundary between refreshing and
//! storage.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;
use core::time::Duration;

/// Keeps the last good payload of each API host and client key.
///
/// The contract:
/// - Every method may block, but not for long: nothing is evaluated meanwhile on this thread, and
///   the next refresh waits. A store on a network sets deadlines of its own.
/// - Every method may fail. Nobody retries; the error is logged, counted, and the client goes on
///   without the cache.
/// - What is put is always a payload that was read successfully. What is got may be anything: it
///   is checked like a reply of the server.
/// - Times are given back as they were put, whatever they are; 0 says that the age is not known.
/// - A later `put` of one key replaces the earlier one in whole. A reader sees the one or the
///   other, never a mixture.
/// - It may be called from several threads at once, and from several processes where it is shared.
pub trait PayloadCache: Send + Sync {
    /// The payload last put for this key. `None` when there is none, or it is corrupt.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError>;

    /// Keeps a payload in place of the one of its key.
    ///
    /// # Errors
    ///
    /// When the store cannot be written. What was kept before should still be there.
    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError>;

    /// The server has confirmed this payload: it is as fresh as if fetched now. Called instead of
    /// a `put` of the same document, when the last `put` succeeded. Does nothing unless
    /// implemented: the payload then looks older than it is, and a client that starts with it asks
    /// the server sooner.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let _ = (key, payload);
        Ok(())
    }

    /// Asked before a refresh that is due, where processes share the cache: whether it is this
    /// process that should ask the server. `known` is what it has; what another process began to
    /// fetch no longer ago than `max_age` is good enough. Unless implemented, every process asks.
    ///
    /// A turn lasts for a bounded time: a process that took it and is never heard of again holds
    /// up the others no longer than that. After `put`, `confirm` or `give_up_turn` it is over. It
    /// is the process's, whichever of its caches took it: where several share a store, what one
    /// of them holds is `Ours` to all.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked. The process then asks the server.
    fn take_turn(
        &self,
        key: &PayloadKey,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Result<Turn, PayloadCacheError> {
        let _ = (key, known, max_age);
        Ok(Turn::Ours)
    }

    /// The turn has ended without a payload to keep: the server failed, or sent an older one. Does
    /// nothing unless implemented: the others wait until it has run out.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    fn give_up_turn(&self, key: &PayloadKey) -> Result<(), PayloadCacheError> {
        let _ = key;
        Ok(())
    }

    /// Calls back, on a thread of the cache, whenever another process may have put a payload,
    /// until what is given back is dropped. That waits for nothing: a last call may still come.
    /// `None` where there are no other processes.
    fn watch(&self, key: &PayloadKey, changed: CacheChanged) -> Option<CacheWatch> {
        let _ = (key, changed);
        None
    }

    /// A client that used this cache is closed. Ends threads and closes connections, and waits for
    /// that no longer than the limit: false when it takes longer. Whoever goes on using the cache,
    /// or a clone of it, has them started again. Does nothing unless implemented.
    fn release(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }

    /// What a payload from here counts as in reports.
    fn source(&self) -> PayloadSource {
        PayloadSource::Cache
    }
}

/// Called when another process may have put a payload.
pub type CacheChanged = Box<dyn Fn() + Send + Sync>;

/// Ends a watch when dropped, a little later.
pub type CacheWatch = Box<dyn Send + Sync>;

/// Who asks the server, of the processes that share a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Turn {
    /// This process.
    Ours,
    /// Nobody has to: another process did.
    Fresh {
        /// What it got; `None` for what was known already.
        payload: Option<CachedPayload>,
        /// How long ago it began to ask.
        age: Duration,
    },
    /// Another process is asking.
    Theirs {
        /// When to look again, should nothing be heard of it.
        retry_in: Duration,
    },
}

/// Keeps nothing.
impl PayloadCache for () {
    fn get(&self, _key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        Ok(None)
    }

    fn put(&self, _key: &PayloadKey, _payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        Ok(())
    }
}

/// A cache that several clients hold.
impl<C: PayloadCache + ?Sized> PayloadCache for Arc<C> {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        (**self).get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        (**self).put(key, payload)
    }

    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        (**self).confirm(key, payload)
    }

    fn take_turn(
        &self,
        key: &PayloadKey,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Result<Turn, PayloadCacheError> {
        (**self).take_turn(key, known, max_age)
    }

    fn give_up_turn(&self, key: &PayloadKey) -> Result<(), PayloadCacheError> {
        (**self).give_up_turn(key)
    }

    fn watch(&self, key: &PayloadKey, changed: CacheChanged) -> Option<CacheWatch> {
        (**self).watch(key, changed)
    }

    fn release(&self, limit: Duration) -> bool {
        (**self).release(limit)
    }

    fn source(&self) -> PayloadSource {
        (**self).source()
    }
}

/// Milliseconds since the Unix epoch.
pub type UnixMillis = u64;

/// Which payload: that of a client key on an API host.
///
/// `Debug` does not print the client key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadKey {
    api_host: Box<str>,
    client_key: Box<str>,
}

impl PayloadKey {
    /// The payload of this client key on this host, both as configured.
    pub fn new(api_host: impl Into<Box<str>>, client_key: impl Into<Box<str>>) -> Self {
        PayloadKey { api_host: api_host.into(), client_key: client_key.into() }
    }

    /// The API host, as configured: a slash at its end is still there.
    pub fn api_host(&self) -> &str {
        &self.api_host
    }

    /// The client key. It does not belong into errors or logs.
    pub fn client_key(&self) -> &str {
        &self.client_key
    }
}

impl fmt::Debug for PayloadKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PayloadKey").finish_non_exhaustive()
    }
}

/// A payload as it is kept: the server's document, encrypted where it came encrypted.
///
/// `Debug` does not print the document.
#[derive(Clone, PartialEq, Eq)]
pub struct CachedPayload {
    /// The payload's JSON text.
    pub document: Arc<str>,
    /// The server's tag for this document, to ask whether it has changed.
    pub etag: Option<Box<str>>,
    /// Whether the server offered to stream changes when it sent this document. Without a tag it
    /// is of no use, and may be forgotten.
    pub streaming: bool,
    /// When the server last sent or confirmed it. A time in the future counts as long ago.
    pub fetched_at: UnixMillis,
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

/// Where a payload came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayloadSource {
    /// The API or its stream, by this process.
    Network,
    /// A cache in memory or shared between processes, at the start.
    Cache,
    /// The API, by another process that shares the cache.
    Shared,
    /// A cache in a file.
    File,
    /// The payload the application brought along, for as long as there is no other.
    Fallback,
    /// The application set it.
    Application,
}

impl PayloadSource {
    /// The source in lower case, as a word for a log.
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

impl fmt::Display for PayloadSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a cache failed. Keeps the cache's own error as its source.
pub struct PayloadCacheError(Box<dyn core::error::Error + Send + Sync>);

impl PayloadCacheError {
    /// Wraps a cache's own error. It must not print client keys, payloads or passwords.
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
        formatter.write_str("the payload cache failed")
    }
}

impl core::error::Error for PayloadCacheError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.0)
    }
}
