//! The evaluator: answers for one user on one snapshot, without side effects.

use core::fmt;

use serde::Deserialize;

use super::answer::Answer;
use super::evaluation::Evaluation;
use super::recording::RecordingEvaluator;
use crate::attributes::{AttributeLookup, AttributeSource};
use crate::budget::Budget;
use crate::condition::{self, Condition, Fields};
use crate::experiment::Experiment;
#[cfg(feature = "explain")]
use crate::explain::{Explainer, Explanation};
use crate::feature_key::{FeatureKey, FeatureName};
use crate::observe::Observer;
use crate::result::{ExperimentResult, FeatureResult};
use crate::snapshot::Snapshot;
use crate::sticky::StickyBuckets;
use crate::user::{GlobalContext, NOBODY, Overrides, UserContext};
use crate::value_error::ValueError;

/// Evaluates features and experiments of one [`Snapshot`] for one user.
///
/// Evaluating takes `&self`, does no IO, takes no lock, never panics and has no side effects.
/// Results borrow from the snapshot and the user.
///
/// [`observed`](Evaluator::observed) and [`sticky`](Evaluator::sticky) add an observer and sticky
/// bucketing, in any order:
///
/// ```
/// use growthbook_core::{Payload, UserContext};
/// use growthbook_core::observe::{Exposure, Observer};
/// use growthbook_core::sticky::StickyBuckets;
///
/// struct Printer;
/// impl Observer for Printer {
///     fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
///         println!("{} {}", exposure.experiment.key(), exposure.result.variation_id);
///     }
/// }
///
/// let snapshot = Payload::from_json(r#"{"features": {
///     "checkout": {"rules": [{"variations": [false, true]}]}
/// }}"#)?.compile();
/// let user = UserContext::new("user-1");
/// let mut buckets = StickyBuckets::new();
/// let mut gb = snapshot.for_user(&user).observed(Printer).sticky(&mut buckets);
/// let is_on = gb.is_on("checkout");
/// assert_eq!(buckets.take_changed().len(), 1);
/// # Ok::<(), growthbook_core::PayloadError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Evaluator<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) globals: Option<&'a GlobalContext>,
    user: &'a UserContext,
    pub(super) attributes: AttributeLookup<'a>,
    /// Whether the user or the application has any settings. Most have none.
    has_settings: bool,
}

impl Snapshot {
    /// Evaluates for a user, without a global context.
    pub fn for_user<'a>(&'a self, user: &'a UserContext) -> Evaluator<'a> {
        Evaluator::new(self, None, user)
    }

    /// Evaluates for a user, with a global context. It has the attributes and settings that the user
    /// does not have.
    pub fn for_user_with<'a>(
        &'a self,
        globals: &'a GlobalContext,
        user: &'a UserContext,
    ) -> Evaluator<'a> {
        Evaluator::new(self, Some(globals), user)
    }

    /// Evaluates for a user whose attributes are a type of yours, without a global context.
    /// [`Evaluator::with_source`] adds one to a user who has other settings as well.
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

    /// Evaluates with an observer, which is notified of each step. To keep the observer, pass
    /// `&mut observer`.
    #[inline]
    #[must_use]
    pub fn observed<'r, O: Observer>(self, observer: O) -> RecordingEvaluator<'a, 'r, O> {
        RecordingEvaluator::new(self, observer, None)
    }

    /// Evaluates with sticky bucketing on these documents of the user. Users keep the variations
    /// that the documents name, and new assignments are added to them.
    /// [`StickyBuckets::take_changed`] returns what to store.
    #[inline]
    #[must_use]
    pub fn sticky<'r>(self, buckets: &'r mut StickyBuckets) -> RecordingEvaluator<'a, 'r, ()> {
        RecordingEvaluator::new(self, (), Some(buckets))
    }

    /// Whether a feature's value is truthy in JavaScript's sense: not null, false, 0 or "".
    #[inline]
    pub fn is_on(&self, key: &(impl FeatureName + ?Sized)) -> bool {
        self.answer(key.key(), key.handle()).is_on()
    }

    /// The opposite of [`is_on`](Evaluator::is_on).
    pub fn is_off(&self, key: &(impl FeatureName + ?Sized)) -> bool {
        !self.is_on(key)
    }

    /// Returns a feature's value as the fallback's type: a boolean, number, `&str`, `String`, or
    /// anything that implements `serde::Deserialize`. Returns the fallback when the feature is
    /// unknown, has no value, or has a value of another type. A whole number is an integer, even if
    /// the payload has `17.0`.
    pub fn feature_value<T: Deserialize<'a>>(
        &self,
        key: &(impl FeatureName + ?Sized),
        fallback: T,
    ) -> T {
        self.answer(key.key(), key.handle()).value.value_or(fallback)
    }

    /// Like [`is_on`](Evaluator::is_on), for a caller that distinguishes an unknown feature.
    ///
    /// # Errors
    ///
    /// [`ValueError::UnknownFeature`]. A feature without a value is off.
    #[inline]
    pub fn try_is_on(&self, key: &(impl FeatureName + ?Sized)) -> Result<bool, ValueError<'a>> {
        self.answer(key.key(), key.handle()).try_is_on()
    }

    /// Like [`feature_value`](Evaluator::feature_value), for a caller that distinguishes why there is
    /// no value.
    ///
    /// # Errors
    ///
    /// The feature is unknown, has no value, or has a value of another type.
    #[inline]
    pub fn try_feature_value<T: Deserialize<'a>>(
        &self,
        key: &(impl FeatureName + ?Sized),
    ) -> Result<T, ValueError<'a>> {
        self.answer(key.key(), key.handle()).try_value()
    }

    /// Evaluates a feature. An unknown feature has the value null and the source
    /// [`UnknownFeature`](crate::FeatureResultSource::UnknownFeature).
    pub fn eval_feature(&self, key: &(impl FeatureName + ?Sized)) -> FeatureResult<'a> {
        self.result(key.key(), key.handle())
    }

    /// Runs an inline experiment.
    pub fn run<'e, T>(&self, experiment: &'e Experiment<T>) -> ExperimentResult<'e, T>
    where
        'a: 'e,
    {
        Evaluation::new(self, &mut (), None).inline(experiment)
    }

    /// Evaluates a feature and explains its value: every rule in order, and what it did. It runs the
    /// same code as [`eval_feature`](Evaluator::eval_feature), with an observer.
    ///
    /// The explanation holds attribute values. Show it only to people who may see the user's data.
    #[cfg(feature = "explain")]
    pub fn explain(&self, key: &(impl FeatureName + ?Sized)) -> Explanation {
        let mut explainer = Explainer::default();
        self.observed(&mut explainer).is_on(key);
        explainer.finish()
    }

    /// Returns the number of steps that an evaluation of the feature takes, out of
    /// [`MAX_EVALUATION_STEPS`](crate::limits::MAX_EVALUATION_STEPS). The evaluations of usual
    /// features take less than 100.
    pub fn count_steps(&self, key: &(impl FeatureName + ?Sized)) -> usize {
        let mut observer = ();
        let mut evaluation = Evaluation::new(self, &mut observer, None);
        evaluation.answer(key.key(), key.handle());
        evaluation.budget.spent()
    }

    /// Whether the user passes a condition, with the snapshot's saved groups.
    pub fn eval_condition(&self, condition: &Condition) -> bool {
        let groups = &self.snapshot.saved_groups;
        let fields = Fields::Attributes(&self.attributes);
        condition::passes(condition.clauses(), &fields, groups, &Budget::default())
    }

    // The next two are not generic, so that evaluation without an observer is compiled only once,
    // in this crate.

    fn answer(&self, key: &str, handle: Option<&FeatureKey>) -> Answer<'a> {
        Evaluation::new(self, &mut (), None).answer(key, handle)
    }

    fn result(&self, key: &str, handle: Option<&FeatureKey>) -> FeatureResult<'a> {
        Evaluation::new(self, &mut (), None).result(key, handle)
    }

    /// Looks a setting up in the user's settings, then in the global ones.
    #[inline(always)]
    pub(super) fn setting<T>(&self, find: impl Fn(&'a Overrides) -> Option<T>) -> Option<T> {
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

    /// Whether the user's settings or the global ones pass a test.
    #[inline]
    pub(super) fn is_set(&self, test: impl Fn(&Overrides) -> bool) -> bool {
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
