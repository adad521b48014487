//! The cache: its options, and payloads in Redis.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::process;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use growthbook_core::cache::{
    CachedPayload, FetchLease, PayloadCache, PayloadCacheError, PayloadKey,
};
#[cfg(feature = "encryption")]
use growthbook_core::{DecryptionKey, Payload};
use growthbook_support::redis::{RedisServers, Script, Tls};
use redis::FromRedisValue;

use crate::document::{Facts, latest_date};
use crate::error::RedisCacheError;
use crate::keys::{InvalidPrefix, KeyPrefix, Keys};
use crate::lua::{self, MAX_PAYLOAD_BYTES};
use crate::memory::Memory;
use crate::payload::{self, ClearCopy, ConfirmArguments, PutArguments, StoredPayload};
use crate::threads::EndingThreads;
use crate::worker::{Address, Worker};

/// The default of [`RedisCache::deadline`].
pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(250);
/// The default of [`RedisCache::lease`].
pub const DEFAULT_LEASE: Duration = Duration::from_secs(10);
/// How long the clear-text copy lives, counted from the last refresh.
///
/// A copy that the Python SDK writes lives equally long. That SDK asks the server only when there
/// is no copy, so a copy must not live forever.
const COPY_TIME_TO_LIVE: Duration = Duration::from_secs(600);
/// The longest duration that is sent to Redis. A longer one is as good as forever.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Distinguishes this process from a process with the same id on another machine.
///
/// All caches of a process share it: the process holds a lease, not one of its caches.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(process::id()));

/// Stores payloads in Redis for many processes, one of which asks the server for all.
///
/// **Threads and connections.** A cache and its clones share one thread with one connection. The
/// first operation starts it. Each client that polls or streams adds a thread with a connection for
/// notifications. They end when the client is closed; the next operation starts the shared one
/// again.
///
/// **Limits.** No operation takes longer than the deadline. A payload has at most
/// [`MAX_PAYLOAD_BYTES`]. A server that sends more is disconnected, at the latest at the deadline.
/// While Redis fails, each process continues by itself.
#[derive(Clone)]
pub struct RedisCache {
    pub(crate) address: Arc<Address>,
    pub(crate) deadline: Duration,
    pub(crate) lease: Duration,
    prefix: KeyPrefix,
    time_to_live: Option<Duration>,
    #[cfg(feature = "encryption")]
    clear_copy_key: Option<DecryptionKey>,
    pub(crate) shared: Arc<Shared>,
}

/// The state that a cache and its clones share.
pub(crate) struct Shared {
    worker: Worker,
    /// The threads of watches and of the worker that were asked to end.
    pub(crate) ending: Arc<EndingThreads>,
    /// Identifies this process, together with the process id.
    pub(crate) process: u64,
    pub(crate) memory: Memory,
}

impl RedisCache {
    /// Makes a cache in this Redis; see [`RedisServers`]. The first operation connects.
    pub fn new(servers: impl Into<RedisServers>) -> Self {
        let address = Arc::new(Address { servers: Arc::new(servers.into()), tls: Tls::default() });
        RedisCache {
            shared: Arc::new(Shared::new(&address, DEFAULT_DEADLINE)),
            address,
            deadline: DEFAULT_DEADLINE,
            lease: DEFAULT_LEASE,
            prefix: KeyPrefix::default(),
            time_to_live: None,
            #[cfg(feature = "encryption")]
            clear_copy_key: None,
        }
    }

    /// Sets how long a request may take, including the time to connect. Default:
    /// [`DEFAULT_DEADLINE`].
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self.shared = Arc::new(Shared::new(&self.address, self.deadline));
        self
    }

    /// Sets a private CA and a client certificate for TLS. Default: the system's certificates are
    /// trusted, and the client has no certificate.
    ///
    /// ```no_run
    /// use growthbook_redis_cache::{RedisCache, redis};
    ///
    /// let ca = std::fs::read("ca.pem")?;
    /// let certificates = redis::TlsCertificates { client_tls: None, root_cert: Some(ca) };
    /// let client = redis::Client::open("rediss://redis.internal/")?;
    /// let cache = RedisCache::new(client).certificates(&certificates)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a certificate or a key is invalid, or when they do not belong together.
    #[cfg(feature = "tls")]
    pub fn certificates(
        mut self,
        certificates: &redis::TlsCertificates,
    ) -> Result<Self, redis::RedisError> {
        let (servers, tls) = (self.address.servers.clone(), Tls::with_certificates(certificates)?);
        self.address = Arc::new(Address { servers, tls });
        self.shared = Arc::new(Shared::new(&self.address, self.deadline));
        Ok(self)
    }

    /// Sets how long a lease lasts: the longest time that a process which dies while it fetches
    /// delays the others. Default: [`DEFAULT_LEASE`].
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.min(LONGEST);
        self
    }

    /// Sets a text before the names of all keys and channels in Redis. Default: none.
    ///
    /// Clients share payloads, and one of them fetches for all, if they use the same Redis, prefix,
    /// API host and client key. The Python SDK shares them only with caches that have no prefix.
    /// Use a prefix to separate programs, or to limit a user of Redis to keys with it
    /// (`ACL SETUSER app ~prefix:* &prefix:*`).
    ///
    /// # Errors
    ///
    /// When the prefix is longer than 64 bytes, or has other characters than ASCII letters, digits,
    /// `:`, `.`, `_`, `-` and `/`. Braces would decide which node of a cluster has a key.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, InvalidPrefix> {
        self.prefix = KeyPrefix::new(prefix)?;
        // What is remembered, such as a lease, belongs to the former keys.
        self.shared = Arc::new(Shared::new(&self.address, self.deadline));
        Ok(self)
    }

    /// Sets how long a payload lives after it was last put or confirmed, in whole seconds and at
    /// least one.
    ///
    /// Default: forever, since an old payload is better than none. The clear-text copy for other
    /// SDKs always lives ten minutes, like their own.
    #[must_use]
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = Some(time_to_live.min(LONGEST));
        self
    }

    /// Also stores the clear text of encrypted payloads, for the Python SDK. That SDK cannot read
    /// encrypted payloads from its cache. Default: Redis has the encrypted payload only.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn share_in_clear(mut self, key: DecryptionKey) -> Self {
        self.clear_copy_key = Some(key);
        self
    }
}

impl PayloadCache for RedisCache {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        let stored: Option<StoredPayload> = self.run(&payload::GET, &self.keys(key), Vec::new())?;
        let digest_of = |document: &Arc<str>| self.memory().digest(key, document);
        Ok(stored.and_then(|stored| stored.read(digest_of)))
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.store(key, payload, false)
    }

    fn replace(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.store(key, payload, true)
    }

    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let arguments = ConfirmArguments {
            digest: self.memory().digest(key, &payload.document),
            fetched_at: payload.fetched_at,
            fetch_age: self.memory().end_lease(key),
            time_to_live: self.time_to_live,
            copy_time_to_live: COPY_TIME_TO_LIVE,
            sender: self.holder(),
        };
        let found: i64 = self.run(&payload::CONFIRM, &self.keys(key), arguments.list())?;
        if found == payload::MISSING { self.put(key, payload) } else { Ok(()) }
    }

    fn fetch_lease(&self) -> Option<&dyn FetchLease> {
        Some(self)
    }

    fn disconnect(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let ending = &self.shared.ending;
        // First the watches: they may still use the worker.
        let have_ended = ending.wait(limit);
        self.shared.worker.stop().into_iter().for_each(|thread| ending.add(thread));
        have_ended && ending.wait(limit.saturating_sub(start.elapsed()))
    }
}

impl RedisCache {
    /// Stores a payload. If the server insists on it, it replaces a newer one.
    fn store(
        &self,
        key: &PayloadKey,
        payload: &CachedPayload,
        insists: bool,
    ) -> Result<(), PayloadCacheError> {
        if payload.document.len() > MAX_PAYLOAD_BYTES {
            return Err(RedisCacheError::TooLarge.into());
        }
        let keys = self.keys(key);
        let facts = Facts::of(&payload.document);
        let arguments = PutArguments {
            payload,
            copy: self.clear_copy(&payload.document, &facts),
            digest: self.memory().digest(key, &payload.document),
            fetch_age: self.memory().end_lease(key),
            date_updated: facts.date_updated,
            time_to_live: self.time_to_live,
            copy_time_to_live: COPY_TIME_TO_LIVE,
            sender: self.holder(),
            channel: keys.changed.clone(),
            latest_date: latest_date(),
            insists,
        };
        let _is_stored: i64 = self.run(&payload::PUT, &keys, arguments.list())?;
        Ok(())
    }

    /// Runs a script on the worker.
    pub(crate) fn run<T: FromRedisValue + Send + 'static>(
        &self,
        script: &'static Script,
        keys: &Keys,
        arguments: Vec<String>,
    ) -> Result<T, RedisCacheError> {
        let keys = lua::key_list(keys);
        self.shared.worker.run(move |connection| {
            Ok(redis::from_redis_value(script.run(connection, &keys, &arguments)?)?)
        })
    }

    /// Returns the names of this payload's keys.
    pub(crate) fn keys(&self, key: &PayloadKey) -> Keys {
        Keys::new(&self.prefix, key)
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.shared.memory
    }

    /// Returns the name of this process as a holder of leases. A child of a fork has its own name.
    pub(crate) fn holder(&self) -> String {
        format!("{}-{:016x}", process::id(), self.shared.process)
    }

    fn clear_copy(&self, document: &str, facts: &Facts) -> ClearCopy {
        if !facts.is_encrypted {
            return ClearCopy::Same;
        }
        #[cfg(feature = "encryption")]
        if let Some(key) = &self.clear_copy_key
            && let Ok(payload) = Payload::from_encrypted_json(document, key)
        {
            return ClearCopy::Decrypted(payload.to_json_string());
        }
        #[cfg(not(feature = "encryption"))]
        let _ = document;
        ClearCopy::Absent
    }
}

impl Shared {
    pub(crate) fn new(address: &Arc<Address>, deadline: Duration) -> Self {
        Shared {
            worker: Worker::new(address.clone(), deadline),
            ending: Arc::default(),
            process: *PROCESS,
            memory: Memory::default(),
        }
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisCache")
            .field("deadline", &self.deadline)
            .field("lease", &self.lease)
            .field("prefix", &self.prefix)
            .field("time_to_live", &self.time_to_live)
            .finish_non_exhaustive()
    }
}
