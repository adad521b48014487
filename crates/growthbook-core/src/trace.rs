//! The steps of an evaluation that an observer can trace, as owned data.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::bucket::BucketRange;
use crate::exclusion::Exclusion;

/// What a rule did for a user.
#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "verdict",
    content = "details",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum RuleVerdict {
    /// It forced its value.
    Forced {
        /// The rollout that includes the user, if it is one.
        rollout: Option<BucketTrace>,
    },
    /// Its experiment assigned a variation.
    Assigned(AssignmentTrace),
    /// Its experiment let the next rules decide: the treatment of a holdout.
    PassedThrough(AssignmentTrace),
    /// A gating prerequisite failed, and the feature has no value.
    GateClosed,
    /// Prerequisites lead back to a feature under evaluation, or too deep.
    CyclicPrerequisite,
    /// A prerequisite failed.
    PrerequisiteFailed(PrerequisiteTrace),
    /// A filter left the user out.
    FilteredOut(Option<BucketTrace>),
    /// The condition failed.
    ConditionFailed(Option<ClauseTrace>),
    /// The rollout does not include the user.
    NotInRollout(Option<BucketTrace>),
    /// The user does not take part in its experiment.
    NotInExperiment {
        /// The experiment's key.
        experiment: String,
        /// Why.
        exclusion: Exclusion,
        /// The part of the condition that failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        clause: Option<ClauseTrace>,
        /// The user's bucket and the variations'.
        bucket: Box<BucketTrace>,
    },
    /// It has neither a value nor an experiment.
    NothingToApply,
}

/// A prerequisite that was not met.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PrerequisiteTrace {
    /// The feature it asks for; its own evaluation stands beside, in the rule's prerequisites.
    pub feature: String,
}

/// Where a user's bucket lies.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct BucketTrace {
    /// The attribute that is hashed.
    pub attribute: String,
    /// Its value; "" when there is none to hash.
    pub value: Value,
    /// The bucket; `None` without a value, or with an unknown version of the hash.
    pub bucket: Option<f64>,
    /// The ranges that count.
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
    /// Its value.
    pub hash_value: Value,
    /// The user's bucket.
    pub bucket: Option<f64>,
    /// Whether hashing decided, as opposed to a forced variation.
    pub hash_used: bool,
    /// Whether an earlier assignment was kept.
    pub sticky_bucket_used: bool,
}

/// The part of a condition that did not pass.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct ClauseTrace {
    /// The attribute path, or the operator around further conditions, such as `$or`.
    pub path: String,
    /// What is asked of it.
    pub test: String,
    /// What lies there; `None` where the test is about no single value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// How it did not pass.
    pub outcome: ClauseOutcome,
    /// The parts inside that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<ClauseTrace>,
}

/// How a part of a condition did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ClauseOutcome {
    /// It failed.
    Failed,
    /// It depends on an operator or a saved group of a kind this SDK does not know.
    Unknown,
    /// It is malformed, or over a limit.
    Malformed,
}

/// Everything but the attribute's value.
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

/// Everything but the attribute's value.
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

/// Everything but the value that was found.
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
