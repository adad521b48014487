//! The clock of the machine, which some targets lack.

use std::time::Instant;

/// Returns the present time. Returns `None` on `wasm32-unknown-unknown`, which has no clock.
#[inline]
pub fn now() -> Option<Instant> {
    // `Instant::now` panics there.
    const HAS_CLOCK: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));
    HAS_CLOCK.then(Instant::now)
}
