//! What all Lua scripts share: the names of the keys, helper functions, and number formats.
//!
//! A script changes several entries at once, so that no process sees a part of a change. `KEYS` are
//! those of one payload, in one slot of a cluster. An entry may hold anything: a script takes an
//! entry of the wrong type or of a size above the limit as missing, and overwrites it.

use std::time::Duration;

use growthbook_support::redis::Script;

use crate::keys::Keys;

/// The most bytes of a payload in Redis. A larger one is an error of `put`. A larger value in Redis
/// counts as missing, and the next `put` replaces it.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024 * 1024;

/// The most bytes of one fact about a payload. A longer value counts as missing.
pub(crate) const MAX_FACT_BYTES: usize = 64 * 1024;

/// The start of each script, after the limits.
const PRELUDE: &str = r"
local copy_key, payload_key, meta_key, lease_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- Returns whether a command that measures a value found one within a limit.
local function fits(length, limit) return type(length) == 'number' and length <= limit end

-- Returns a fact about the payload; false if it is missing.
local function fact(name)
  if not fits(redis.pcall('HSTRLEN', meta_key, name), max_fact) then return false end
  local value = redis.pcall('HGET', meta_key, name)
  if type(value) == 'string' then return value end
  return false
end

-- Returns the string of a key; false if it is missing.
local function text(key)
  if not fits(redis.pcall('STRLEN', key), max_payload) then return false end
  local value = redis.pcall('GET', key)
  if type(value) == 'string' then return value end
  return false
end

-- Returns whether a key has a string, without reading it.
local function has_text(key)
  return redis.call('TYPE', key).ok == 'string' and fits(redis.call('STRLEN', key), max_payload)
end

-- The time of Redis in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
";

/// Makes a script of the shared start and its own body.
pub(crate) fn script(body: &str) -> Script {
    let limits = format!("local max_payload, max_fact = {MAX_PAYLOAD_BYTES}, {MAX_FACT_BYTES}");
    Script::new(format!("{limits}{PRELUDE}{body}"))
}

/// Returns `KEYS`, in the order of the shared start.
pub(crate) fn key_list(keys: &Keys) -> [String; 4] {
    [&keys.copy, &keys.payload, &keys.meta, &keys.lease].map(String::clone)
}

/// Formats a duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// Formats a duration in whole seconds, at least one. Redis rejects zero.
pub(crate) fn seconds(duration: Duration) -> String {
    duration.as_secs().max(1).to_string()
}
