//! The value and source of a feature, and the parts that complete its result.

use serde::Deserialize;

use super::experiment::Assigned;
use crate::bandit::{Choice, ContextualBandit};
use crate::result::{
    Assignment, FeatureExperiment, FeatureResult, FeatureResultSource as Source, typed,
};
use crate::snapshot::Rule;
use crate::value::FeatureValue;
use crate::value_error::ValueError;

/// A feature's value, and where it comes from.
///
/// It is two words, so that it fits into registers: every level of prerequisites returns one, and
/// most callers want only the value. [`Last`] makes the whole result of it.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) value: &'a FeatureValue,
    pub(super) source: Source,
}

impl<'a> Answer<'a> {
    #[inline]
    pub(super) fn new(value: &'a FeatureValue, source: Source) -> Self {
        Answer { value, source }
    }

    #[inline]
    pub(super) fn without_value(source: Source) -> Self {
        Answer::new(FeatureValue::NULL, source)
    }

    #[inline]
    pub(super) fn is_on(self) -> bool {
        self.value.is_truthy()
    }

    /// Whether the value is truthy, unless the feature is unknown.
    #[inline]
    pub(super) fn try_is_on(self) -> Result<bool, ValueError<'a>> {
        match self.source {
            Source::UnknownFeature => Err(ValueError::UnknownFeature),
            _ => Ok(self.is_on()),
        }
    }

    /// Returns the value as the caller's type.
    #[inline]
    pub(super) fn try_value<T: Deserialize<'a>>(self) -> Result<T, ValueError<'a>> {
        typed(self.value, self.source)
    }
}

/// The rule that decided last, and the experiment that ran last. An [`Answer`] does not have them.
#[derive(Default)]
pub(super) struct Last<'a> {
    rule: Option<&'a Rule>,
    assigned: Option<Assigned<'a>>,
    /// What the bandit of that experiment chose, if it has one.
    choice: Option<Choice<'a>>,
}

impl<'a> Last<'a> {
    /// Completes the answer of the feature that was evaluated last.
    ///
    /// Invariant: call it before another feature or experiment is evaluated. Then the rule and the
    /// experiment noted here are those of the answer: a rule is noted right before its feature
    /// returns, after all prerequisites, and an experiment right before its rule. Answers of other
    /// sources have neither, and ignore what is noted.
    pub(super) fn result(&self, answer: Answer<'a>) -> FeatureResult<'a> {
        let result = FeatureResult::new(answer.value, answer.source);
        match (answer.source, self.rule, self.experiment()) {
            (Source::Force, Some(rule), _) => result.with_rule(&rule.id),
            (Source::Experiment, Some(rule), Some(experiment)) => result
                .with_rule(&rule.id)
                .with_experiment(experiment.echo(), experiment.assignment()),
            _ => result,
        }
    }

    /// Notes that a rule decides its feature.
    #[inline]
    pub(super) fn decided(&mut self, rule: &'a Rule) {
        self.rule = Some(rule);
    }

    /// Notes that an experiment ran, with what its bandit chose.
    #[inline]
    pub(super) fn ran(
        &mut self,
        assigned: Assigned<'a>,
        choice: Option<Choice<'a>>,
    ) -> &Assigned<'a> {
        self.choice = choice;
        self.assigned.insert(assigned)
    }

    /// Returns the experiment that ran last: that of the current rule, before the next one is
    /// evaluated.
    #[inline]
    pub(super) fn experiment(&self) -> Option<RuleExperiment<'_, 'a>> {
        let assigned = self.assigned.as_ref()?;
        Some(RuleExperiment { assigned, choice: self.choice.as_ref() })
    }
}

/// A rule's experiment, and how it assigned the user.
#[derive(Clone, Copy)]
pub(super) struct RuleExperiment<'l, 'a> {
    pub(super) assigned: &'l Assigned<'a>,
    choice: Option<&'l Choice<'a>>,
}

impl<'a> RuleExperiment<'_, 'a> {
    /// A bandit is reported only when hashing assigned the user.
    fn contextual_bandit(self) -> Option<ContextualBandit<'a>> {
        self.choice.filter(|_| self.assigned.is_exposure())?.bandit
    }

    pub(super) fn assignment(self) -> Assignment<'a> {
        let contextual_bandit = self.contextual_bandit();
        Assignment { contextual_bandit, ..self.assigned.assignment() }
    }

    fn echo(self) -> FeatureExperiment<'a> {
        FeatureExperiment {
            definition: self.assigned.experiment,
            weights: self.choice.and_then(|choice| choice.weights),
            contextual_bandit: self.contextual_bandit(),
        }
    }
}
