//! The payload in Redis: the scripts that read, store and confirm it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use growthbook_core::cache::{CachedPayload, UnixMillis};
use growthbook_support::redis::Script;
use redis::FromRedisValue;

use crate::lua::{millis, script, seconds};

/// Returns a [`StoredPayload`], or nil if there is none. A different copy is one that another SDK
/// has put since, and it counts more than the payload of this crate.
pub(crate) static GET: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local document = text(copy_key)
if not document or redis.sha1hex(document) == fact('plain') then
  document = text(payload_key) or document
end
if not document then return false end
return {document, fact('digest'), fact('etag'), fact('streaming'), fact('fetched_at')}
",
    )
});

/// The reply of [`GET`]: a document and the facts that Redis has about it.
pub(crate) struct StoredPayload(Fields);

/// Document, digest, ETag, streaming, time of the fetch. Each may be missing or invalid.
type Fields = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

impl StoredPayload {
    /// Reads the payload; `None` if it is not UTF-8.
    ///
    /// The facts count only if their digest is that of the document: another SDK may have replaced
    /// the document alone.
    pub(crate) fn read(self, digest_of: impl FnOnce(&Arc<str>) -> String) -> Option<CachedPayload> {
        let (document, digest, etag, streaming, fetched_at) = self.0;
        let text = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let document: Arc<str> = String::from_utf8(document).ok()?.into();
        if text(digest) != Some(digest_of(&document)) {
            return Some(CachedPayload { document, etag: None, streaming: false, fetched_at: 0 });
        }
        let etag = text(etag).filter(|etag| !etag.is_empty());
        Some(CachedPayload {
            document,
            etag: etag.map(String::into_boxed_str),
            streaming: streaming.as_deref() == Some(b"1"),
            fetched_at: text(fetched_at).and_then(|at| at.parse().ok()).unwrap_or_default(),
        })
    }
}

impl FromRedisValue for StoredPayload {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        Fields::from_redis_value(value).map(StoredPayload)
    }
}

/// Ends the lease of the sender, stores the payload, and announces a new document. A newer payload
/// stays, unless the server insists on the older one. Takes [`PutArguments`].
pub(crate) static PUT: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local document, copy, digest, etag = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local streaming, fetched_at, fetch_age, date = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local ttl, copy_ttl, sender, channel = ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local latest_date, insists = ARGV[13], ARGV[14] == '1'

if text(lease_key) == sender then redis.call('DEL', lease_key) end

local stored_date = fact('date')
local is_stored = has_text(payload_key)
local is_older = stored_date and #stored_date == 24 and #date == 24 and date < stored_date
if is_stored and is_older and not insists then
  -- A date in the future is wrong. It does not protect the stored payload.
  local is_wrong = latest_date ~= '' and stored_date > latest_date and date <= latest_date
  if not is_wrong then return 0 end
end
local is_new = not is_stored or fact('digest') ~= digest
-- The same document from a stream has no ETag: the stored one still belongs to it.
if etag == '' and not is_new then etag = fact('etag') or '' end
-- Only the holder of the lease sends an age.
local begun = ''
if fetch_age ~= '' then begun = string.format('%.0f', now - tonumber(fetch_age))
elseif not is_new then begun = fact('begun') or '' end

if ttl == '' then redis.call('SET', payload_key, document)
else redis.call('SET', payload_key, document, 'EX', ttl) end

if copy == '=' then copy = document end
local stored_copy = text(copy_key)
local copy_hash = ''
if copy ~= '' then
  redis.call('SET', copy_key, copy, 'EX', copy_ttl)
  copy_hash = redis.sha1hex(copy)
elseif stored_copy and redis.sha1hex(stored_copy) == fact('plain') then
  -- This crate wrote that copy. A copy of another SDK stays.
  redis.call('DEL', copy_key)
end

redis.call('DEL', meta_key)
redis.call('HSET', meta_key, 'digest', digest, 'etag', etag, 'streaming', streaming,
  'fetched_at', fetched_at, 'begun', begun, 'date', date, 'plain', copy_hash)
if ttl ~= '' then redis.call('EXPIRE', meta_key, ttl) end
if is_new then redis.call('PUBLISH', channel, digest) end
return 1
",
    )
});

/// The arguments of [`PUT`].
pub(crate) struct PutArguments<'a> {
    pub(crate) payload: &'a CachedPayload,
    pub(crate) copy: ClearCopy,
    pub(crate) digest: String,
    /// How long ago the sender began to fetch, if it holds the lease.
    pub(crate) fetch_age: Option<Duration>,
    /// The `dateUpdated` of the document; empty if it has none.
    pub(crate) date_updated: String,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) copy_time_to_live: Duration,
    /// The process that puts the payload, as a holder of the lease.
    pub(crate) sender: String,
    /// The channel for the announcement.
    pub(crate) channel: String,
    /// The latest plausible `dateUpdated`; empty if it is not known.
    pub(crate) latest_date: String,
    /// Whether the payload replaces a newer one.
    pub(crate) insists: bool,
}

/// The clear-text copy of a payload, for other SDKs.
pub(crate) enum ClearCopy {
    /// The document itself, which is not encrypted.
    Same,
    /// The decrypted document.
    #[cfg(feature = "encryption")]
    Decrypted(String),
    /// No copy: the document is encrypted and stays so.
    Absent,
}

impl PutArguments<'_> {
    pub(crate) fn list(self) -> Vec<String> {
        let copy = match self.copy {
            ClearCopy::Same => "=".to_owned(),
            #[cfg(feature = "encryption")]
            ClearCopy::Decrypted(document) => document,
            ClearCopy::Absent => String::new(),
        };
        vec![
            self.payload.document.to_string(),
            copy,
            self.digest,
            self.payload.etag.as_deref().unwrap_or_default().to_owned(),
            u8::from(self.payload.streaming).to_string(),
            self.payload.fetched_at.to_string(),
            self.fetch_age.map_or_else(String::new, millis),
            self.date_updated,
            self.time_to_live.map_or_else(String::new, seconds),
            seconds(self.copy_time_to_live),
            self.sender,
            self.channel,
            self.latest_date,
            u8::from(self.insists).to_string(),
        ]
    }
}

/// Ends the lease of the sender and records that the server confirmed the payload. Takes
/// [`ConfirmArguments`].
///
/// Returns 1, or [`MISSING`] if the payload or its copy is gone, or 2 if another payload is stored.
pub(crate) static CONFIRM: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local digest, fetched_at, fetch_age = ARGV[1], ARGV[2], ARGV[3]
local ttl, copy_ttl, sender = ARGV[4], ARGV[5], ARGV[6]

if text(lease_key) == sender then redis.call('DEL', lease_key) end

local stored_digest = fact('digest')
if not has_text(payload_key) or not stored_digest then return 0 end
if stored_digest ~= digest then return 2 end
local copy_hash = fact('plain')
if copy_hash and copy_hash ~= '' and redis.call('EXPIRE', copy_key, copy_ttl) == 0 then
  return 0
end

redis.call('HSET', meta_key, 'fetched_at', fetched_at)
-- Only the holder of the lease sends an age.
if fetch_age ~= '' then
  redis.call('HSET', meta_key, 'begun', string.format('%.0f', now - tonumber(fetch_age)))
end
if ttl ~= '' then
  redis.call('EXPIRE', payload_key, ttl)
  redis.call('EXPIRE', meta_key, ttl)
end
return 1
",
    )
});

/// The arguments of [`CONFIRM`].
pub(crate) struct ConfirmArguments {
    pub(crate) digest: String,
    pub(crate) fetched_at: UnixMillis,
    /// How long ago the sender began to fetch, if it holds the lease.
    pub(crate) fetch_age: Option<Duration>,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) copy_time_to_live: Duration,
    /// The process that confirms the payload, as a holder of the lease.
    pub(crate) sender: String,
}

impl ConfirmArguments {
    pub(crate) fn list(self) -> Vec<String> {
        vec![
            self.digest,
            self.fetched_at.to_string(),
            self.fetch_age.map_or_else(String::new, millis),
            self.time_to_live.map_or_else(String::new, seconds),
            seconds(self.copy_time_to_live),
            self.sender,
        ]
    }
}

/// The reply of [`CONFIRM`] when the payload or its copy is gone, for example after a flush.
pub(crate) const MISSING: i64 = 0;
