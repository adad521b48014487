//! The cache: payloads in Redis, and turns.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::process;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use growthbook_core::{
    CacheChanged, CacheWatch, CachedPayload, FetchLease, LeaseOutcome, PayloadCache,
    PayloadCacheError, PayloadKey,
};
#[cfg(feature = "encryption")]
use growthbook_core::{DecryptionKey, Payload};
use redis::{FromRedisValue, Script, ScriptInvocation};

use crate::document::{Facts, digest};
use crate::ending::Ending;
use crate::error::RedisCacheError;
use crate::keys::Keys;
use crate::lock::lock_patiently;
use crate::scripts::{
    self, ConfirmArguments, GiveUpArguments, InClear, Kept, PutArguments, TurnAnswer, TurnArguments,
};
use crate::servers::RedisServers;
use crate::watch::Watch;
use crate::worker::Worker;

#[cfg(test)]
mod tests;

/// How long a request may take.
pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(250);
/// For how long one process may keep the others from asking the server.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(10);
/// How long the copy in clear lives that other SDKs read: as long as one of the Python SDK's, which
/// asks the server only when there is none. Each refresh begins it anew.
const COPY_TIME_TO_LIVE: Duration = Duration::from_secs(600);
/// How long a server that failed one process is not asked by another.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(250);
/// What is longer is as good as for ever, and Redis can express it.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// How soon a process looks again whose turn it is, should it hear nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Tells this process from those of other machines that have the same id. One for all caches: a
/// turn is a process's, and none of its caches waits for another.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(process::id()));

/// Keeps payloads in Redis, for many processes: one asks the server, and the others hear of it.
///
/// Clones share one connection, on one thread that is started with the first operation; each client
/// that polls or streams has another of both, to hear of other processes. They end when the client
/// is closed; what is shared begins again when somebody needs it. No request waits longer than the
/// deadline, and no operation makes more than two; while Redis fails, each process carries on by itself.
#[derive(Clone)]
pub struct RedisCache {
    servers: Arc<RedisServers>,
    deadline: Duration,
    lease: Duration,
    time_to_live: Option<Duration>,
    #[cfg(feature = "encryption")]
    shared_in_clear: Option<DecryptionKey>,
    shared: Arc<Shared>,
}

/// What clones have in common.
struct Shared {
    worker: Worker,
    /// The threads of watches, and of the worker, that were told to end.
    ending: Arc<Ending>,
    /// Tells this process from others, together with the process id.
    token: u64,
    memories: Mutex<HashMap<PayloadKey, Memory>>,
}

/// What is remembered of a payload.
#[derive(Default)]
pub(crate) struct Memory {
    /// The last document put or got, and its digest.
    last: Option<(Arc<str>, String)>,
    /// When the turn was taken.
    turn_began: Option<Instant>,
}

impl RedisCache {
    /// A cache in this Redis: see [`RedisServers`]. Connects when first used.
    pub fn new(servers: impl Into<RedisServers>) -> Self {
        let servers = Arc::new(servers.into());
        RedisCache {
            shared: Arc::new(Shared::new(&servers, DEFAULT_DEADLINE)),
            servers,
            deadline: DEFAULT_DEADLINE,
            lease: DEFAULT_LEASE,
            time_to_live: None,
            #[cfg(feature = "encryption")]
            shared_in_clear: None,
        }
    }

    /// How long a request may take, connecting included. Default: [`DEFAULT_DEADLINE`].
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self.shared = Arc::new(Shared::new(&self.servers, self.deadline));
        self
    }

    /// For how long one process may keep the others from asking the server, should it not be heard
    /// of again. Default: [`DEFAULT_LEASE`].
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.min(LONGEST);
        self
    }

    /// For how long a payload is kept after it was last put or confirmed, in whole seconds, at
    /// least one. Default: for ever, since an old payload is better than none. The copy where other
    /// SDKs look lives ten minutes, as theirs do.
    #[must_use]
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = Some(time_to_live.min(LONGEST));
        self
    }

    /// Puts encrypted payloads in clear as well, where the Python SDK's cache looks for them: it
    /// decrypts nothing it reads. Default: what comes encrypted stays encrypted.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn share_in_clear(mut self, key: DecryptionKey) -> Self {
        self.shared_in_clear = Some(key);
        self
    }

    fn run<T: FromRedisValue + Send + 'static>(
        &self,
        script: &'static Script,
        keys: &Keys,
        arguments: Vec<String>,
    ) -> Result<T, RedisCacheError> {
        let keys = [&keys.plain, &keys.own, &keys.meta, &keys.lease].map(String::clone);
        self.shared.worker.run(move |connection| {
            let mut invocation: ScriptInvocation<'_> = script.prepare_invoke();
            for key in &keys {
                invocation.key(key);
            }
            for argument in &arguments {
                invocation.arg(argument);
            }
            invocation.invoke(connection)
        })
    }

    fn token(&self) -> String {
        // A child of a fork is another process.
        format!("{}-{:016x}", process::id(), self.shared.token)
    }

    /// How long ago this process took its turn, if it did.
    fn end_turn(&self, key: &PayloadKey) -> Option<Duration> {
        let began = self.shared.remember(key, |memory| memory.turn_began.take()).flatten();
        began.map(|began| began.elapsed())
    }

    fn in_clear(&self, document: &str, facts: &Facts) -> InClear {
        if !facts.is_encrypted {
            return InClear::Same;
        }
        #[cfg(feature = "encryption")]
        if let Some(key) = &self.shared_in_clear
            && let Ok(payload) = Payload::from_encrypted_json(document, key)
        {
            return InClear::Decrypted(payload.to_json_string());
        }
        #[cfg(not(feature = "encryption"))]
        let _ = document;
        InClear::Nothing
    }
}

impl PayloadCache for RedisCache {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        let kept: Option<Kept> = self.run(&scripts::GET, &Keys::new(key), Vec::new())?;
        Ok(kept.and_then(|kept| kept.payload(|document| self.shared.digest(key, document))))
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let keys = Keys::new(key);
        let facts = Facts::of(&payload.document);
        let arguments = PutArguments {
            payload,
            in_clear: self.in_clear(&payload.document, &facts),
            digest: self.shared.digest(key, &payload.document),
            asked: self.end_turn(key),
            date_updated: facts.date_updated,
            time_to_live: self.time_to_live,
            copy_time_to_live: COPY_TIME_TO_LIVE,
            token: self.token(),
            channel: keys.changed.clone(),
        };
        let _kept: i64 = self.run(&scripts::PUT, &keys, arguments.list())?;
        Ok(())
    }

    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let arguments = ConfirmArguments {
            digest: self.shared.digest(key, &payload.document),
            fetched_at: payload.fetched_at,
            asked: self.end_turn(key),
            time_to_live: self.time_to_live,
            copy_time_to_live: COPY_TIME_TO_LIVE,
            token: self.token(),
        };
        let found: i64 = self.run(&scripts::CONFIRM, &Keys::new(key), arguments.list())?;
        if found == scripts::MISSING { self.put(key, payload) } else { Ok(()) }
    }

    fn fetch_lease(&self) -> Option<&dyn FetchLease> {
        Some(self)
    }

    fn disconnect(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let ending = &self.shared.ending;
        // First those that may ask for something.
        let ended = ending.wait(limit);
        self.shared.worker.stop().into_iter().for_each(|thread| ending.add(thread));
        ended && ending.wait(limit.saturating_sub(start.elapsed()))
    }
}

impl FetchLease for RedisCache {
    fn release(&self, key: &PayloadKey) -> Result<(), PayloadCacheError> {
        let _ = self.end_turn(key);
        let arguments = GiveUpArguments { token: self.token(), pause: PAUSE_AFTER_FAILURE };
        let _done: i64 = self.run(&scripts::GIVE_UP, &Keys::new(key), arguments.list())?;
        Ok(())
    }

    fn acquire(
        &self,
        key: &PayloadKey,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Result<LeaseOutcome, PayloadCacheError> {
        let known =
            known.map_or_else(String::new, |known| self.shared.digest(key, &known.document));
        let arguments = TurnArguments { known, max_age, token: self.token(), lease: self.lease };
        let answer: TurnAnswer = self.run(&scripts::TURN, &Keys::new(key), arguments.list())?;
        Ok(match answer {
            TurnAnswer::Known { age } => LeaseOutcome::AlreadyFresh { payload: None, age },
            TurnAnswer::Theirs { left } => {
                LeaseOutcome::HeldElsewhere { retry_in: left.min(LOOK_AGAIN) }
            }
            TurnAnswer::Fresh { age, kept } => {
                match kept.payload(|document| self.shared.digest(key, document)) {
                    Some(payload) => LeaseOutcome::AlreadyFresh { payload: Some(payload), age },
                    None => LeaseOutcome::Acquired,
                }
            }
            TurnAnswer::Ours => {
                self.shared.remember(key, |memory| memory.turn_began = Some(Instant::now()));
                LeaseOutcome::Acquired
            }
        })
    }

    fn watch(&self, key: &PayloadKey, changed: CacheChanged) -> Option<CacheWatch> {
        if !self.servers.can_subscribe() {
            return None;
        }
        let (shared, key) = (self.shared.clone(), key.clone());
        let ending = shared.ending.clone();
        let channel = Keys::new(&key).changed;
        let is_known = move |digest: &str| shared.last_digest_is(&key, digest);
        Watch::start(self.servers.clone(), self.deadline, channel, is_known, changed, ending)
    }
}

impl Shared {
    fn new(servers: &Arc<RedisServers>, deadline: Duration) -> Self {
        Shared {
            worker: Worker::new(servers.clone(), deadline),
            ending: Arc::default(),
            token: *PROCESS,
            memories: Mutex::default(),
        }
    }

    fn remember<T>(&self, key: &PayloadKey, act: impl FnOnce(&mut Memory) -> T) -> Option<T> {
        // Without a memory it works as well, only more slowly.
        Some(act(lock_patiently(&self.memories)?.entry(key.clone()).or_default()))
    }

    /// The document's digest, made once for each document.
    fn digest(&self, key: &PayloadKey, document: &Arc<str>) -> String {
        let known = self.remember(key, |memory| match &memory.last {
            Some((last, digest)) if Arc::ptr_eq(last, document) => Some(digest.clone()),
            _ => None,
        });
        known.flatten().unwrap_or_else(|| {
            let digest = digest(document);
            let last = Some((document.clone(), digest.clone()));
            self.remember(key, |memory| memory.last = last);
            digest
        })
    }

    fn last_digest_is(&self, key: &PayloadKey, digest: &str) -> bool {
        let is_last =
            self.remember(key, |memory| memory.last.as_ref().is_some_and(|last| last.1 == digest));
        is_last.unwrap_or(false)
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisCache")
            .field("deadline", &self.deadline)
            .field("lease", &self.lease)
            .field("time_to_live", &self.time_to_live)
            .finish_non_exhaustive()
    }
}
