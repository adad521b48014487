//! Features: the first rule that applies decides, else the default value.

use super::experiment::Run;
use super::{Evaluation, Frame, MAX_FEATURE_EVALUATIONS};
use crate::condition::{self, Fields};
use crate::experiment::{Filter, ParentCondition, ParentFeature, Rollout};
use crate::observe::Observer;
use crate::result::{FeatureExperiment, FeatureResult, FeatureResultSource as Source};
use crate::snapshot::{ExperimentRule, Feature, FeatureIndex, ForceRule, Rule, RuleKind};
use crate::value::FeatureValue;

/// What prerequisites say about the rule or experiment that has them.
pub(super) enum Prerequisites {
    Met,
    /// A gate failed: the whole feature has no value.
    GateFailed,
    Failed,
    Cyclic,
}

impl<'a, O: Observer> Evaluation<'a, '_, O> {
    pub(super) fn feature_by_key(
        &mut self,
        key: &str,
        outer: Option<&Frame<'_>>,
    ) -> FeatureResult<'a> {
        match self.evaluator.snapshot.by_key.get(key) {
            Some(&index) => self.feature(index, outer),
            None => {
                if let Some(value) = self.forced_feature(key) {
                    return FeatureResult::new(value, Source::Override);
                }
                let result = FeatureResult::without_value(Source::UnknownFeature);
                self.observer.feature_usage(key, &result);
                result
            }
        }
    }

    fn feature(&mut self, index: FeatureIndex, outer: Option<&Frame<'_>>) -> FeatureResult<'a> {
        let Some(feature) = self.evaluator.snapshot.feature(index) else {
            return FeatureResult::without_value(Source::UnknownFeature);
        };
        self.feature_evaluations += 1;
        let result = match Frame::enter(index, outer) {
            Some(frame) if self.feature_evaluations <= MAX_FEATURE_EVALUATIONS => {
                if let Some(value) = self.forced_feature(&feature.key) {
                    return FeatureResult::new(value, Source::Override);
                }
                self.rules(feature, &frame)
            }
            _ => FeatureResult::without_value(Source::CyclicPrerequisite),
        };
        self.observer.feature_usage(&feature.key, &result);
        result
    }

    /// A value forced in code: the user's own before the global one.
    fn forced_feature(&self, key: &str) -> Option<&'a FeatureValue> {
        self.evaluator
            .overrides()
            .filter(|overrides| !overrides.forced_features.is_empty())
            .find_map(|overrides| overrides.forced_features.get(key))
    }

    fn rules(&mut self, feature: &'a Feature, frame: &Frame<'_>) -> FeatureResult<'a> {
        for rule in &feature.rules {
            if let Some(result) = self.rule(feature, rule, frame) {
                return result;
            }
        }
        FeatureResult::new(&feature.default_value, Source::DefaultValue)
    }

    /// `None` when the rule does not apply.
    fn rule(
        &mut self,
        feature: &'a Feature,
        rule: &'a Rule,
        frame: &Frame<'_>,
    ) -> Option<FeatureResult<'a>> {
        match self.prerequisites(&rule.parents, Some(frame)) {
            Prerequisites::Met => {}
            Prerequisites::Failed => return None,
            Prerequisites::GateFailed => {
                return Some(FeatureResult::without_value(Source::Prerequisite));
            }
            Prerequisites::Cyclic => {
                return Some(FeatureResult::without_value(Source::CyclicPrerequisite));
            }
        }
        if rule.filters.as_ref().is_some_and(|filters| !self.passes_filters(filters)) {
            return None;
        }
        match &rule.kind {
            RuleKind::Force(force) => self.force(rule, force),
            RuleKind::Experiment(experiment) => self.experiment(feature, rule, experiment),
            RuleKind::Nothing => None,
        }
    }

    fn force(&self, rule: &'a Rule, force: &'a ForceRule) -> Option<FeatureResult<'a>> {
        let applies = force.condition.as_ref().is_none_or(|it| self.evaluator.passes(it))
            && force.rollout.as_ref().is_none_or(|rollout| self.is_included(rollout));
        applies.then(|| FeatureResult::new(&force.value, Source::Force).with_rule(&rule.id))
    }

    fn is_included(&self, rollout: &Rollout) -> bool {
        let fallback = rollout.fallback_attribute.as_deref().filter(|_| self.sticky.is_some());
        let (_, value) = self.evaluator.hash_attribute(&rollout.hash_attribute, fallback);
        let bucket = rollout.hasher.as_ref().and_then(|hasher| hasher.hash(value));
        bucket.is_some_and(|bucket| rollout.range.contains(bucket))
    }

    pub(super) fn passes_filters(&self, filters: &[Filter]) -> bool {
        filters.iter().all(|it| it.passes(self.evaluator.hash_value(it.hash_attribute())))
    }

    fn experiment(
        &mut self,
        feature: &'a Feature,
        rule: &'a Rule,
        experiment: &'a ExperimentRule,
    ) -> Option<FeatureResult<'a>> {
        let definition = &experiment.definition;
        // A legacy override of the experiment leaves no room for a bandit's weights.
        let bandit = experiment.bandit.as_ref();
        let bandit = bandit.filter(|_| !self.evaluator.has_override(definition));
        let choice = bandit.map(|bandit| bandit.choose(|it| self.evaluator.passes(it)));
        let mut assignment = self.assign(&Run {
            experiment: definition,
            ranges: choice.and_then(|choice| choice.ranges),
            feature_id: Some(&feature.key),
        });
        if assignment.hash_used && assignment.in_experiment {
            assignment.contextual_bandit = choice.and_then(|choice| choice.bandit);
        }
        let value = experiment.variations.get(assignment.variation_id)?;
        self.report(definition, &assignment, Some(value.value()));
        (assignment.in_experiment && !assignment.passthrough).then(|| {
            FeatureResult::new(value, Source::Experiment).with_rule(&rule.id).with_experiment(
                FeatureExperiment {
                    definition,
                    weights: choice.and_then(|choice| choice.weights),
                    contextual_bandit: assignment.contextual_bandit,
                },
                assignment,
            )
        })
    }

    pub(super) fn prerequisites(
        &mut self,
        parents: &[ParentCondition],
        frame: Option<&Frame<'_>>,
    ) -> Prerequisites {
        for parent in parents {
            let result = match &parent.feature {
                ParentFeature::Linked(index) => self.feature(*index, frame),
                ParentFeature::Named(key) => self.feature_by_key(key, frame),
            };
            if result.source == Source::CyclicPrerequisite {
                return Prerequisites::Cyclic;
            }
            let value = Fields::ParentValue(result.feature_value().node());
            let groups = &self.evaluator.snapshot.saved_groups;
            let met =
                parent.condition.as_ref().is_none_or(|it| condition::passes(it, value, groups));
            if !met {
                return if parent.gate { Prerequisites::GateFailed } else { Prerequisites::Failed };
            }
        }
        Prerequisites::Met
    }
}
