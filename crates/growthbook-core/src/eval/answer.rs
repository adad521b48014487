//! What an evaluation comes to on its way up: two words, which fit into registers, for it passes
//! through every level of prerequisites, and most callers want nothing but the value.

use super::experiment::Assigned;
use crate::bandit::{Choice, ContextualBandit};
use crate::result::{Assignment, FeatureExperiment, FeatureResult, FeatureResultSource as Source};
use crate::snapshot::Rule;
use crate::value::FeatureValue;

/// A feature's value, and where it comes from.
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

    /// The whole answer.
    pub(super) fn result(self, last: &Last<'a>) -> FeatureResult<'a> {
        let result = FeatureResult::new(self.value, self.source);
        match (self.source, last.rule, last.experiment()) {
            (Source::Force, Some(rule), _) => result.with_rule(&rule.id),
            (Source::Experiment, Some(rule), Some(experiment)) => result
                .with_rule(&rule.id)
                .with_experiment(experiment.echo(), experiment.assignment()),
            _ => result,
        }
    }
}

/// What an evaluation met last. When a feature is decided by a rule, that is the last one that
/// decided, and when by an experiment, that is the last one that was run: its prerequisites came
/// before.
#[derive(Default)]
pub(super) struct Last<'a> {
    pub(super) rule: Option<&'a Rule>,
    pub(super) assigned: Option<Assigned<'a>>,
    /// What the bandit of that experiment chose, if it has one.
    pub(super) choice: Option<Choice<'a>>,
}

impl<'a> Last<'a> {
    #[inline]
    pub(super) fn experiment(&self) -> Option<RuleExperiment<'_, 'a>> {
        let assigned = self.assigned.as_ref()?;
        Some(RuleExperiment { assigned, choice: self.choice.as_ref() })
    }
}

/// A rule's experiment as it went for the user.
#[derive(Clone, Copy)]
pub(super) struct RuleExperiment<'l, 'a> {
    pub(super) assigned: &'l Assigned<'a>,
    choice: Option<&'l Choice<'a>>,
}

impl<'a> RuleExperiment<'_, 'a> {
    /// A bandit is reported where hashing decided.
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
