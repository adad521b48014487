//! What happens during an evaluation, for whoever wants to know.

use serde_json::Value;

use crate::experiment::ExperimentDefinition;
use crate::result::{Assignment, FeatureResult};
use crate::trace::RuleVerdict;

/// Sees what an evaluation does, in its order. `()` sees nothing and costs nothing.
///
/// Methods run on the evaluating thread in the middle of the evaluation, under no lock of this
/// crate. They cannot change the answer.
pub trait Observer {
    /// Whether the evaluation reports its steps as well: features and rules entered and left,
    /// with their verdicts. That costs allocations, and nothing when false.
    const TRACES: bool = false;

    /// Whether any of the methods is of interest. When false, nothing is put together for them.
    const LISTENS: bool = true;

    /// A user took part in an experiment because of their hash: the moment to track. Also called
    /// for the experiments of prerequisites. Called every time; dropping repetitions is up to
    /// the observer.
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let _ = exposure;
    }

    /// Whether [`feature_usage`](Observer::feature_usage) is to be called. Default: true. When
    /// false, no whole answer is put together for every prerequisite.
    fn wants_feature_usage(&self) -> bool {
        true
    }

    /// A feature was evaluated, be it as a prerequisite of another. Not called for a value forced
    /// in code.
    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        let _ = (key, result);
    }

    /// With [`TRACES`](Observer::TRACES): a feature is about to be evaluated.
    fn feature_entered(&mut self, key: &str) {
        let _ = key;
    }

    /// With [`TRACES`](Observer::TRACES): a feature was evaluated.
    fn feature_left(&mut self, key: &str, result: &FeatureResult<'_>) {
        let _ = (key, result);
    }

    /// With [`TRACES`](Observer::TRACES): a rule is about to be evaluated.
    fn rule_entered(&mut self, index: usize, id: &str) {
        let _ = (index, id);
    }

    /// With [`TRACES`](Observer::TRACES): a rule was evaluated.
    fn rule_left(&mut self, verdict: RuleVerdict) {
        let _ = verdict;
    }
}

impl Observer for () {
    const LISTENS: bool = false;
}

impl<O: Observer> Observer for &mut O {
    const TRACES: bool = O::TRACES;
    const LISTENS: bool = O::LISTENS;

    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        (**self).experiment_viewed(exposure);
    }

    fn wants_feature_usage(&self) -> bool {
        (**self).wants_feature_usage()
    }

    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        (**self).feature_usage(key, result);
    }

    fn feature_entered(&mut self, key: &str) {
        (**self).feature_entered(key);
    }

    fn feature_left(&mut self, key: &str, result: &FeatureResult<'_>) {
        (**self).feature_left(key, result);
    }

    fn rule_entered(&mut self, index: usize, id: &str) {
        (**self).rule_entered(index, id);
    }

    fn rule_left(&mut self, verdict: RuleVerdict) {
        (**self).rule_left(verdict);
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
