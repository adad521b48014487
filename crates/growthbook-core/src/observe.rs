//! What happens during an evaluation, for whoever wants to know.

use serde_json::Value;

use crate::experiment::ExperimentDefinition;
use crate::result::{Assignment, FeatureResult};

/// Sees what an evaluation does, in its order. `()` sees nothing and costs nothing.
///
/// Methods run on the evaluating thread in the middle of the evaluation, under no lock of this
/// crate. They cannot change the answer.
pub trait Observer {
    /// A user took part in an experiment because of their hash: the moment to track. Also called
    /// for the experiments of prerequisites. Called every time; dropping repetitions is up to
    /// the observer.
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let _ = exposure;
    }

    /// A feature was evaluated, be it as a prerequisite of another. Not called for a value forced
    /// in code.
    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        let _ = (key, result);
    }
}

impl Observer for () {}

impl<O: Observer> Observer for &mut O {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        (**self).experiment_viewed(exposure);
    }

    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        (**self).feature_usage(key, result);
    }
}

/// That a user took part in an experiment: which, and how they were assigned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exposure<'a> {
    /// The experiment.
    pub experiment: &'a ExperimentDefinition,
    /// How the user was assigned.
    pub result: &'a Assignment<'a>,
    /// The assigned variation's value; `None` for an inline experiment, whose values may be of
    /// any type.
    pub value: Option<&'a Value>,
}
