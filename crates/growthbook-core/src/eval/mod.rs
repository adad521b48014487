//! Evaluation: a walk over the snapshot for one user.

mod all;
mod answer;
mod auto;
mod experiment;
mod feature;
mod hash_attribute;
mod legacy;
mod sticky;
mod verdict;

use core::fmt;

use serde::Deserialize;
use serde_json::Value;

pub use all::FeatureResults;
use answer::{Answer, Last};
pub use sticky::StickyEvaluator;

use crate::attributes::{AttributeLookup, AttributeSource};
use crate::condition::{self, Budget, Clauses, Condition, Fields};
use crate::experiment::{Experiment, ExperimentDefinition};
use crate::feature_key::{FeatureKey, FeatureName};
use crate::limits::MAX_PREREQUISITE_DEPTH;
use crate::observe::{Exposure, Observer};
use crate::result::{Assignment, ExperimentResult, FeatureResult};
use crate::snapshot::{FeatureIndex, Snapshot};
use crate::sticky::StickyBuckets;
use crate::user::{GlobalContext, NOBODY, Overrides, UserContext};

/// Evaluates features and experiments of one [`Snapshot`] for one user.
///
/// Evaluating takes `&self`, does no IO, takes no lock and never panics; without an observer it
/// has no side effects. Answers borrow from the snapshot and the user.
#[derive(Clone, Copy)]
pub struct Evaluator<'a> {
    snapshot: &'a Snapshot,
    globals: Option<&'a GlobalContext>,
    user: &'a UserContext,
    attributes: AttributeLookup<'a>,
    /// Whether the user or the application has settings at all; most have none.
    has_settings: bool,
}

impl Snapshot {
    /// Evaluates for a user, with no global context.
    pub fn for_user<'a>(&'a self, user: &'a UserContext) -> Evaluator<'a> {
        Evaluator::new(self, None, user)
    }

    /// Evaluates for a user, with a global context behind them.
    pub fn for_user_with<'a>(
        &'a self,
        globals: &'a GlobalContext,
        user: &'a UserContext,
    ) -> Evaluator<'a> {
        Evaluator::new(self, Some(globals), user)
    }

    /// Evaluates for a user whose attributes are a type of yours, with no global context.
    /// [`Evaluator::with_source`] adds one to a user with settings of their own.
    pub fn for_source<'a>(&'a self, source: &'a dyn AttributeSource) -> Evaluator<'a> {
        Evaluator::new(self, None, &NOBODY).with_source(source)
    }
}

impl<'a> Evaluator<'a> {
    fn new(
        snapshot: &'a Snapshot,
        globals: Option<&'a GlobalContext>,
        user: &'a UserContext,
    ) -> Self {
        Evaluator {
            snapshot,
            globals,
            user,
            attributes: AttributeLookup {
                source: None,
                user: user.attributes(),
                global: globals.map(GlobalContext::global_attributes),
            },
            has_settings: user.overrides.is_some()
                || globals.is_some_and(|globals| globals.overrides.is_some()),
        }
    }

    /// Looks for attributes in `source` first, then among the user's own and the global ones.
    #[must_use]
    pub fn with_source(mut self, source: &'a dyn AttributeSource) -> Self {
        self.attributes.source = Some(source);
        self
    }

    /// Evaluates a feature. An unknown one has the value null and says so in its source.
    pub fn eval_feature(&self, key: &(impl FeatureName + ?Sized)) -> FeatureResult<'a> {
        self.silent_result(key.key(), key.handle())
    }

    /// Evaluates a feature and shows an observer what happens.
    pub fn eval_feature_observed<O: Observer>(
        &self,
        key: &(impl FeatureName + ?Sized),
        observer: &mut O,
    ) -> FeatureResult<'a> {
        Evaluation::new(self, observer).result_of(key.key(), key.handle())
    }

    /// Whether a feature's value is truthy in JavaScript's sense.
    #[inline]
    pub fn is_on(&self, key: &(impl FeatureName + ?Sized)) -> bool {
        self.silent_answer(key.key(), key.handle()).is_on()
    }

    /// Whether a feature's value is truthy, and shows an observer what happens.
    pub fn is_on_observed<O: Observer>(
        &self,
        key: &(impl FeatureName + ?Sized),
        observer: &mut O,
    ) -> bool {
        Evaluation::new(self, observer).feature_by_key(key.key(), key.handle(), None).is_on()
    }

    /// The opposite of [`is_on`](Evaluator::is_on).
    pub fn is_off(&self, key: &(impl FeatureName + ?Sized)) -> bool {
        !self.is_on(key)
    }

    /// A feature's value as the fallback's type: a boolean, number, `&str`, `String`, or anything
    /// that implements `serde::Deserialize`. The fallback when the feature is unknown, has no
    /// value, or one of another type.
    pub fn feature_value<T: Deserialize<'a>>(
        &self,
        key: &(impl FeatureName + ?Sized),
        fallback: T,
    ) -> T {
        self.silent_answer(key.key(), key.handle()).value.value_or(fallback)
    }

    /// A feature's value as the fallback's type, and shows an observer what happens.
    pub fn feature_value_observed<T: Deserialize<'a>, O: Observer>(
        &self,
        key: &(impl FeatureName + ?Sized),
        fallback: T,
        observer: &mut O,
    ) -> T {
        let answer = Evaluation::new(self, observer).feature_by_key(key.key(), key.handle(), None);
        answer.value.value_or(fallback)
    }

    // Not generic, so that evaluation is compiled once, in this crate, for whoever only asks.

    fn silent_answer(&self, key: &str, handle: Option<&FeatureKey>) -> Answer<'a> {
        Evaluation::new(self, &mut ()).feature_by_key(key, handle, None)
    }

    fn silent_result(&self, key: &str, handle: Option<&FeatureKey>) -> FeatureResult<'a> {
        Evaluation::new(self, &mut ()).result_of(key, handle)
    }

    /// Runs an inline experiment.
    pub fn run<'e, T>(&self, experiment: &'e Experiment<T>) -> ExperimentResult<'e, T>
    where
        'a: 'e,
    {
        self.run_observed(experiment, &mut ())
    }

    /// Runs an inline experiment and shows an observer what happens.
    pub fn run_observed<'e, T, O: Observer>(
        &self,
        experiment: &'e Experiment<T>,
        observer: &mut O,
    ) -> ExperimentResult<'e, T>
    where
        'a: 'e,
    {
        Evaluation::new(self, observer).inline(experiment)
    }

    /// Whether the user passes a condition, with the snapshot's saved groups.
    pub fn eval_condition(&self, condition: &Condition) -> bool {
        let groups = &self.snapshot.saved_groups;
        let fields = Fields::Attributes(&self.attributes);
        condition::passes(condition.clauses(), &fields, groups, &Budget::default())
    }

    /// What `find` finds in the user's settings, else in the global ones.
    #[inline(always)]
    fn setting<T>(&self, find: impl Fn(&'a Overrides) -> Option<T>) -> Option<T> {
        if self.has_settings { self.find_setting(find) } else { None }
    }

    #[inline(never)]
    fn find_setting<T>(&self, find: impl Fn(&'a Overrides) -> Option<T>) -> Option<T> {
        if let Some(own) = &self.user.overrides
            && let Some(found) = find(own)
        {
            return Some(found);
        }
        find(self.globals?.overrides.as_deref()?)
    }

    /// Whether it is so in the user's settings or in the global ones.
    #[inline]
    fn is_set(&self, test: impl Fn(&Overrides) -> bool) -> bool {
        self.setting(|overrides| test(overrides).then_some(())).is_some()
    }
}

impl fmt::Debug for Evaluator<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Evaluator")
            .field("snapshot", self.snapshot)
            .field("user", self.user)
            .finish_non_exhaustive()
    }
}

/// One evaluation under way.
struct Evaluation<'a, 'o, O> {
    evaluator: &'o Evaluator<'a>,
    observer: &'o mut O,
    /// The user's documents, with sticky bucketing.
    sticky: Option<&'o mut StickyBuckets>,
    feature_evaluations: u32,
    rule_evaluations: u32,
    conditions: Budget,
    last: Last<'a>,
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

impl<'a, 'o, O: Observer> Evaluation<'a, 'o, O> {
    fn new(evaluator: &'o Evaluator<'a>, observer: &'o mut O) -> Self {
        Evaluation {
            evaluator,
            observer,
            sticky: None,
            feature_evaluations: 0,
            rule_evaluations: 0,
            conditions: Budget::default(),
            last: Last::default(),
        }
    }

    fn result_of(mut self, key: &str, handle: Option<&FeatureKey>) -> FeatureResult<'a> {
        let answer = self.feature_by_key(key, handle, None);
        self.result(answer)
    }

    fn result(&self, answer: Answer<'a>) -> FeatureResult<'a> {
        answer.result(&self.last)
    }

    /// Starts counting anew, for the next of several evaluations.
    fn reset_limits(&mut self) {
        self.feature_evaluations = 0;
        self.rule_evaluations = 0;
        self.conditions = Budget::default();
    }

    /// Whether the user passes a condition.
    fn passes(&self, clauses: &Clauses) -> bool {
        self.passes_with(clauses, &Fields::Attributes(&self.evaluator.attributes))
    }

    fn passes_with(&self, clauses: &Clauses, fields: &Fields<'_>) -> bool {
        let groups = &self.evaluator.snapshot.saved_groups;
        condition::passes(clauses, fields, groups, &self.conditions)
    }

    fn inline<T>(mut self, experiment: &'a Experiment<T>) -> ExperimentResult<'a, T> {
        let definition = experiment.definition();
        let assignment = self.assign(definition, None, None).assignment();
        let value = experiment.value(assignment.variation_id);
        self.report(definition, &assignment, None);
        ExperimentResult { value, assignment }
    }

    /// Reports an assignment that hashing decided.
    fn report(
        &mut self,
        experiment: &ExperimentDefinition,
        result: &Assignment<'_>,
        value: Option<&Value>,
    ) {
        if result.hash_used && result.in_experiment {
            self.observer.experiment_viewed(&Exposure { experiment, result, value });
        }
    }
}
