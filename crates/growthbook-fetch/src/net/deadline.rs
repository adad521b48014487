//! One time limit for everything a request waits for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::NextTimeout;

/// Until when looking up names, connecting and reading may wait, beside ureq's own limits for
/// each. A read that ends here can be gone on with: nothing is lost.
#[derive(Debug, Default)]
pub(crate) struct Deadline(Mutex<Option<Instant>>);

impl Deadline {
    /// The limit from now on: this long from now, or none.
    pub(crate) fn set(&self, wait: Option<Duration>) {
        // What the clock cannot express is no limit.
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// How long to wait: until this or ureq's own limit, whichever comes first, and what to call
    /// it when it does. `None` is for ever.
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
