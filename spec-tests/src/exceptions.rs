//! Cases whose expectation is not the specification's, with the reason.

use std::fmt;

use serde::Deserialize;

/// A list of cases that are expected to fail. One that passes after all is reported, so that the
/// list cannot go stale.
#[derive(Clone, Debug, Default)]
pub struct Exceptions(Vec<Exception>);

/// A case that is expected to fail.
#[derive(Clone, Debug, Deserialize)]
pub struct Exception {
    suite: String,
    case: String,
    reason: String,
}

impl Exceptions {
    /// Reads `[{"suite": ..., "case": ..., "reason": ...}]`.
    ///
    /// # Errors
    ///
    /// When the text is something else.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Exceptions)
    }

    /// Adds another list.
    pub fn extend(&mut self, other: Exceptions) {
        self.0.extend(other.0);
    }

    pub(crate) fn of(&self, suite: &str, case: &str) -> Option<&Exception> {
        self.0.iter().find(|exception| exception.suite == suite && exception.case == case)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EXCEPTED {} {:?}: {}", self.suite, self.case, self.reason)
    }
}
