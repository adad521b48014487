//! Legacy features that older integrations use: experiment overrides, and user groups.

use alloc::boxed::Box;

use super::evaluator::Evaluator;
use crate::experiment::{ExperimentDefinition, Overridden};

impl<'a> Evaluator<'a> {
    pub(super) fn has_override(&self, experiment: &ExperimentDefinition) -> bool {
        self.globals
            .is_some_and(|globals| globals.experiment_overrides.contains_key(experiment.key()))
    }

    /// Returns the experiment with its override from the global context, if it has one.
    #[inline]
    pub(super) fn overridden(
        &self,
        definition: &'a ExperimentDefinition,
    ) -> Option<Overridden<'a>> {
        let overrides = &self.globals?.experiment_overrides;
        if overrides.is_empty() {
            return None;
        }
        overrides.get(definition.key()).map(|by| Overridden { definition, by })
    }

    pub(super) fn is_in_some_group(&self, groups: &[Box<str>]) -> bool {
        self.is_set(|overrides| groups.iter().any(|group| overrides.groups.contains(group)))
    }
}
