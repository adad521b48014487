//! Explains why a feature has its value for a user, step by step.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::escaped::Escaped;
use crate::exclusion::Exclusion;
use crate::observe::Observer;
use crate::result::{FeatureResult, FeatureResultSource};
pub use crate::trace::{
    AssignmentTrace, BucketTrace, ClauseOutcome, ClauseTrace, PrerequisiteTrace, RuleVerdict,
};

/// Why a feature has its value: every rule that was evaluated, in order.
///
/// `Display` is for people, `Serialize` for programs. Both show attribute values. `Debug` does not.
/// `Display` escapes line breaks and other control characters of keys, ids and values.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The feature's key.
    pub feature: String,
    /// The value.
    pub value: Value,
    /// Where the value comes from.
    pub source: FeatureResultSource,
    /// The id of the rule that decided. Empty when no rule decided.
    pub rule_id: String,
    /// The rules that were evaluated. The last one decided, unless the source is the default value.
    pub rules: Vec<RuleTrace>,
}

/// A rule that was evaluated, and what it did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RuleTrace {
    /// The rule's position in the feature, from 0.
    pub index: usize,
    /// The rule's id. Empty when it has none.
    pub id: String,
    /// The prerequisites that were evaluated for the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Explanation>,
    /// What the rule did.
    pub verdict: RuleVerdict,
}

/// The observer that builds an explanation.
#[derive(Default)]
pub(crate) struct Explainer {
    /// The features that are being evaluated, outermost first.
    features: Vec<Explanation>,
    /// The outermost feature, once it is evaluated.
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
        // A prerequisite belongs to the rule that has it.
        match self.features.last_mut().and_then(|outer| outer.rules.last_mut()) {
            Some(rule) => rule.prerequisites.push(explanation),
            None => self.done = Some(explanation),
        }
    }

    fn rule_entered(&mut self, index: usize, id: &str) {
        if let Some(feature) = self.features.last_mut() {
            let verdict = RuleVerdict::NothingToApply;
            feature.rules.push(RuleTrace {
                index,
                id: id.into(),
                prerequisites: Vec::new(),
                verdict,
            });
        }
    }

    fn rule_left(&mut self, verdict: RuleVerdict) {
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
        let (feature, value) = (Escaped(&self.feature), Escaped(&self.value));
        write!(formatter, "{indent}{feature} = {value} ({}", self.source)?;
        if !self.rule_id.is_empty() {
            write!(formatter, ", rule {}", Escaped(&self.rule_id))?;
        }
        formatter.write_str(")")?;
        for rule in &self.rules {
            write!(formatter, "\n{indent}  rule {}", rule.index)?;
            if !rule.id.is_empty() {
                write!(formatter, " ({})", Escaped(&rule.id))?;
            }
            match &rule.verdict {
                RuleVerdict::NothingToApply if !rule.prerequisites.is_empty() => {
                    formatter.write_str(": the prerequisites passed, nothing else to apply")?;
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

impl RuleVerdict {
    /// Writes the failed part of a condition on its own lines.
    fn write_clause(&self, formatter: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            RuleVerdict::ConditionFailed(Some(clause))
            | RuleVerdict::NotInExperiment { clause: Some(clause), .. } => {
                clause.write(formatter, depth)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for RuleVerdict {
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
            RuleVerdict::Forced { rollout } => with_bucket(formatter, "forced", rollout.as_ref()),
            RuleVerdict::Assigned(assignment) => write!(formatter, "assigned {assignment}"),
            RuleVerdict::PassedThrough(assignment) => {
                write!(formatter, "passed through {assignment}")
            }
            RuleVerdict::GateClosed => formatter.write_str("a gating prerequisite failed"),
            RuleVerdict::CyclicPrerequisite => formatter.write_str("prerequisites form a cycle"),
            RuleVerdict::PrerequisiteFailed(prerequisite) => {
                let feature = Escaped(&prerequisite.feature);
                write!(formatter, "skipped, prerequisite {feature} failed")
            }
            RuleVerdict::FilteredOut(bucket) => {
                with_bucket(formatter, "skipped, filtered out", bucket.as_ref())
            }
            RuleVerdict::ConditionFailed(_) => formatter.write_str("skipped, the condition failed"),
            RuleVerdict::NotInRollout(bucket) => {
                with_bucket(formatter, "skipped, not in the rollout", bucket.as_ref())
            }
            RuleVerdict::NotInExperiment { experiment, exclusion, bucket, .. } => {
                let experiment = Escaped(experiment);
                write!(formatter, "skipped, not in experiment {experiment}: {exclusion}")?;
                match exclusion {
                    Exclusion::NotCovered | Exclusion::MissingHashAttribute => {
                        write!(formatter, ", {bucket}")
                    }
                    _ => Ok(()),
                }
            }
            RuleVerdict::NothingToApply => formatter.write_str("skipped, nothing to apply"),
        }
    }
}

impl fmt::Display for BucketTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} = {}", Escaped(&self.attribute), Escaped(&self.value))?;
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
        let (experiment, key) = (Escaped(&self.experiment), Escaped(&self.variation_key));
        write!(formatter, "variation {} ({key}) of experiment {experiment}", self.variation_id)?;
        match self.bucket {
            Some(bucket) => {
                let attribute = Escaped(&self.hash_attribute);
                write!(
                    formatter,
                    ": {attribute} = {}, bucket {bucket}",
                    Escaped(&self.hash_value)
                )?;
            }
            None => formatter.write_str(": forced")?,
        }
        if self.sticky_bucket_used { formatter.write_str(", kept") } else { Ok(()) }
    }
}

impl ClauseTrace {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(formatter, "\n{}{} {}", Indent(depth), Escaped(&self.path), Escaped(&self.test))?;
        match self.outcome {
            ClauseOutcome::Failed => {}
            ClauseOutcome::Unknown => formatter.write_str(" (not known to this SDK)")?,
            ClauseOutcome::Malformed => formatter.write_str(" (malformed)")?,
        }
        if let Some(actual) = &self.actual {
            write!(formatter, ", but it is {}", Escaped(actual))?;
        }
        self.inner.iter().try_for_each(|clause| clause.write(formatter, depth + 1))
    }
}

impl fmt::Display for ClauseTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, 0)
    }
}

/// Two spaces for each level.
struct Indent(usize);

impl fmt::Display for Indent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|_| formatter.write_str("  "))
    }
}
