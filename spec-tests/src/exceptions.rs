//! Cases whose expectation contradicts the specification, with the reason.

use std::fmt;

use serde::Deserialize;

/// A list of cases that are expected to fail. A listed case that passes counts as a failure, so
/// that the list stays current.
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
    /// Parses `[{"suite": ..., "case": ..., "reason": ...}]`.
    ///
    /// # Errors
    ///
    /// When the text has another shape.
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
