//! Legacy features that older integrations use: experiment overrides, and user groups.

use alloc::boxed::Box;

use hashbrown::HashMap;

use super::evaluator::Evaluator;
use crate::experiment::{ExperimentDefinition, ExperimentOverride};

impl Evaluator<'_> {
    pub(super) fn has_override(&self, experiment: &ExperimentDefinition) -> bool {
        self.globals
            .is_some_and(|globals| globals.experiment_overrides.contains_key(experiment.key()))
    }

    /// Returns the experiment with its override from the global context applied, if it has one.
    #[inline]
    pub(super) fn overridden(
        &self,
        experiment: &ExperimentDefinition,
    ) -> Option<Box<ExperimentDefinition>> {
        let overrides = &self.globals?.experiment_overrides;
        if overrides.is_empty() { None } else { overridden_by(overrides, experiment) }
    }

    pub(super) fn is_in_some_group(&self, groups: &[Box<str>]) -> bool {
        self.is_set(|overrides| groups.iter().any(|group| overrides.groups.contains(group)))
    }
}

fn overridden_by(
    overrides: &HashMap<Box<str>, ExperimentOverride>,
    experiment: &ExperimentDefinition,
) -> Option<Box<ExperimentDefinition>> {
    Some(Box::new(overrides.get(experiment.key())?.apply(experiment)))
}
