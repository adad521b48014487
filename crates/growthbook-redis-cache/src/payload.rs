//! What happens within Redis at once: each script, what it is told and what it answers.
//!
//! `KEYS` are those of one payload and lie in one slot; nothing else is touched. Entries may hold
//! anything: what has another type than it should is taken as missing, and written over.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use growthbook_core::{CachedPayload, UnixMillis};
use redis::{FromRedisValue, Script};

/// A field of a hash, and the value of a string, false for what is not there; whether there is a
/// string, without a look at it; and the time.
const READ: &str = r"
local function field(key, name)
  local value = redis.pcall('HGET', key, name)
  if type(value) == 'string' then return value end
  return false
end
local function text(key)
  local value = redis.pcall('GET', key)
  if type(value) == 'string' then return value end
  return false
end
local function has_text(key) return redis.call('TYPE', key).ok == 'string' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
";

/// The payload and what is known of it. What another SDK has put in clear since counts more than
/// the payload of our own.
///
/// `KEYS`: plain, own, meta, lease.
pub(crate) static GET: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local document = text(KEYS[1])
if not document or redis.sha1hex(document) == field(KEYS[3], 'plain') then
  document = text(KEYS[2]) or document
end
if not document then return false end
return {document, field(KEYS[3], 'digest'), field(KEYS[3], 'etag'),
  field(KEYS[3], 'streaming'), field(KEYS[3], 'fetched_at')}
",
    )
});

/// A payload as Redis has it: document, digest, tag, streaming, when it was fetched. Anything may
/// be missing, or rubbish.
type Fields = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

/// A payload and what is known of it: what [`GET`] answers.
pub(crate) struct Kept(Fields);

impl Kept {
    /// The payload; `None` when it is no text. What is said of it counts only when it is said of
    /// this very document: another SDK may have put it.
    pub(crate) fn payload(
        self,
        digest_of: impl FnOnce(&Arc<str>) -> String,
    ) -> Option<CachedPayload> {
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

impl FromRedisValue for Kept {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        Fields::from_redis_value(value).map(Kept)
    }
}

/// Whose turn it is.
///
/// `KEYS`: plain, own, meta, lease. `ARGV`: the digest known, the greatest age, the token of who
/// asks, and how long a lease lasts, in milliseconds.
///
/// Gives `{'ours'}`, `{'theirs', milliseconds}`, `{'known', age}`, or `{'fresh', age, ...}` with
/// what `GET` gives.
pub(crate) static TURN: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local begun = tonumber(field(KEYS[3], 'begun') or '')
local age = begun and now - begun
if age and age >= 0 and age <= tonumber(ARGV[2]) then
  local digest = field(KEYS[3], 'digest')
  if digest == ARGV[1] and has_text(KEYS[2]) then return {'known', age} end
  local document = text(KEYS[2])
  if document then
    return {'fresh', age, document, digest, field(KEYS[3], 'etag'),
      field(KEYS[3], 'streaming'), field(KEYS[3], 'fetched_at')}
  end
end
local holder = text(KEYS[4])
local left = redis.call('PTTL', KEYS[4])
if left > 0 and holder then
  if holder == ARGV[3] then return {'ours'} end
  return {'theirs', left}
end
redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4])
return {'ours'}
",
    )
});

/// What [`TURN`] is told, in its order.
pub(crate) struct TurnArguments {
    /// The digest of what is known; empty for nothing.
    pub(crate) known: String,
    pub(crate) max_age: Duration,
    /// Of who asks.
    pub(crate) token: String,
    /// How long a lease lasts.
    pub(crate) lease: Duration,
}

impl TurnArguments {
    pub(crate) fn list(self) -> Vec<String> {
        vec![self.known, millis(self.max_age), self.token, millis(self.lease.max(MILLISECOND))]
    }
}

/// Whose turn it is: what [`TURN`] answers.
pub(crate) enum TurnAnswer {
    Ours,
    /// For so much longer, at most.
    Theirs {
        left: Duration,
    },
    /// What is known is as old as this.
    Known {
        age: Duration,
    },
    Fresh {
        age: Duration,
        kept: Kept,
    },
}

impl FromRedisValue for TurnAnswer {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        let mut parts = Vec::<redis::Value>::from_redis_value(value)?.into_iter();
        let mut next = || parts.next().unwrap_or(redis::Value::Nil);
        let word = String::from_redis_value(next())?;
        if word == "ours" {
            return Ok(TurnAnswer::Ours);
        }
        let duration = Duration::from_millis(u64::from_redis_value(next())?);
        Ok(match word.as_str() {
            "theirs" => TurnAnswer::Theirs { left: duration },
            "known" => TurnAnswer::Known { age: duration },
            _ => {
                let kept = Kept::from_redis_value(redis::Value::Array(parts.collect()))?;
                TurnAnswer::Fresh { age: duration, kept }
            }
        })
    }
}

/// Keeps a payload, unless a newer one is there, ends the turn, and tells the others. The copy in
/// clear lives as long as one that the Python SDK puts: it asks the server only when there is none.
///
/// `KEYS`: plain, own, meta, lease. `ARGV`: the document; it in clear, `=` for the same, or empty;
/// digest, tag, streaming, when it was fetched, how many milliseconds ago that began or empty, the
/// date of the last change, seconds to live or empty, seconds for the copy to live, the token of
/// who puts it, the channel.
pub(crate) static PUT: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if text(KEYS[4]) == ARGV[11] then redis.call('DEL', KEYS[4]) end
local date = field(KEYS[3], 'date')
local kept = has_text(KEYS[2])
if kept and date and #date == 24 and #ARGV[8] == 24 and ARGV[8] < date then return 0 end
local is_news = not kept or field(KEYS[3], 'digest') ~= ARGV[3]
local etag = ARGV[4]
if etag == '' and not is_news then etag = field(KEYS[3], 'etag') or '' end
local begun = ''
if ARGV[7] ~= '' then begun = string.format('%.0f', now - tonumber(ARGV[7]))
elseif not is_news then begun = field(KEYS[3], 'begun') or '' end

if ARGV[9] == '' then redis.call('SET', KEYS[2], ARGV[1])
else redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[9]) end
local plain = ARGV[2]
if plain == '=' then plain = ARGV[1] end
local was = text(KEYS[1])
if plain ~= '' then
  redis.call('SET', KEYS[1], plain, 'EX', ARGV[10])
  plain = redis.sha1hex(plain)
elseif was and redis.sha1hex(was) == field(KEYS[3], 'plain') then
  redis.call('DEL', KEYS[1])
end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'digest', ARGV[3], 'etag', etag, 'streaming', ARGV[5],
  'fetched_at', ARGV[6], 'begun', begun, 'date', ARGV[8], 'plain', plain)
if ARGV[9] ~= '' then redis.call('EXPIRE', KEYS[3], ARGV[9]) end
if is_news then redis.call('PUBLISH', ARGV[12], ARGV[3]) end
return 1
",
    )
});

/// What [`PUT`] is told, in its order.
pub(crate) struct PutArguments<'a> {
    pub(crate) payload: &'a CachedPayload,
    pub(crate) in_clear: InClear,
    pub(crate) digest: String,
    /// How long ago the payload was asked for, by who had the turn.
    pub(crate) asked: Option<Duration>,
    /// When it was last changed, as the API writes it; empty when it does not say.
    pub(crate) date_updated: String,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) copy_time_to_live: Duration,
    /// Of who puts it.
    pub(crate) token: String,
    /// Where it is announced.
    pub(crate) channel: String,
}

/// The payload for those who cannot decrypt.
pub(crate) enum InClear {
    /// It is in clear itself.
    Same,
    /// It was decrypted.
    #[cfg(feature = "encryption")]
    Decrypted(String),
    /// It is not to be shared.
    Nothing,
}

impl PutArguments<'_> {
    pub(crate) fn list(self) -> Vec<String> {
        let in_clear = match self.in_clear {
            InClear::Same => "=".to_owned(),
            #[cfg(feature = "encryption")]
            InClear::Decrypted(document) => document,
            InClear::Nothing => String::new(),
        };
        vec![
            self.payload.document.to_string(),
            in_clear,
            self.digest,
            self.payload.etag.as_deref().unwrap_or_default().to_owned(),
            u8::from(self.payload.streaming).to_string(),
            self.payload.fetched_at.to_string(),
            self.asked.map_or_else(String::new, millis),
            self.date_updated,
            self.time_to_live.map_or_else(String::new, seconds),
            seconds(self.copy_time_to_live),
            self.token,
            self.channel,
        ]
    }
}

/// Notes that the payload was confirmed, and ends the turn. Gives 0 when it is not there, and 2
/// when another one is.
///
/// `KEYS`: plain, own, meta, lease. `ARGV`: the digest, when it was fetched, how many milliseconds
/// ago that began or empty, seconds to live or empty, seconds for the copy in clear to live, and
/// the token.
pub(crate) static CONFIRM: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if text(KEYS[4]) == ARGV[6] then redis.call('DEL', KEYS[4]) end
local digest = field(KEYS[3], 'digest')
if not has_text(KEYS[2]) or not digest then return 0 end
if digest ~= ARGV[1] then return 2 end
local plain = field(KEYS[3], 'plain')
if plain and plain ~= '' and redis.call('EXPIRE', KEYS[1], ARGV[5]) == 0 then return 0 end
redis.call('HSET', KEYS[3], 'fetched_at', ARGV[2])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[3], 'begun', string.format('%.0f', now - tonumber(ARGV[3])))
end
if ARGV[4] ~= '' then
  redis.call('EXPIRE', KEYS[2], ARGV[4])
  redis.call('EXPIRE', KEYS[3], ARGV[4])
end
return 1
",
    )
});

/// What [`CONFIRM`] is told, in its order.
pub(crate) struct ConfirmArguments {
    pub(crate) digest: String,
    pub(crate) fetched_at: UnixMillis,
    /// How long ago the server was asked, by who had the turn.
    pub(crate) asked: Option<Duration>,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) copy_time_to_live: Duration,
    pub(crate) token: String,
}

impl ConfirmArguments {
    pub(crate) fn list(self) -> Vec<String> {
        vec![
            self.digest,
            self.fetched_at.to_string(),
            self.asked.map_or_else(String::new, millis),
            self.time_to_live.map_or_else(String::new, seconds),
            seconds(self.copy_time_to_live),
            self.token,
        ]
    }
}

/// What [`CONFIRM`] answers when the payload is not there: somebody has emptied Redis, or the copy
/// in clear has died.
pub(crate) const MISSING: i64 = 0;

/// Ends a turn that brought nothing, in a moment: the server is not asked by everybody at once.
///
/// `KEYS`: plain, own, meta, lease. `ARGV`: the token, and how long the moment is in milliseconds.
pub(crate) static GIVE_UP: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if text(KEYS[4]) == ARGV[1] then redis.call('PEXPIRE', KEYS[4], ARGV[2]) end
return 1
",
    )
});

/// What [`GIVE_UP`] is told, in its order.
pub(crate) struct GiveUpArguments {
    pub(crate) token: String,
    /// How long the server is not asked by others.
    pub(crate) pause: Duration,
}

impl GiveUpArguments {
    pub(crate) fn list(self) -> Vec<String> {
        vec![self.token, millis(self.pause)]
    }
}

fn script(body: &str) -> Script {
    Script::new(&format!("{READ}{body}"))
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// In whole milliseconds, as Redis takes them.
fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// In whole seconds, at least one: Redis takes no other.
fn seconds(duration: Duration) -> String {
    duration.as_secs().max(1).to_string()
}
