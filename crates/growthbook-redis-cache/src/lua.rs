//! What all Lua scripts share: the names of the keys, helper functions, and number formats.
//!
//! A script changes several entries at once, so that no process sees a part of a change. `KEYS` are
//! those of one payload, in one slot of a cluster. An entry may hold anything: a script takes an
//! entry of the wrong type as missing, and overwrites it.

use std::time::Duration;

use redis::Script;

use crate::keys::Keys;

/// The start of each script.
const PRELUDE: &str = r"
local copy_key, payload_key, meta_key, lease_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- Returns a fact about the payload; false if it is missing.
local function fact(name)
  local value = redis.pcall('HGET', meta_key, name)
  if type(value) == 'string' then return value end
  return false
end

-- Returns the string of a key; false if it is missing.
local function text(key)
  local value = redis.pcall('GET', key)
  if type(value) == 'string' then return value end
  return false
end

-- Returns whether a key has a string, without reading it.
local function has_text(key) return redis.call('TYPE', key).ok == 'string' end

-- The time of Redis in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
";

/// Makes a script of the shared start and its own body.
pub(crate) fn script(body: &str) -> Script {
    Script::new(&format!("{PRELUDE}{body}"))
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
