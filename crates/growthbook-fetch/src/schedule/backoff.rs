//! Delays after failures: each is twice as long as the one before.

use std::time::Duration;

use super::jitter::Jitter;

/// The delay after the first failure, and the shortest after any.
pub(crate) const FIRST_DELAY: Duration = Duration::from_secs(1);

/// Exponential backoff with jitter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure and returns the delay after it: the doubled delay or the limit, of which
    /// jitter takes away up to half. It is never shorter than the first delay, to which jitter adds
    /// up to half.
    pub(crate) fn next(
        &mut self,
        first: Duration,
        limit: Duration,
        jitter: &mut Jitter,
    ) -> Duration {
        let doubled = first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = (self.failures + 1).min(u32::BITS - 1);
        jitter.part(doubled.min(limit), 0.5, 1.0).max(jitter.part(first, 1.0, 1.5))
    }

    /// Whether there was a failure since the last success.
    pub(crate) fn has_begun(&self) -> bool {
        self.failures > 0
    }

    /// Starts again with the first delay, after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}
