//! One time limit for everything a request waits for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::NextTimeout;

/// A time limit for looking up names, connecting and reading together, besides ureq's own limits
/// for each. A read that ends at the deadline loses no bytes, and can be continued.
#[derive(Debug, Default)]
pub struct Deadline(Mutex<Option<Instant>>);

impl Deadline {
    /// Sets the deadline: this long from now, or none.
    pub fn set(&self, wait: Option<Duration>) {
        // A time that the clock cannot express is not a limit.
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Whether the deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until <= Instant::now())
    }

    /// Returns how long to wait, until this deadline or ureq's own limit, whichever is first; and
    /// the reason to report when the time is over. `None` is forever.
    pub(super) fn cap(&self, timeout: NextTimeout) -> (Option<Duration>, Timeout) {
        let own = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = own.map(|until| until.saturating_duration_since(Instant::now()));
        let other = (!timeout.after.is_not_happening()).then_some(*timeout.after);
        match (own, other) {
            (Some(own), Some(other)) if own > other => (Some(other), timeout.reason),
            (Some(own), _) => (Some(own), Timeout::PerRead),
            (None, other) => (other, timeout.reason),
        }
    }
}
