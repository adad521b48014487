//! Describes what a rule did, for observers that trace.

use alloc::{boxed::Box, string::String};

use super::evaluation::Evaluation;
use super::feature::{RuleOutcome, Skip};
use crate::bucket::BucketRange;
use crate::condition::{Clauses, Fields, explain_failure};
use crate::exclusion::Exclusion;
use crate::experiment::{ExperimentDefinition, HashAttribute, ParentFeature};
use crate::hash_value::HashValue;
use crate::observe::Observer;
use crate::result::{Assignment, FeatureResultSource as Source};
use crate::snapshot::{Rule, RuleKind};
use crate::trace::{AssignmentTrace, BucketTrace, ClauseTrace, PrerequisiteTrace, RuleVerdict};

impl<'a, O: Observer> Evaluation<'a, '_, O> {
    pub(super) fn verdict(&self, rule: &'a Rule, outcome: &RuleOutcome<'a>) -> RuleVerdict {
        match outcome {
            RuleOutcome::Decides(answer) => match answer.source {
                Source::Prerequisite => RuleVerdict::GateClosed,
                Source::CyclicPrerequisite => RuleVerdict::CyclicPrerequisite,
                Source::Experiment => self.experiment_verdict(RuleVerdict::Assigned),
                _ => RuleVerdict::Forced { rollout: self.rollout_of(rule) },
            },
            RuleOutcome::Skips(skip) => self.skip(rule, skip),
        }
    }

    fn skip(&self, rule: &Rule, skip: &Skip<'a>) -> RuleVerdict {
        match skip {
            Skip::Prerequisite(parent) => RuleVerdict::PrerequisiteFailed(PrerequisiteTrace {
                feature: match &parent.feature {
                    ParentFeature::Named(key) => key.as_ref().into(),
                    ParentFeature::Unknown | ParentFeature::Never => String::new(),
                    ParentFeature::Linked(index) => {
                        self.evaluator.snapshot.features.key(*index).into()
                    }
                },
            }),
            Skip::Filters => RuleVerdict::FilteredOut(self.failed_filter(rule)),
            Skip::Condition(condition) => {
                RuleVerdict::ConditionFailed(self.failed_clause(condition))
            }
            Skip::Rollout => RuleVerdict::NotInRollout(self.rollout_of(rule)),
            Skip::Experiment => self.experiment_verdict(RuleVerdict::PassedThrough),
            Skip::Nothing => RuleVerdict::NothingToApply,
        }
    }

    /// Describes the experiment that ran last. `taken_part` makes the verdict for a user who takes
    /// part in it.
    fn experiment_verdict(
        &self,
        taken_part: impl FnOnce(AssignmentTrace) -> RuleVerdict,
    ) -> RuleVerdict {
        let Some(last) = self.last.experiment() else {
            return RuleVerdict::NothingToApply;
        };
        let definition = last.assigned.experiment;
        let assignment = last.assignment();
        let Some(exclusion) = assignment.exclusion else {
            return taken_part(trace_of(definition, &assignment));
        };
        let failed = definition.condition.as_ref();
        let failed = failed.filter(|_| exclusion == Exclusion::ConditionFailed);
        RuleVerdict::NotInExperiment {
            experiment: definition.key().into(),
            exclusion,
            clause: failed.and_then(|condition| self.failed_clause(condition)),
            bucket: Box::new(bucket_trace(
                assignment.hash_attribute,
                assignment.hash_value,
                definition.bucket(&assignment.hash_value),
                definition.ranges(),
            )),
        }
    }

    fn failed_clause(&self, condition: &Clauses) -> Option<ClauseTrace> {
        let groups = &self.evaluator.snapshot.saved_groups;
        let fields = Fields::Attributes(&self.evaluator.attributes);
        explain_failure(condition, &fields, groups, &self.descriptions)
    }

    fn rollout_of(&self, rule: &Rule) -> Option<BucketTrace> {
        let RuleKind::Rollout(rule) = &rule.kind else { return None };
        let rollout = &rule.rollout;
        let (attribute, value) = self.rollout_attribute(rollout);
        Some(bucket_trace(attribute, value, rollout.bucket(&value), &[rollout.range]))
    }

    fn failed_filter(&self, rule: &Rule) -> Option<BucketTrace> {
        let value = |attribute: &HashAttribute| self.evaluator.hash_value_of(attribute);
        let mut filters = rule.filters().into_iter().flatten();
        let filter = filters.find(|filter| !filter.passes(&value(filter.hash_attribute())))?;
        let attribute = filter.hash_attribute();
        let value = value(attribute);
        Some(bucket_trace(attribute, value, filter.bucket(&value), filter.ranges()))
    }
}

fn bucket_trace(
    attribute: &str,
    value: HashValue<'_>,
    bucket: Option<f64>,
    ranges: &[BucketRange],
) -> BucketTrace {
    BucketTrace {
        attribute: attribute.into(),
        value: serde_json::to_value(value).unwrap_or_default(),
        bucket,
        ranges: ranges.to_vec(),
    }
}

fn trace_of(definition: &ExperimentDefinition, assignment: &Assignment<'_>) -> AssignmentTrace {
    AssignmentTrace {
        experiment: definition.key().into(),
        variation_id: assignment.variation_id,
        variation_key: assignment.key.into(),
        hash_attribute: assignment.hash_attribute.into(),
        hash_value: serde_json::to_value(assignment.hash_value).unwrap_or_default(),
        bucket: assignment.bucket,
        hash_used: assignment.hash_used,
        sticky_bucket_used: assignment.sticky_bucket_used,
    }
}
