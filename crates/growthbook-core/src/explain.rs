//! "Why did this user get this?": an evaluation told step by step.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::bucket::BucketRange;
use crate::observe::Observer;
use crate::result::{Exclusion, FeatureResult, FeatureResultSource};

/// How a feature came to its value: every rule that was looked at, in order.
///
/// `Display` is for people, `Serialize` for programs. Both tell attribute values; `Debug` does not.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The feature's key.
    pub feature: String,
    /// Its value.
    pub value: Value,
    /// Where the value comes from.
    pub source: FeatureResultSource,
    /// The id of the rule that decided; empty when none did.
    pub rule_id: String,
    /// The rules looked at, the last of which decided unless the source is the default value.
    pub rules: Vec<RuleTrace>,
}

/// What became of a rule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RuleTrace {
    /// Its position in the feature, from 0.
    pub index: usize,
    /// Its id; empty when it has none.
    pub id: String,
    /// The prerequisites evaluated for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Explanation>,
    /// What it did.
    pub verdict: Verdict,
}

/// What a rule did for a user.
#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "verdict",
    content = "details",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Verdict {
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

/// Builds an explanation out of what it observes.
#[derive(Default)]
pub(crate) struct Explainer {
    /// The features under evaluation, outermost first.
    features: Vec<Explanation>,
    done: Option<Explanation>,
}

impl Explainer {
    pub(crate) fn finish(self) -> Explanation {
        self.done.unwrap_or_else(|| Explanation::of(""))
    }
}

impl Explanation {
    fn of(feature: &str) -> Self {
        Explanation {
            feature: feature.into(),
            value: Value::Null,
            source: FeatureResultSource::UnknownFeature,
            rule_id: String::new(),
            rules: Vec::new(),
        }
    }
}

impl Observer for Explainer {
    const TRACES: bool = true;

    fn feature_entered(&mut self, key: &str) {
        self.features.push(Explanation::of(key));
    }

    fn feature_left(&mut self, _key: &str, result: &FeatureResult<'_>) {
        let Some(mut explanation) = self.features.pop() else { return };
        explanation.value = result.value().clone();
        explanation.source = result.source;
        explanation.rule_id = result.rule_id.into();
        // A prerequisite belongs to the rule that asks for it.
        match self.features.last_mut().and_then(|outer| outer.rules.last_mut()) {
            Some(rule) => rule.prerequisites.push(explanation),
            None => self.done = Some(explanation),
        }
    }

    fn rule_entered(&mut self, index: usize, id: &str) {
        if let Some(feature) = self.features.last_mut() {
            let verdict = Verdict::NothingToApply;
            feature.rules.push(RuleTrace {
                index,
                id: id.into(),
                prerequisites: Vec::new(),
                verdict,
            });
        }
    }

    fn rule_left(&mut self, verdict: Verdict) {
        if let Some(rule) = self.features.last_mut().and_then(|feature| feature.rules.last_mut()) {
            rule.verdict = verdict;
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, 0)
    }
}

impl Explanation {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = Indent(depth);
        write!(formatter, "{indent}{} = {} ({}", self.feature, self.value, self.source)?;
        if !self.rule_id.is_empty() {
            write!(formatter, ", rule {}", self.rule_id)?;
        }
        formatter.write_str(")")?;
        for rule in &self.rules {
            write!(formatter, "\n{indent}  rule {}", rule.index)?;
            if !rule.id.is_empty() {
                write!(formatter, " ({})", rule.id)?;
            }
            match &rule.verdict {
                Verdict::NothingToApply if !rule.prerequisites.is_empty() => {
                    formatter
                        .write_str(": the prerequisites passed, and there is no more to it")?;
                }
                verdict => write!(formatter, ": {verdict}")?,
            }
            rule.verdict.write_clause(formatter, depth + 2)?;
            for prerequisite in &rule.prerequisites {
                formatter.write_str("\n")?;
                prerequisite.write(formatter, depth + 2)?;
            }
        }
        Ok(())
    }
}

impl Verdict {
    /// The failed part of a condition, on lines of its own.
    fn write_clause(&self, formatter: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Verdict::ConditionFailed(Some(clause))
            | Verdict::NotInExperiment { clause: Some(clause), .. } => {
                clause.write(formatter, depth)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_bucket =
            |formatter: &mut fmt::Formatter<'_>, text: &str, bucket: Option<&BucketTrace>| {
                formatter.write_str(text)?;
                match bucket {
                    Some(bucket) => write!(formatter, ": {bucket}"),
                    None => Ok(()),
                }
            };
        match self {
            Verdict::Forced { rollout } => with_bucket(formatter, "forced", rollout.as_ref()),
            Verdict::Assigned(assignment) => write!(formatter, "assigned {assignment}"),
            Verdict::PassedThrough(assignment) => write!(formatter, "passed through {assignment}"),
            Verdict::GateClosed => formatter.write_str("a gating prerequisite failed"),
            Verdict::CyclicPrerequisite => formatter.write_str("prerequisites form a cycle"),
            Verdict::PrerequisiteFailed(prerequisite) => {
                write!(formatter, "skipped, prerequisite {} failed", prerequisite.feature)
            }
            Verdict::FilteredOut(bucket) => {
                with_bucket(formatter, "skipped, filtered out", bucket.as_ref())
            }
            Verdict::ConditionFailed(_) => formatter.write_str("skipped, the condition failed"),
            Verdict::NotInRollout(bucket) => {
                with_bucket(formatter, "skipped, not in the rollout", bucket.as_ref())
            }
            Verdict::NotInExperiment { experiment, exclusion, bucket, .. } => {
                write!(formatter, "skipped, not in experiment {experiment}: {exclusion}")?;
                match exclusion {
                    Exclusion::NotCovered | Exclusion::MissingHashAttribute => {
                        write!(formatter, ", {bucket}")
                    }
                    _ => Ok(()),
                }
            }
            Verdict::NothingToApply => formatter.write_str("skipped, nothing to apply"),
        }
    }
}

impl fmt::Display for BucketTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} = {}", self.attribute, self.value)?;
        match self.bucket {
            Some(bucket) => write!(formatter, ", bucket {bucket}, ranges")?,
            None => return formatter.write_str(", no bucket"),
        }
        for range in &self.ranges {
            write!(formatter, " [{}, {})", range.start, range.end)?;
        }
        Ok(())
    }
}

impl fmt::Display for AssignmentTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AssignmentTrace { experiment, variation_id, variation_key, .. } = self;
        write!(formatter, "variation {variation_id} ({variation_key}) of experiment {experiment}")?;
        match self.bucket {
            Some(bucket) => {
                write!(
                    formatter,
                    ": {} = {}, bucket {bucket}",
                    self.hash_attribute, self.hash_value
                )?;
            }
            None => formatter.write_str(": forced")?,
        }
        if self.sticky_bucket_used { formatter.write_str(", kept") } else { Ok(()) }
    }
}

impl ClauseTrace {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(formatter, "\n{}{} {}", Indent(depth), self.path, self.test)?;
        match self.outcome {
            ClauseOutcome::Failed => {}
            ClauseOutcome::Unknown => formatter.write_str(" (not known to this SDK)")?,
            ClauseOutcome::Malformed => formatter.write_str(" (malformed)")?,
        }
        if let Some(actual) = &self.actual {
            write!(formatter, ", but it is {actual}")?;
        }
        self.inner.iter().try_for_each(|clause| clause.write(formatter, depth + 1))
    }
}

impl fmt::Display for ClauseTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, 0)
    }
}

/// Two blanks for each level.
struct Indent(usize);

impl fmt::Display for Indent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|_| formatter.write_str("  "))
    }
}
