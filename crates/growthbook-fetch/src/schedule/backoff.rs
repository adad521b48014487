//! How long to wait after a failure: twice as long after each.

use std::time::Duration;

use super::jitter::Jitter;

/// The delay after the first failure.
pub(crate) const FIRST_DELAY: Duration = Duration::from_secs(1);

/// Exponential backoff with jitter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay after one more failure: from half of the doubled one up to all of it, and never
    /// more than the limit.
    pub(crate) fn next(
        &mut self,
        first: Duration,
        limit: Duration,
        jitter: &mut Jitter,
    ) -> Duration {
        let doubled = first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = (self.failures + 1).min(u32::BITS - 1);
        jitter.part(doubled.min(limit), 0.5, 1.0)
    }

    /// All is well again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}
