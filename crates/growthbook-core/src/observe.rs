//! The trait through which a caller observes an evaluation.

use serde_json::Value;

use crate::bandit::FALLBACK_LEAF_ID;
use crate::experiment::ExperimentDefinition;
use crate::result::{Assignment, FeatureExperiment, FeatureResult};
use crate::trace::RuleVerdict;

/// Is notified of what an evaluation does, in order. `()` ignores everything and costs nothing.
///
/// The methods run on the evaluating thread, during the evaluation. This crate holds no lock then.
/// They cannot change the result.
pub trait Observer {
    /// Whether the observer traces: it is notified when features and rules are entered and left,
    /// with their verdicts. Tracing allocates. Default: false, which costs nothing.
    const TRACES: bool = false;

    /// Whether any method does anything. Default: true. When false, the evaluation prepares nothing
    /// for them.
    const LISTENS: bool = true;

    /// Is called when a user takes part in an experiment because of their hash. This is the moment
    /// to track. It is also called for the `tracks` of a rule that forces its value: exposures that
    /// a server decided.
    ///
    /// It is called for the experiments of prerequisites too. It is called every time: the observer
    /// may drop repetitions.
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let _ = exposure;
    }

    /// Whether [`experiment_ran`](Observer::experiment_ran) is called. Default: false.
    fn wants_results(&self) -> bool {
        false
    }

    /// Is called after an experiment ran, for users who take part and for excluded ones, before
    /// [`experiment_viewed`](Observer::experiment_viewed).
    fn experiment_ran(&mut self, result: &Exposure<'_>) {
        let _ = result;
    }

    /// Whether [`feature_usage`](Observer::feature_usage) is called. Default: true. When false, no
    /// result is made for prerequisites.
    fn wants_feature_usage(&self) -> bool {
        true
    }

    /// Whether [`feature_usage`](Observer::feature_usage) is also called for values forced in code.
    /// Default: false.
    fn wants_overrides(&self) -> bool {
        false
    }

    /// Is called when a feature was evaluated, also as a prerequisite of another one.
    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        let _ = (key, result);
    }

    /// With [`TRACES`](Observer::TRACES): is called before a feature is evaluated.
    fn feature_entered(&mut self, key: &str) {
        let _ = key;
    }

    /// With [`TRACES`](Observer::TRACES): is called after a feature was evaluated.
    fn feature_left(&mut self, key: &str, result: &FeatureResult<'_>) {
        let _ = (key, result);
    }

    /// With [`TRACES`](Observer::TRACES): is called before a rule is evaluated.
    fn rule_entered(&mut self, index: usize, id: &str) {
        let _ = (index, id);
    }

    /// With [`TRACES`](Observer::TRACES): is called after a rule was evaluated.
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

    fn wants_results(&self) -> bool {
        (**self).wants_results()
    }

    fn experiment_ran(&mut self, result: &Exposure<'_>) {
        (**self).experiment_ran(result);
    }

    fn wants_feature_usage(&self) -> bool {
        (**self).wants_feature_usage()
    }

    fn wants_overrides(&self) -> bool {
        (**self).wants_overrides()
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

/// The result of an experiment: which one, and how the user was assigned. In an exposure the user
/// takes part.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exposure<'a> {
    /// The experiment.
    pub experiment: &'a ExperimentDefinition,
    /// How the user was assigned.
    pub result: &'a Assignment<'a>,
    /// The assigned variation's value. `None` for an inline experiment, whose values may have any
    /// type.
    pub value: Option<&'a Value>,
}

impl<'a> Exposure<'a> {
    /// Makes an exposure that an observer did not receive, such as one of another process.
    pub fn new(
        experiment: &'a ExperimentDefinition,
        result: &'a Assignment<'a>,
        value: Option<&'a Value>,
    ) -> Self {
        Exposure { experiment, result, value }
    }

    /// Returns the experiment as a tracking call has it: with the weights that a bandit chose.
    pub(crate) fn reported_experiment(&self) -> FeatureExperiment<'a> {
        let bandit = self.result.contextual_bandit;
        FeatureExperiment {
            definition: self.experiment,
            weights: bandit
                .filter(|bandit| bandit.leaf_id != FALLBACK_LEAF_ID)
                .map(|bandit| bandit.variation_weights),
            contextual_bandit: bandit,
        }
    }

    /// Whether the user takes part because of their hash.
    pub(crate) fn is_by_hash(&self) -> bool {
        self.result.hash_used && self.result.in_experiment
    }
}
