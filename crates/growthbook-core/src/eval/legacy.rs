//! What older integrations still use: overrides of experiments, and groups of users.

use alloc::boxed::Box;

use super::Evaluator;
use crate::experiment::ExperimentDefinition;

impl Evaluator<'_> {
    pub(super) fn has_override(&self, experiment: &ExperimentDefinition) -> bool {
        self.globals
            .is_some_and(|globals| globals.experiment_overrides.contains_key(experiment.key()))
    }

    /// The experiment with the global context's override laid over it, if there is one.
    pub(super) fn overridden(
        &self,
        experiment: &ExperimentDefinition,
    ) -> Option<Box<ExperimentDefinition>> {
        let overrides = &self.globals?.experiment_overrides;
        if overrides.is_empty() {
            return None;
        }
        Some(Box::new(overrides.get(experiment.key())?.apply(experiment)))
    }

    pub(super) fn is_in_some_group(&self, groups: &[Box<str>]) -> bool {
        self.is_set(|overrides| groups.iter().any(|group| overrides.groups.contains(group)))
    }
}
