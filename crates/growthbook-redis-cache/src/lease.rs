//! The lease in Redis: one process asks the server for all.
//!
//! The lease is a string with the name of its holder. It expires by itself, so that a process that
//! dies does not keep it. Redis measures the age of a payload by its own clock: `begun` in the hash
//! of facts is the time when the holder began to fetch.

use std::sync::LazyLock;
use std::time::Duration;

use growthbook_core::cache::{
    CacheChanged, CacheWatch, CachedPayload, FetchLease, LeaseOutcome, PayloadCacheError,
    PayloadKey,
};
use growthbook_support::redis::Script;
use redis::FromRedisValue;

use crate::cache::RedisCache;
use crate::lua::{millis, script};
use crate::payload::StoredPayload;
use crate::watch::Watch;

#[cfg(test)]
mod tests;

/// How long a released lease still excludes other processes: a failing server gets few requests.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(250);
/// The longest time until a process tries again to acquire, if no notification arrives.
const LONGEST_RETRY: Duration = Duration::from_millis(500);

impl FetchLease for RedisCache {
    fn acquire(
        &self,
        key: &PayloadKey,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Result<LeaseOutcome, PayloadCacheError> {
        let memory = self.memory();
        let arguments = AcquireArguments {
            known: known.map_or_else(String::new, |known| memory.digest(key, &known.document)),
            max_age,
            sender: self.holder(),
            lease: self.lease,
        };
        let reply: AcquireReply = self.run(&ACQUIRE, &self.keys(key), arguments.list())?;
        Ok(match reply {
            AcquireReply::Known { age } => LeaseOutcome::AlreadyFresh { payload: None, age },
            AcquireReply::Held { left } => {
                LeaseOutcome::HeldElsewhere { retry_in: left.min(LONGEST_RETRY) }
            }
            AcquireReply::Fresh { age, stored } => {
                match stored.read(|document| memory.digest(key, document)) {
                    Some(payload) => LeaseOutcome::AlreadyFresh { payload: Some(payload), age },
                    // The stored payload is unreadable. This process fetches without the lease.
                    None => LeaseOutcome::Acquired,
                }
            }
            AcquireReply::Acquired => {
                memory.begin_lease(key);
                LeaseOutcome::Acquired
            }
        })
    }

    fn release(&self, key: &PayloadKey) -> Result<(), PayloadCacheError> {
        let _ = self.memory().end_lease(key);
        let arguments = ReleaseArguments { sender: self.holder(), pause: PAUSE_AFTER_FAILURE };
        let _done: i64 = self.run(&RELEASE, &self.keys(key), arguments.list())?;
        Ok(())
    }

    fn watch(&self, key: &PayloadKey, changed: CacheChanged) -> Option<CacheWatch> {
        let (shared, key) = (self.shared.clone(), key.clone());
        let ending = shared.ending.clone();
        let channel = self.keys(&key).changed;
        let is_known = move |digest: &str| shared.memory.last_digest_is(&key, digest);
        Watch::start(self.address.clone(), self.deadline, channel, is_known, changed, ending)
    }
}

/// Gives the lease to the sender, unless another process holds it or has fetched recently enough.
/// Takes [`AcquireArguments`] and returns an [`AcquireReply`].
static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local known, max_age, sender, lease_time = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local begun = tonumber(fact('begun') or '')
local age = begun and now - begun
if age and age >= 0 and age <= max_age then
  local digest = fact('digest')
  if digest == known and has_text(payload_key) then return {'known', age} end
  local document = text(payload_key)
  if document then
    return {'fresh', age, document, digest, fact('etag'), fact('streaming'), fact('fetched_at')}
  end
end

local holder = text(lease_key)
local left = redis.call('PTTL', lease_key)
-- A lease that never expires is not one of ours: replace it.
if left > 0 and holder then
  if holder == sender then return {'acquired'} end
  return {'held', left}
end
redis.call('SET', lease_key, sender, 'PX', lease_time)
return {'acquired'}
",
    )
});

/// The arguments of [`ACQUIRE`].
struct AcquireArguments {
    /// The digest of the known document; empty if there is none.
    known: String,
    max_age: Duration,
    /// The process that wants the lease.
    sender: String,
    /// How long the lease lasts.
    lease: Duration,
}

impl AcquireArguments {
    fn list(self) -> Vec<String> {
        // Redis rejects a lifetime of zero.
        const SHORTEST: Duration = Duration::from_millis(1);
        vec![self.known, millis(self.max_age), self.sender, millis(self.lease.max(SHORTEST))]
    }
}

/// The reply of [`ACQUIRE`]: a word and its values.
enum AcquireReply {
    /// The sender holds the lease.
    Acquired,
    /// Another process holds the lease, for this much longer at most.
    Held { left: Duration },
    /// The known document is fresh.
    Known { age: Duration },
    /// Another document is stored, and it is fresh.
    Fresh { age: Duration, stored: StoredPayload },
}

impl FromRedisValue for AcquireReply {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        let mut parts = Vec::<redis::Value>::from_redis_value(value)?.into_iter();
        let mut next = || parts.next().unwrap_or(redis::Value::Nil);
        let word = String::from_redis_value(next())?;
        if word == "acquired" {
            return Ok(AcquireReply::Acquired);
        }
        let duration = Duration::from_millis(u64::from_redis_value(next())?);
        Ok(match word.as_str() {
            "held" => AcquireReply::Held { left: duration },
            "known" => AcquireReply::Known { age: duration },
            _ => {
                let stored = StoredPayload::from_redis_value(redis::Value::Array(parts.collect()))?;
                AcquireReply::Fresh { age: duration, stored }
            }
        })
    }
}

/// Lets the lease of the sender expire after a short pause. Takes [`ReleaseArguments`].
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local sender, pause = ARGV[1], ARGV[2]
if text(lease_key) == sender then redis.call('PEXPIRE', lease_key, pause) end
return 1
",
    )
});

/// The arguments of [`RELEASE`].
struct ReleaseArguments {
    /// The process that releases the lease.
    sender: String,
    /// How long other processes still have to wait.
    pause: Duration,
}

impl ReleaseArguments {
    fn list(self) -> Vec<String> {
        vec![self.sender, millis(self.pause)]
    }
}
