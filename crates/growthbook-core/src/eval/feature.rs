//! Features: the first rule that applies decides. Otherwise the default value is used.

use super::answer::Answer;
use super::evaluation::{Evaluation, Frame};
use crate::budget::text_steps;
use crate::condition::{Clauses, Fields};
use crate::event::Track;
use crate::experiment::{Filter, ParentCondition, ParentFeature, ParentValue};
use crate::feature_index::FeatureIndex;
use crate::feature_key::FeatureKey;
use crate::hash_value::HashValue;
use crate::limits::MAX_FEATURE_EVALUATIONS;
use crate::observe::{Exposure, Observer};
use crate::result::FeatureResultSource as Source;
use crate::snapshot::{ExperimentRule, Feature, ForceRule, Rollout, Rule, RuleKind};
use crate::value::FeatureValue;

/// Whether the prerequisites of a rule or an experiment are met.
pub(super) enum Prerequisites<'p> {
    Met,
    Failed(&'p ParentCondition),
    /// They lead back to a feature that is being evaluated.
    Cyclic,
}

/// The effect of a rule on a user.
pub(super) enum RuleOutcome<'a> {
    /// It decides the feature's value, or that there is no value.
    Decides(Answer<'a>),
    /// The next rule is tried.
    Skips(Skip<'a>),
}

/// Why a rule does not decide.
pub(super) enum Skip<'a> {
    Prerequisite(&'a ParentCondition),
    Filters,
    Condition(&'a Clauses),
    Rollout,
    /// The user does not take part in its experiment, or the variation passes through.
    Experiment,
    /// It has neither a value nor an experiment.
    Nothing,
}

impl<'a, O: Observer> Evaluation<'a, '_, O> {
    #[inline]
    pub(super) fn feature_by_key(
        &mut self,
        key: &str,
        handle: Option<&FeatureKey>,
        outer: Option<&Frame<'_>>,
    ) -> Answer<'a> {
        match self.evaluator.snapshot.find(key, handle) {
            Some(index) => self.feature(index, outer),
            None => self.unknown_feature(key),
        }
    }

    #[inline(never)]
    fn unknown_feature(&mut self, key: &str) -> Answer<'a> {
        if O::TRACES {
            self.observer.feature_entered(key);
        }
        let answer = match self.forced_feature(key) {
            Some(value) => Answer::new(value, Source::Override),
            None => Answer::without_value(Source::UnknownFeature),
        };
        self.left(key, answer);
        answer
    }

    fn feature(&mut self, index: FeatureIndex, outer: Option<&Frame<'_>>) -> Answer<'a> {
        let Some((key, feature)) = self.evaluator.snapshot.feature(index) else {
            // A key that prerequisites refer to, without a feature.
            return self.unknown_feature(self.evaluator.snapshot.features.key(index));
        };
        if O::TRACES {
            self.observer.feature_entered(key);
        }
        self.feature_evaluations += 1;
        let answer = match Frame::enter(index, outer) {
            Some(frame) if self.feature_evaluations <= MAX_FEATURE_EVALUATIONS => {
                match self.forced_feature(key) {
                    Some(value) => Answer::new(value, Source::Override),
                    None => self.rules(feature, &frame),
                }
            }
            _ => Answer::without_value(Source::CyclicPrerequisite),
        };
        self.left(key, answer);
        answer
    }

    #[inline]
    fn left(&mut self, key: &str, answer: Answer<'a>) {
        if !O::LISTENS {
            return;
        }
        let is_usage = self.observer.wants_feature_usage()
            && (answer.source != Source::Override || self.observer.wants_overrides());
        if O::TRACES || is_usage {
            let result = self.last.result(answer);
            if O::TRACES {
                self.observer.feature_left(key, &result);
            }
            if is_usage {
                self.observer.feature_usage(key, &result);
            }
        }
    }

    /// Returns the value forced in code, for the user first, then globally.
    #[inline(always)]
    fn forced_feature(&self, key: &str) -> Option<&'a FeatureValue> {
        self.evaluator.setting(|overrides| {
            // Prerequisites repeat a feature, and its key may be long.
            let can_read = self.budget.take(text_steps(key.len()));
            overrides.forced_features.get(key).filter(|_| can_read)
        })
    }

    fn rules(&mut self, feature: &'a Feature, frame: &Frame<'_>) -> Answer<'a> {
        for rule in &feature.rules {
            if !self.budget.take(rule.steps as usize) {
                return Answer::without_value(Source::CyclicPrerequisite);
            }
            if O::TRACES {
                self.observer.rule_entered(rule.index as usize, &rule.id);
            }
            let outcome = self.rule(rule, frame);
            if O::TRACES {
                let verdict = self.verdict(rule, &outcome);
                self.observer.rule_left(verdict);
            }
            if let RuleOutcome::Decides(answer) = outcome {
                return answer;
            }
        }
        Answer::new(&feature.default_value, Source::DefaultValue)
    }

    fn rule(&mut self, rule: &'a Rule, frame: &Frame<'_>) -> RuleOutcome<'a> {
        let parents = rule.parents();
        let prerequisites = if parents.is_empty() {
            Prerequisites::Met
        } else {
            self.prerequisites(parents, Some(frame))
        };
        match prerequisites {
            Prerequisites::Met => {}
            // A gate decides alone: the feature has no value.
            Prerequisites::Failed(parent) if parent.gate => {
                return RuleOutcome::Decides(Answer::without_value(Source::Prerequisite));
            }
            Prerequisites::Failed(parent) => return RuleOutcome::Skips(Skip::Prerequisite(parent)),
            Prerequisites::Cyclic => {
                let source = Source::CyclicPrerequisite;
                return RuleOutcome::Decides(Answer::without_value(source));
            }
        }
        if rule.filters().is_some_and(|filters| !self.passes_filters(filters)) {
            return RuleOutcome::Skips(Skip::Filters);
        }
        let (force, rollout) = match &rule.kind {
            RuleKind::Force(force) => (&**force, None),
            RuleKind::Rollout(rule) => (&rule.force, Some(&rule.rollout)),
            RuleKind::Experiment(experiment) => return self.experiment(rule, experiment, frame),
            RuleKind::Nothing => return RuleOutcome::Skips(Skip::Nothing),
        };
        self.force(rule, force, rollout)
    }

    fn force(
        &mut self,
        rule: &'a Rule,
        force: &'a ForceRule,
        rollout: Option<&Rollout>,
    ) -> RuleOutcome<'a> {
        if let Some(condition) = &force.condition
            && !self.passes(condition)
        {
            return RuleOutcome::Skips(Skip::Condition(condition));
        }
        if let Some(rollout) = rollout
            && !self.is_included(rollout)
        {
            return RuleOutcome::Skips(Skip::Rollout);
        }
        if O::LISTENS
            && let Some(tracks) = &force.tracks
        {
            self.report_tracks(tracks);
        }
        self.last.decided(rule);
        RuleOutcome::Decides(Answer::new(&force.value, Source::Force))
    }

    /// Reports the exposures that the server decided when it evaluated the feature.
    #[inline(never)]
    fn report_tracks(&mut self, tracks: &[Track]) {
        for track in tracks {
            self.observer.experiment_viewed(&Exposure {
                experiment: &track.experiment,
                result: &track.result.as_assignment(),
                value: track.value.as_ref().map(FeatureValue::value),
            });
        }
    }

    fn is_included(&self, rollout: &Rollout) -> bool {
        let (_, value) = self.rollout_attribute(rollout);
        self.can_hash(&value)
            && rollout.bucket(&value).is_some_and(|bucket| rollout.range.contains(bucket))
    }

    pub(super) fn rollout_attribute<'r>(&self, rollout: &'r Rollout) -> (&'r str, HashValue<'a>) {
        let value = self.evaluator.hash_value_of(&rollout.hash_attribute);
        if let (HashValue::Missing, Some(fallback), Some(_)) =
            (&value, &rollout.fallback_attribute, &self.sticky)
            && let Some(found) = self.evaluator.hash_fallback(fallback)
        {
            return found;
        }
        (&rollout.hash_attribute, value)
    }

    pub(super) fn passes_filters(&self, filters: &[Filter]) -> bool {
        filters.iter().all(|filter| {
            let value = self.evaluator.hash_value_of(filter.hash_attribute());
            self.budget.take(filter.steps()) && self.can_hash(&value) && filter.passes(&value)
        })
    }

    fn experiment(
        &mut self,
        rule: &'a Rule,
        experiment: &'a ExperimentRule,
        frame: &Frame<'_>,
    ) -> RuleOutcome<'a> {
        let definition = &experiment.definition;
        // A legacy override replaces the weights, the bandit's included.
        let bandit = experiment.bandit.as_ref();
        let bandit = bandit.filter(|_| !self.evaluator.has_override(definition));
        let choice = bandit.map(|bandit| bandit.choose(|it| self.passes(it)));
        let feature = self.evaluator.snapshot.features.key(frame.feature);
        let assigned = self.assign(definition, choice, Some(feature));
        let value = experiment.variations.get(assigned.variation);
        let decides = assigned.is_in_experiment() && !assigned.is_passthrough();
        let is_exposure = assigned.is_exposure();
        if O::LISTENS
            && (is_exposure || self.observer.wants_results())
            && let Some(last) = self.last.experiment()
        {
            let result = last.assignment();
            self.report(definition, &result, value.map(FeatureValue::value));
        }
        match value {
            Some(value) if decides => {
                self.last.decided(rule);
                RuleOutcome::Decides(Answer::new(value, Source::Experiment))
            }
            _ => RuleOutcome::Skips(Skip::Experiment),
        }
    }

    /// Evaluates a prerequisite of a rare kind. Returns `None` when it is never met.
    #[inline(never)]
    fn unlinked_prerequisite(
        &mut self,
        feature: &ParentFeature,
        frame: Option<&Frame<'_>>,
    ) -> Option<Answer<'a>> {
        match feature {
            ParentFeature::Linked(index) => Some(self.feature(*index, frame)),
            ParentFeature::Named(key) => Some(self.feature_by_key(key, None, frame)),
            ParentFeature::Unknown => Some(Answer::without_value(Source::UnknownFeature)),
            ParentFeature::Never => None,
        }
    }

    #[inline(always)]
    pub(super) fn prerequisites<'p>(
        &mut self,
        parents: &'p [ParentCondition],
        frame: Option<&Frame<'_>>,
    ) -> Prerequisites<'p> {
        for parent in parents {
            let answer = match &parent.feature {
                // The rare kinds are handled out of line, which saves a branch here.
                ParentFeature::Linked(index) => self.feature(*index, frame),
                other => match self.unlinked_prerequisite(other, frame) {
                    Some(answer) => answer,
                    None => return Prerequisites::Failed(parent),
                },
            };
            if answer.source == Source::CyclicPrerequisite {
                return Prerequisites::Cyclic;
            }
            let is_met = match &parent.value {
                ParentValue::Any => true,
                ParentValue::Is(expected) => answer.value.is_bool(*expected),
                ParentValue::Meets(condition) => {
                    self.passes_with(condition, &Fields::ParentValue(answer.value.node()))
                }
            };
            if !is_met {
                return Prerequisites::Failed(parent);
            }
        }
        Prerequisites::Met
    }
}
