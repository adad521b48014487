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

fn script(body: &str) -> Script {
    Script::new(&format!("{READ}{body}"))
}
