//! Why a user does not take part in an experiment.

use core::fmt;

use serde::Serialize;

/// Why a user does not take part in an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Exclusion {
    /// It has fewer than two variations.
    TooFewVariations,
    /// Experiments are disabled.
    Disabled,
    /// The address is not targeted.
    Url,
    /// It is a draft, stopped, or inactive.
    Inactive,
    /// The user has no attribute to hash.
    MissingHashAttribute,
    /// A filter leaves the user out.
    FilteredOut,
    /// The user is in another part of the namespace.
    NotInNamespace,
    /// The user does not pass the condition.
    ConditionFailed,
    /// A prerequisite is not met.
    PrerequisiteFailed,
    /// The user is in none of the (legacy) groups.
    NotInGroup,
    /// The hash has a version this SDK does not know.
    UnknownHashVersion,
    /// An earlier assignment has a version that is no longer wanted.
    BlockedBucketVersion,
    /// The user's bucket belongs to no variation.
    NotCovered,
    /// QA mode, or a user who skips all experiments.
    QaMode,
    /// The variation decided on is none of the experiment's.
    NoSuchVariation,
}

impl fmt::Display for Exclusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Exclusion::TooFewVariations => "fewer than two variations",
            Exclusion::Disabled => "experiments are disabled",
            Exclusion::Url => "the address is not targeted",
            Exclusion::Inactive => "the experiment is not running",
            Exclusion::MissingHashAttribute => "no hash attribute",
            Exclusion::FilteredOut => "filtered out",
            Exclusion::NotInNamespace => "not in the namespace",
            Exclusion::ConditionFailed => "the condition failed",
            Exclusion::PrerequisiteFailed => "a prerequisite failed",
            Exclusion::NotInGroup => "not in a required group",
            Exclusion::UnknownHashVersion => "unknown hash version",
            Exclusion::BlockedBucketVersion => "blocked by an old sticky bucket",
            Exclusion::NotCovered => "not covered",
            Exclusion::QaMode => "QA mode",
            Exclusion::NoSuchVariation => "no such variation",
        })
    }
}
