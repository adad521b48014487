//! Warnings about parts of a payload that were left out.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use crate::escaped::Escaped;
#[cfg(doc)]
use crate::limits::MAX_WARNINGS;
use crate::limits::{
    MAX_BACKTRACKING_STEPS, MAX_FEATURE_EVALUATIONS, MAX_PREREQUISITE_DEPTH, MAX_SAVED_GROUP_DEPTH,
    MAX_SAVED_GROUP_EVALUATIONS, MAX_SNAPSHOT_FACTOR,
};

/// A part of a payload that was left out, or that never matches. The rest of the payload is in use.
///
/// `Display` names the place and the cause in one line:
/// `feature "checkout", rule 2 (fr_123): "coverage" must be a number`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The place of the part.
    pub location: Location,
    /// The problem.
    pub kind: WarningKind,
}

/// A place in a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// The payload as a whole.
    Payload,
    /// A section as a whole, such as `savedGroups`.
    Section(&'static str),
    /// A feature.
    Feature(Arc<str>),
    /// A rule of a feature.
    Rule {
        /// The feature's key.
        feature: Arc<str>,
        /// The rule's position in the feature, from 0.
        index: usize,
        /// The rule's id; empty if the rule does not have one.
        id: Arc<str>,
    },
    /// A saved group, by id.
    SavedGroup(Arc<str>),
    /// A contextual bandit, by id.
    ContextualBandit(Arc<str>),
    /// An auto experiment.
    Experiment {
        /// Its position in `experiments`, from 0.
        index: usize,
        /// Its key; empty if the experiment does not have one.
        key: Arc<str>,
    },
}

/// The problem with a part of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// The text is not valid JSON. That includes a number out of range, half a surrogate pair, and
    /// 128 levels or more. The part is left out.
    InvalidJson,
    /// A member has the wrong type. The part does not apply to any user.
    WrongType {
        /// The member's name; empty for the part itself.
        field: &'static str,
        /// The type it must have.
        expected: &'static str,
    },
    /// A setting of an experiment in code is outside its range. The builder says what happens then.
    OutOfRange {
        /// The setting's name.
        field: &'static str,
        /// The value it must have.
        expected: &'static str,
    },
    /// This SDK does not know the version of the hash. No user is included.
    UnknownHashVersion,
    /// A condition, or a part of one, is not an object or list. An evaluation that reaches it
    /// fails.
    MalformedCondition,
    /// This SDK does not know the operator. A condition that depends on it does not pass.
    UnknownOperator(Box<str>),
    /// A regular expression is invalid, or this SDK cannot run it. An invalid one does not match
    /// any text. If this SDK cannot run it, no user passes, even if the test is negated.
    Regex {
        /// The pattern.
        pattern: Box<str>,
        /// The reason.
        reason: Box<str>,
    },
    /// A search for the regular expression took more steps than its limit allows. The outcome of
    /// that test was unknown: the user did not pass, even if the test is negated. An evaluation
    /// finds this out, so only [`Snapshot::evaluation_warnings`](crate::Snapshot::evaluation_warnings)
    /// has such a warning.
    SlowRegex(Box<str>),
    /// A URL pattern is invalid, or this SDK cannot run it. It does not match any page.
    UrlPattern(Box<str>),
    /// The part needs this Cargo feature of growthbook-core, which is off. URL patterns include no
    /// user then, and exclude every user.
    MissingFeature(&'static str),
    /// An entry is not a saved group. No user is in it, and no user passes for being outside of it.
    MalformedSavedGroup,
    /// This SDK does not know the type of the saved group. A condition that depends on it does not
    /// pass.
    UnknownSavedGroupType,
    /// The prerequisites form a chain longer than [`MAX_PREREQUISITE_DEPTH`]. The feature does not
    /// have a value, as in a cycle.
    PrerequisitesTooDeep,
    /// The prerequisites lead to too many others. An evaluation that reaches the limit stops, and
    /// the feature does not have a value, as in a cycle.
    TooManyPrerequisites,
    /// The condition groups form a chain of references that is too long. No user passes.
    SavedGroupsTooDeep,
    /// The condition group leads to too many others. An evaluation that reaches the limit stops,
    /// and the user does not pass.
    TooManySavedGroups,
    /// The definitions of the payload would take too much memory: more than
    /// [`MAX_SNAPSHOT_FACTOR`] times its text. The part is left out.
    TooMuchMemory,
    /// There are more warnings than [`MAX_WARNINGS`]. This many were left out.
    MoreWarnings(usize),
    /// The section is encrypted, and there is no key. The section is left out.
    MissingDecryptionKey,
    /// The section is encrypted, and the key does not decrypt it. The section is left out.
    Undecipherable,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.location, self.kind)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Payload => formatter.write_str("payload"),
            Location::Section(name) => write!(formatter, "section {name:?}"),
            Location::Feature(key) => write!(formatter, "feature {key:?}"),
            Location::Rule { feature, index, id } => {
                write!(formatter, "feature {feature:?}, rule {index}")?;
                if id.is_empty() { Ok(()) } else { write!(formatter, " ({})", Escaped(id)) }
            }
            Location::SavedGroup(id) => write!(formatter, "saved group {id:?}"),
            Location::Experiment { index, key } => {
                write!(formatter, "experiment {index} ({})", Escaped(key))
            }
            Location::ContextualBandit(id) => write!(formatter, "contextual bandit {id:?}"),
        }
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WarningKind::InvalidJson => formatter.write_str("not valid JSON, left out"),
            WarningKind::WrongType { field: "", expected } => {
                write!(formatter, "must be {expected}")
            }
            WarningKind::WrongType { field, expected }
            | WarningKind::OutOfRange { field, expected } => {
                write!(formatter, "{field:?} must be {expected}")
            }
            WarningKind::UnknownHashVersion => formatter.write_str("unknown hash version"),
            WarningKind::MalformedCondition => formatter.write_str("malformed condition"),
            WarningKind::UnknownOperator(name) => write!(formatter, "unknown operator {name:?}"),
            WarningKind::Regex { pattern, reason } => {
                let (pattern, reason) = (Shortened(pattern), Escaped(reason));
                write!(formatter, "regular expression {pattern} never matches ({reason})")
            }
            WarningKind::SlowRegex(pattern) => write!(
                formatter,
                "a search for regular expression {} took more than {MAX_BACKTRACKING_STEPS} steps, \
                 so the user did not pass. Write the pattern without nested repetitions",
                Shortened(pattern)
            ),
            WarningKind::UrlPattern(pattern) => {
                write!(formatter, "URL pattern {pattern:?} never matches")
            }
            WarningKind::MissingFeature(feature) => {
                write!(formatter, "it needs the Cargo feature `{feature}` of growthbook-core")
            }
            WarningKind::MalformedSavedGroup => formatter.write_str("malformed saved group"),
            WarningKind::UnknownSavedGroupType => formatter.write_str("unknown saved group type"),
            WarningKind::PrerequisitesTooDeep => write!(
                formatter,
                "prerequisites are chained more than {MAX_PREREQUISITE_DEPTH} deep"
            ),
            WarningKind::TooManyPrerequisites => write!(
                formatter,
                "its prerequisites may take more than {MAX_FEATURE_EVALUATIONS} evaluations"
            ),
            WarningKind::SavedGroupsTooDeep => {
                write!(formatter, "saved groups are chained more than {MAX_SAVED_GROUP_DEPTH} deep")
            }
            WarningKind::TooManySavedGroups => write!(
                formatter,
                "its saved groups may take more than {MAX_SAVED_GROUP_EVALUATIONS} evaluations"
            ),
            WarningKind::TooMuchMemory => write!(
                formatter,
                "left out, since the definitions would take more than {MAX_SNAPSHOT_FACTOR} times \
                 the memory of their text"
            ),
            WarningKind::MoreWarnings(count) => {
                write!(formatter, "{count} more warnings were left out")
            }
            WarningKind::MissingDecryptionKey if cfg!(not(feature = "encryption")) => {
                formatter.write_str("it is encrypted, and needs the Cargo feature `encryption`")
            }
            WarningKind::MissingDecryptionKey => {
                formatter.write_str("it is encrypted, and no decryption key is set")
            }
            WarningKind::Undecipherable => {
                formatter.write_str("the decryption key does not decrypt it")
            }
        }
    }
}

/// A pattern in quotation marks, shortened.
struct Shortened<'a>(&'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The number of characters to show: enough to find the pattern.
        const SHOWN: usize = 80;
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(formatter, "{:?}...", self.0.get(..end).unwrap_or_default()),
            None => write!(formatter, "{:?}", self.0),
        }
    }
}
