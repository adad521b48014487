//! Reports about searches that reached their step limit.

use core::fmt;

use alloc::boxed::Box;
use once_cell::race::OnceBox;

use crate::warning::{Location, Warning, WarningKind};

/// The function to call when a search first reaches its limit. All regular expressions of a snapshot
/// share it, and those of the snapshots that are compiled after it.
#[derive(Default)]
pub(crate) struct LimitReports {
    notify: OnceBox<fn(&Warning)>,
}

impl LimitReports {
    /// Sets the function, unless there is one.
    pub(crate) fn notify(&self, notify: fn(&Warning)) {
        // The first function stays.
        let _ = self.notify.set(Box::new(notify));
    }

    /// Reports that a search for this pattern reached its limit.
    pub(super) fn report(&self, pattern: &str) {
        if let Some(notify) = self.notify.get() {
            notify(&warning(pattern));
        }
    }
}

/// Makes the warning about a pattern whose search reached its limit.
pub(super) fn warning(pattern: &str) -> Warning {
    Warning { location: Location::Payload, kind: WarningKind::SlowRegex(pattern.into()) }
}

impl fmt::Debug for LimitReports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LimitReports").finish_non_exhaustive()
    }
}
