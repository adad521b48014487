//! Evaluation: a walk over the snapshot for one user.

mod experiment;
mod feature;
mod hash_attribute;

use serde::Deserialize;
use serde_json::Value;

use crate::attributes::Attributes;
use crate::condition::{self, Clauses, Condition, Fields};
use crate::experiment::Experiment;
use crate::observe::Observer;
use crate::result::{ExperimentResult, FeatureResult};
use crate::snapshot::{FeatureIndex, Snapshot};
use crate::user::{GlobalContext, Overrides, UserContext};

/// How many prerequisites may follow one another. A feature on top of a longer chain has no
/// value, as in a cycle, and its snapshot a [`Warning`](crate::Warning).
pub const MAX_PREREQUISITE_DEPTH: u32 = 64;
/// How many features one evaluation may look at, counted with repetitions: prerequisites can be
/// arranged so that their number doubles with every level.
const MAX_FEATURE_EVALUATIONS: u32 = 10_000;

static NO_ATTRIBUTES: Attributes = Attributes::new();

/// Evaluates features and experiments of one [`Snapshot`] for one user.
///
/// Evaluating takes `&self`, does no IO, takes no lock and never panics; without an observer it
/// has no side effects. Answers borrow from the snapshot and the user.
#[derive(Clone, Copy, Debug)]
pub struct Evaluator<'a> {
    snapshot: &'a Snapshot,
    globals: Option<&'a GlobalContext>,
    user: &'a UserContext,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        globals: Option<&'a GlobalContext>,
        user: &'a UserContext,
    ) -> Self {
        Evaluator { snapshot, globals, user }
    }

    /// Evaluates a feature. An unknown one has the value null and says so in its source.
    pub fn eval_feature(&self, key: &str) -> FeatureResult<'a> {
        self.eval_feature_observed(key, &mut ())
    }

    /// Evaluates a feature and shows an observer what happens.
    pub fn eval_feature_observed<O: Observer + ?Sized>(
        &self,
        key: &str,
        observer: &mut O,
    ) -> FeatureResult<'a> {
        Evaluation::new(*self, observer).feature_by_key(key, None)
    }

    /// Whether a feature's value is truthy in JavaScript's sense.
    pub fn is_on(&self, key: &str) -> bool {
        self.eval_feature(key).on
    }

    /// The opposite of [`is_on`](Evaluator::is_on).
    pub fn is_off(&self, key: &str) -> bool {
        self.eval_feature(key).off
    }

    /// A feature's value as the fallback's type: a boolean, number, `&str`, `String`, or anything
    /// that implements `serde::Deserialize`. The fallback when the feature is unknown, has no
    /// value, or one of another type.
    pub fn feature_value<T: Deserialize<'a>>(&self, key: &str, fallback: T) -> T {
        self.eval_feature(key).value_or(fallback)
    }

    /// Runs an inline experiment.
    pub fn run<'e, T>(&self, experiment: &'e Experiment<T>) -> ExperimentResult<'e, T>
    where
        'a: 'e,
    {
        self.run_observed(experiment, &mut ())
    }

    /// Runs an inline experiment and shows an observer what happens.
    pub fn run_observed<'e, T, O: Observer + ?Sized>(
        &self,
        experiment: &'e Experiment<T>,
        observer: &mut O,
    ) -> ExperimentResult<'e, T>
    where
        'a: 'e,
    {
        let evaluator: Evaluator<'e> = *self;
        let definition = experiment.definition();
        let mut evaluation = Evaluation::new(evaluator, observer);
        let assignment = evaluation.assign(definition, None, None);
        let value = experiment.value(assignment.variation_id);
        if assignment.hash_used && assignment.in_experiment {
            evaluation.exposed(definition, &assignment, None);
        }
        ExperimentResult { value, assignment }
    }

    /// Whether the user passes a condition, with the snapshot's saved groups.
    pub fn eval_condition(&self, condition: &Condition) -> bool {
        self.passes(condition.clauses())
    }

    fn passes(&self, clauses: &Clauses) -> bool {
        condition::passes(clauses, self.attributes(), &self.snapshot.saved_groups)
    }

    fn attributes(&self) -> Fields<'a> {
        Fields::Attributes {
            user: self.user.attributes(),
            global: self.globals.map_or(&NO_ATTRIBUTES, GlobalContext::global_attributes),
        }
    }

    /// The user's settings, then the global ones.
    fn overrides(&self) -> impl Iterator<Item = &'a Overrides> + use<'a> {
        [Some(&self.user.overrides), self.globals.map(|globals| &globals.overrides)]
            .into_iter()
            .flatten()
    }
}

/// One evaluation under way.
struct Evaluation<'a, 'o, O: ?Sized> {
    evaluator: Evaluator<'a>,
    observer: &'o mut O,
    feature_evaluations: u32,
}

/// The features being evaluated on the way here, innermost first: where a feature turns up again
/// among its own prerequisites.
struct Frame<'f> {
    feature: FeatureIndex,
    outer: Option<&'f Frame<'f>>,
    depth: u32,
}

impl<'f> Frame<'f> {
    /// `None` in a cycle, or too deep.
    fn enter(feature: FeatureIndex, outer: Option<&'f Frame<'f>>) -> Option<Self> {
        let depth = outer.map_or(0, |frame| frame.depth + 1);
        let mut frame = outer;
        while let Some(entered) = frame {
            if entered.feature == feature {
                return None;
            }
            frame = entered.outer;
        }
        (depth <= MAX_PREREQUISITE_DEPTH).then_some(Frame { feature, outer, depth })
    }
}

impl<'a, 'o, O: Observer + ?Sized> Evaluation<'a, 'o, O> {
    fn new(evaluator: Evaluator<'a>, observer: &'o mut O) -> Self {
        Evaluation { evaluator, observer, feature_evaluations: 0 }
    }

    fn exposed(
        &mut self,
        experiment: &crate::experiment::ExperimentDefinition,
        result: &crate::result::Assignment<'_>,
        value: Option<&Value>,
    ) {
        self.observer.experiment_viewed(&crate::observe::Exposure { experiment, result, value });
    }
}
