//! What was wrong in a payload that is in use all the same.

use alloc::boxed::Box;
use core::fmt;

use crate::limits::{
    MAX_FEATURE_EVALUATIONS, MAX_PREREQUISITE_DEPTH, MAX_SAVED_GROUP_DEPTH,
    MAX_SAVED_GROUP_EVALUATIONS,
};

/// One part of a payload that was left out or can never match. The rest is in use.
///
/// `Display` names the place and the cause in one line:
/// `feature "checkout", rule 2 (fr_123): "coverage" must be a number`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Where it stands.
    pub location: Location,
    /// What it is.
    pub kind: WarningKind,
}

/// A place in a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A section as a whole, such as `savedGroups`.
    Section(&'static str),
    /// A feature.
    Feature(Box<str>),
    /// A rule of a feature.
    Rule {
        /// The feature's key.
        feature: Box<str>,
        /// The rule's position in the feature, from 0.
        index: usize,
        /// The rule's id; empty when it has none.
        id: Box<str>,
    },
    /// A saved group, by id.
    SavedGroup(Box<str>),
    /// A contextual bandit, by id.
    ContextualBandit(Box<str>),
    /// An auto experiment.
    Experiment {
        /// Its position in `experiments`, from 0.
        index: usize,
        /// Its key; empty when it has none.
        key: Box<str>,
    },
}

/// What is wrong with a part of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// Text that is no valid JSON: a number out of range, half a surrogate pair, or over 128
    /// levels deep. The part is left out.
    InvalidJson,
    /// A member has another type than it must have. The part does not apply to anybody.
    WrongType {
        /// The member's name; empty for the part itself.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A version of the hash this SDK does not know. Nobody is included.
    UnknownHashVersion,
    /// A condition, or a part of one, is no object or list. Evaluation fails where it is reached.
    MalformedCondition,
    /// An operator this SDK does not know. What depends on it does not pass.
    UnknownOperator(Box<str>),
    /// A regular expression that is invalid, and matches nothing; or one that this SDK cannot run,
    /// and nobody passes, matching or not.
    Regex {
        /// The pattern.
        pattern: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// A URL pattern that is none, or that cannot be run. It lets nobody in.
    UrlPattern(Box<str>),
    /// A saved group that is none. Nobody is in it, and nobody passes for not being in it.
    MalformedSavedGroup,
    /// A saved group of a type this SDK does not know. What depends on it does not pass.
    UnknownSavedGroupType,
    /// Prerequisites chained deeper than [`MAX_PREREQUISITE_DEPTH`].
    /// The feature has no value, as in a cycle.
    PrerequisitesTooDeep,
    /// Prerequisites that lead to so many others that evaluating them all is given up: the feature
    /// has no value then, as in a cycle.
    TooManyPrerequisites,
    /// Condition groups that refer to one another too deep. Nobody passes.
    SavedGroupsTooDeep,
    /// Condition groups that lead to so many others that evaluating them all is given up: nobody
    /// passes then.
    TooManySavedGroups,
    /// An encrypted section, and no key to read it. The section is left out.
    MissingDecryptionKey,
    /// An encrypted section that the key does not open. The section is left out.
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
            Location::Section(name) => write!(formatter, "section {name:?}"),
            Location::Feature(key) => write!(formatter, "feature {key:?}"),
            Location::Rule { feature, index, id } => {
                write!(formatter, "feature {feature:?}, rule {index}")?;
                if id.is_empty() { Ok(()) } else { write!(formatter, " ({id})") }
            }
            Location::SavedGroup(id) => write!(formatter, "saved group {id:?}"),
            Location::Experiment { index, key } => write!(formatter, "experiment {index} ({key})"),
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
            WarningKind::WrongType { field, expected } => {
                write!(formatter, "{field:?} must be {expected}")
            }
            WarningKind::UnknownHashVersion => formatter.write_str("unknown hash version"),
            WarningKind::MalformedCondition => formatter.write_str("malformed condition"),
            WarningKind::UnknownOperator(name) => write!(formatter, "unknown operator {name:?}"),
            WarningKind::Regex { pattern, reason } => {
                /// Enough of a pattern to find it by.
                const SHOWN: usize = 80;
                let shown: alloc::string::String = pattern.chars().take(SHOWN).collect();
                let more = if shown.len() < pattern.len() { "..." } else { "" };
                write!(formatter, "regular expression {shown:?}{more} never matches ({reason})")
            }
            WarningKind::UrlPattern(pattern) => {
                write!(formatter, "URL pattern {pattern:?} never matches")
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
            WarningKind::MissingDecryptionKey => {
                formatter.write_str("encrypted, and no decryption key is set")
            }
            WarningKind::Undecipherable => {
                formatter.write_str("the decryption key does not open it")
            }
        }
    }
}
