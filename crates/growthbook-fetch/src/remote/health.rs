//! Failures and their log records: one for a change, and no record for a repetition.

use std::time::SystemTime;

use growthbook_support::Level;

use crate::error::{FetchError, FetchErrorKind};
use crate::status::LastError;

/// The failures of requests and of the stream.
#[derive(Default)]
pub(super) struct Health {
    last_error: Option<LastError>,
    /// The kind of failure that holds for every user, until a request succeeds.
    failing: Option<FetchErrorKind>,
    /// The last kind of failure about one user that was logged.
    logged_about_user: Option<FetchErrorKind>,
    /// The last failure of the stream, until one is open again.
    stream_failing: Option<FetchErrorKind>,
}

/// A log record, to be written under no lock: a logger may do anything.
pub(super) type Note = Option<(Level, String)>;

pub(super) fn log(note: Note) {
    if let Some((level, text)) = note {
        growthbook_support::log!(level, "{text}");
    }
}

impl Health {
    /// Notes that the server has answered, after this number of failures in a row.
    pub(super) fn answered(&mut self, failures: u64) -> Note {
        self.last_error = None;
        self.failing.take()?;
        Some((Level::Info, format!("remote evaluation works again, after {failures} failures")))
    }

    /// Notes that a request failed, for a reason about one user or about all.
    pub(super) fn failed(&mut self, error: &FetchError, is_about_user: bool) -> Note {
        let in_a_row = self.last_error.as_ref().map_or(0, |last| last.in_a_row) + 1;
        self.last_error = Some(LastError { error: error.clone(), at: SystemTime::now(), in_a_row });
        if is_about_user {
            // Other users are answered in between, so there is no transition to log.
            let before = self.logged_about_user.replace(error.kind());
            let is_new = before != Some(error.kind());
            let text = || format!("remote evaluation fails for a user: {error}");
            return is_new.then(|| (Level::Warn, text()));
        }
        let before = self.failing.replace(error.kind());
        note(before, error, || format!("remote evaluation fails: {error}"))
    }

    pub(super) fn stream_opened(&mut self) -> Note {
        match self.stream_failing.take() {
            Some(_) => Some((Level::Info, "changes are announced again".into())),
            None => Some((Level::Debug, "changes are announced".into())),
        }
    }

    pub(super) fn stream_lost(&mut self, error: &FetchError) -> Note {
        let before = self.stream_failing.replace(error.kind());
        let text = || {
            format!("changes are not announced: {error}; answers are asked for again as they age")
        };
        note(before, error, text)
    }

    pub(super) fn last_error(&self) -> Option<LastError> {
        self.last_error.clone()
    }
}

/// The first failure is a warning. A failure of another kind is logged at `debug`, and the same kind
/// not at all.
fn note(before: Option<FetchErrorKind>, error: &FetchError, text: impl FnOnce() -> String) -> Note {
    match before {
        None => Some((Level::Warn, text())),
        Some(kind) if kind != error.kind() => Some((Level::Debug, text())),
        Some(_) => None,
    }
}
