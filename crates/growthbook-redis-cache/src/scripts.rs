//! What happens within Redis at once.
//!
//! `KEYS` are those of one payload and lie in one slot; nothing else is touched. Entries may hold
//! anything: what has another type than it should is taken as missing, and written over.

use std::sync::LazyLock;

use redis::Script;

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

/// The payload and what is known of it.
///
/// `KEYS`: plain, encrypted, meta, lease.
pub(crate) static GET: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local document = text(KEYS[2]) or text(KEYS[1])
if not document then return false end
return {document, field(KEYS[3], 'digest'), field(KEYS[3], 'etag'),
  field(KEYS[3], 'streaming'), field(KEYS[3], 'fetched_at')}
",
    )
});

/// Whose turn it is.
///
/// `KEYS`: plain, encrypted, meta, lease. `ARGV`: the digest known, the greatest age, the token of
/// who asks, and how long a lease lasts, in milliseconds.
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
  if digest == ARGV[1] and (has_text(KEYS[2]) or has_text(KEYS[1])) then
    return {'known', age}
  end
  local document = text(KEYS[2]) or text(KEYS[1])
  if document then
    return {'fresh', age, document, digest, field(KEYS[3], 'etag'),
      field(KEYS[3], 'streaming'), field(KEYS[3], 'fetched_at')}
  end
end
local holder = text(KEYS[4])
local left = redis.call('PTTL', KEYS[4])
if left > 0 and holder and holder ~= ARGV[3] then return {'theirs', left} end
redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4])
return {'ours'}
",
    )
});

/// Keeps a payload, unless a newer one is there, ends the turn, and tells the others.
///
/// `KEYS`: plain, encrypted, meta, lease. `ARGV`: the document in clear or empty, the encrypted one
/// or empty, digest, tag, streaming, when it was fetched, how many milliseconds ago that began, the
/// date of the last change, seconds to live or empty, the token of who puts it, the channel.
pub(crate) static PUT: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
local function keep(key, value)
  if ARGV[9] == '' then redis.call('SET', key, value)
  else redis.call('SET', key, value, 'EX', ARGV[9]) end
end
if text(KEYS[4]) == ARGV[10] then redis.call('DEL', KEYS[4]) end
local date = field(KEYS[3], 'date')
local kept = has_text(KEYS[2]) or has_text(KEYS[1])
if kept and date and #date == 24 and #ARGV[8] == 24 and ARGV[8] < date then return 0 end
if ARGV[1] ~= '' then keep(KEYS[1], ARGV[1]) end
if ARGV[2] ~= '' then keep(KEYS[2], ARGV[2]) else redis.call('DEL', KEYS[2]) end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'digest', ARGV[3], 'etag', ARGV[4], 'streaming', ARGV[5],
  'fetched_at', ARGV[6], 'begun', string.format('%.0f', now - tonumber(ARGV[7])),
  'date', ARGV[8])
if ARGV[9] ~= '' then redis.call('EXPIRE', KEYS[3], ARGV[9]) end
redis.call('PUBLISH', ARGV[11], ARGV[3])
return 1
",
    )
});

/// Notes that the payload was confirmed, and ends the turn. Gives 0 when another one is kept, or
/// none.
///
/// `KEYS`: plain, encrypted, meta, lease. `ARGV`: the digest, when it was fetched, how many
/// milliseconds ago that began, seconds to live or empty, and the token.
pub(crate) static CONFIRM: LazyLock<Script> = LazyLock::new(|| {
    script(
        r"
if text(KEYS[4]) == ARGV[5] then redis.call('DEL', KEYS[4]) end
if not has_text(KEYS[2]) and not has_text(KEYS[1]) then return 0 end
if field(KEYS[3], 'digest') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[3], 'fetched_at', ARGV[2],
  'begun', string.format('%.0f', now - tonumber(ARGV[3])))
if ARGV[4] ~= '' then
  for each = 1, 3 do redis.call('EXPIRE', KEYS[each], ARGV[4]) end
end
return 1
",
    )
});

fn script(body: &str) -> Script {
    Script::new(&format!("{READ}{body}"))
}
