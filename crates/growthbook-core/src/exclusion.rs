//! Why a user does not take part in an experiment.

use core::fmt;

use serde::Serialize;

/// Why a user does not take part in an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Exclusion {
    /// The experiment has fewer than two variations.
    TooFewVariations,
    /// Experiments are disabled.
    Disabled,
    /// The URL is not targeted.
    Url,
    /// The experiment is a draft, stopped, or inactive.
    Inactive,
    /// The user does not have the attribute to hash.
    MissingHashAttribute,
    /// A filter excludes the user.
    FilteredOut,
    /// The user is in another part of the namespace.
    NotInNamespace,
    /// The user does not pass the condition.
    ConditionFailed,
    /// A prerequisite is not met.
    PrerequisiteFailed,
    /// The user is not in any of the experiment's groups, a legacy feature.
    NotInGroup,
    /// This SDK does not know the experiment's hash version.
    UnknownHashVersion,
    /// A stored assignment has a version below the experiment's minimum.
    BlockedBucketVersion,
    /// The user's bucket does not belong to any variation.
    NotCovered,
    /// QA mode is on, or the user skips all experiments.
    QaMode,
    /// The experiment does not have the variation that was chosen.
    NoSuchVariation,
    /// The evaluation took too many steps, see
    /// [`MAX_EVALUATION_STEPS`](crate::limits::MAX_EVALUATION_STEPS).
    TooManySteps,
}

impl fmt::Display for Exclusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Exclusion::TooFewVariations => "fewer than two variations",
            Exclusion::Disabled => "experiments are disabled",
            Exclusion::Url => "the URL is not targeted",
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
            Exclusion::TooManySteps => "too many steps",
        })
    }
}
