//! The steps of an evaluation that an observer can trace, as owned data.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::bucket::BucketRange;
use crate::exclusion::Exclusion;

/// The effect of a rule on a user.
#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "verdict",
    content = "details",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum RuleVerdict {
    /// The rule forced its value.
    Forced {
        /// The rollout that includes the user, if the rule is one.
        rollout: Option<BucketTrace>,
    },
    /// The rule's experiment assigned a variation.
    Assigned(AssignmentTrace),
    /// The rule's experiment let the next rules decide: the treatment of a holdout.
    PassedThrough(AssignmentTrace),
    /// A gate failed: a prerequisite that decides alone. The feature has no value.
    GateClosed,
    /// Prerequisites lead back to a feature that is being evaluated, or exceed a limit.
    CyclicPrerequisite,
    /// A prerequisite failed.
    PrerequisiteFailed(PrerequisiteTrace),
    /// A filter excluded the user.
    FilteredOut(Option<BucketTrace>),
    /// The condition failed.
    ConditionFailed(Option<ClauseTrace>),
    /// The rollout does not include the user.
    NotInRollout(Option<BucketTrace>),
    /// The user does not take part in the rule's experiment.
    NotInExperiment {
        /// The experiment's key.
        experiment: String,
        /// Why the user does not take part.
        exclusion: Exclusion,
        /// The part of the condition that failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        clause: Option<ClauseTrace>,
        /// The user's bucket, and the ranges of the variations.
        bucket: Box<BucketTrace>,
    },
    /// The rule has neither a value nor an experiment.
    NothingToApply,
}

/// A prerequisite that was not met.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PrerequisiteTrace {
    /// The prerequisite's key. Its own explanation is in
    /// [`RuleTrace::prerequisites`](crate::explain::RuleTrace::prerequisites).
    pub feature: String,
}

/// A user's bucket, and the ranges it is compared with.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct BucketTrace {
    /// The attribute that is hashed.
    pub attribute: String,
    /// The attribute's value. "" when the user has none to hash.
    pub value: Value,
    /// The bucket. `None` without a value, or with an unknown hash version.
    pub bucket: Option<f64>,
    /// The ranges that include a user.
    pub ranges: Vec<BucketRange>,
}

/// How an experiment assigned a variation.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssignmentTrace {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's index.
    pub variation_id: usize,
    /// The variation's key.
    pub variation_key: String,
    /// The attribute that was hashed.
    pub hash_attribute: String,
    /// The attribute's value.
    pub hash_value: Value,
    /// The user's bucket.
    pub bucket: Option<f64>,
    /// Whether hashing decided, and not a forced variation.
    pub hash_used: bool,
    /// Whether an earlier assignment was kept.
    pub sticky_bucket_used: bool,
}

/// The part of a condition that did not pass.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct ClauseTrace {
    /// The attribute path, or an operator on conditions, such as `$or`.
    pub path: String,
    /// The test of the value at the path.
    pub test: String,
    /// The value at the path. `None` when the test is not about a single value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// How the part did not pass.
    pub outcome: ClauseOutcome,
    /// The inner parts that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<ClauseTrace>,
}

/// How a part of a condition did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ClauseOutcome {
    /// The test failed.
    Failed,
    /// The result depends on an operator or a type of saved group that this SDK does not know.
    Unknown,
    /// The part is malformed, or exceeds a limit.
    Malformed,
}

/// Prints everything but the attribute's value.
impl fmt::Debug for BucketTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BucketTrace")
            .field("attribute", &self.attribute)
            .field("bucket", &self.bucket)
            .field("ranges", &self.ranges)
            .finish_non_exhaustive()
    }
}

/// Prints everything but the attribute's value.
impl fmt::Debug for AssignmentTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AssignmentTrace")
            .field("experiment", &self.experiment)
            .field("variation_id", &self.variation_id)
            .field("hash_attribute", &self.hash_attribute)
            .field("bucket", &self.bucket)
            .field("hash_used", &self.hash_used)
            .field("sticky_bucket_used", &self.sticky_bucket_used)
            .finish_non_exhaustive()
    }
}

/// Prints everything but the actual value.
impl fmt::Debug for ClauseTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClauseTrace")
            .field("path", &self.path)
            .field("test", &self.test)
            .field("outcome", &self.outcome)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
