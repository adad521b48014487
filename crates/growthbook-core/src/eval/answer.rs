//! What an evaluation comes to on its way up: in few words, for it passes through every level of
//! prerequisites, and most callers want nothing but the value.

use super::experiment::Assigned;
use crate::bandit::{Choice, ContextualBandit};
use crate::result::{Assignment, FeatureExperiment, FeatureResult, FeatureResultSource as Source};
use crate::snapshot::Rule;
use crate::value::FeatureValue;

/// A feature's value, and what decided it.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) value: &'a FeatureValue,
    pub(super) source: Source,
    rule: Option<&'a Rule>,
}

impl<'a> Answer<'a> {
    #[inline]
    pub(super) fn new(value: &'a FeatureValue, source: Source) -> Self {
        Answer { value, source, rule: None }
    }

    #[inline]
    pub(super) fn without_value(source: Source) -> Self {
        Answer::new(FeatureValue::NULL, source)
    }

    #[inline]
    pub(super) fn of_rule(value: &'a FeatureValue, source: Source, rule: &'a Rule) -> Self {
        Answer { value, source, rule: Some(rule) }
    }

    #[inline]
    pub(super) fn is_on(self) -> bool {
        self.value.node().is_truthy()
    }

    /// The whole answer. An experiment that decided is the last one that was run.
    #[inline]
    pub(super) fn result(self, last: Option<&RuleExperiment<'a>>) -> FeatureResult<'a> {
        let rule_id = self.rule.map_or("", |rule| &rule.id);
        let result = FeatureResult::new(self.value, self.source).with_rule(rule_id);
        match last.filter(|_| self.source == Source::Experiment) {
            Some(last) => result.with_experiment(last.echo(), last.assignment()),
            None => result,
        }
    }
}

/// A rule's experiment as it went for the user.
pub(super) struct RuleExperiment<'a> {
    pub(super) assigned: Assigned<'a>,
    /// What its bandit chose, if it has one.
    pub(super) choice: Option<Choice<'a>>,
}

impl<'a> RuleExperiment<'a> {
    /// A bandit is reported where hashing decided.
    fn contextual_bandit(&self) -> Option<ContextualBandit<'a>> {
        self.choice.filter(|_| self.assigned.is_exposure())?.bandit
    }

    pub(super) fn assignment(&self) -> Assignment<'a> {
        let contextual_bandit = self.contextual_bandit();
        Assignment { contextual_bandit, ..self.assigned.assignment() }
    }

    fn echo(&self) -> FeatureExperiment<'a> {
        FeatureExperiment {
            definition: self.assigned.experiment,
            weights: self.choice.and_then(|choice| choice.weights),
            contextual_bandit: self.contextual_bandit(),
        }
    }
}
