//! The clock of the machine, which some targets lack.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Whether the target has a clock. On `wasm32-unknown-unknown`, the functions of `std` panic.
const HAS_CLOCK: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));

/// Returns the present time. Returns `None` on `wasm32-unknown-unknown`, which has no clock.
#[inline]
pub fn now() -> Option<Instant> {
    HAS_CLOCK.then(Instant::now)
}

/// Returns the milliseconds since 1970. Returns `None` on `wasm32-unknown-unknown`, which has no
/// clock, and before 1970.
pub fn unix_millis() -> Option<u64> {
    let now = HAS_CLOCK.then(SystemTime::now)?;
    u64::try_from(now.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
