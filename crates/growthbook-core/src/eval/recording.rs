//! The evaluator with an observer, with sticky bucketing, or with both.

use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;

use super::all::FeatureResults;
use super::evaluation::Evaluation;
use super::evaluator::Evaluator;
use crate::auto::{AutoExperiment, AutoExperimentOptions, AutoExperimentResult};
use crate::experiment::Experiment;
#[cfg(feature = "explain")]
use crate::explain::{Explainer, Explanation};
use crate::feature_key::FeatureName;
use crate::observe::Observer;
use crate::result::{ExperimentResult, FeatureResult};
use crate::sticky::StickyBuckets;
use crate::value_error::ValueError;

/// An [`Evaluator`] with an observer, with sticky bucketing, or with both.
///
/// Made by [`Evaluator::observed`] and [`Evaluator::sticky`]. It evaluates like the evaluator it is
/// made of, except that users keep the variations that their sticky bucket documents name.
pub struct RecordingEvaluator<'a, 'r, O> {
    evaluator: Evaluator<'a>,
    observer: O,
    /// The user's documents. `None` without sticky bucketing.
    buckets: Option<&'r mut StickyBuckets>,
}

impl<'a, 'r> RecordingEvaluator<'a, 'r, ()> {
    /// Adds an observer. To keep the observer, pass `&mut observer`.
    #[inline]
    #[must_use]
    pub fn observed<O: Observer>(self, observer: O) -> RecordingEvaluator<'a, 'r, O> {
        RecordingEvaluator { evaluator: self.evaluator, observer, buckets: self.buckets }
    }
}

impl<'a, 'r, O: Observer> RecordingEvaluator<'a, 'r, O> {
    #[inline]
    pub(super) fn new(
        evaluator: Evaluator<'a>,
        observer: O,
        buckets: Option<&'r mut StickyBuckets>,
    ) -> Self {
        RecordingEvaluator { evaluator, observer, buckets }
    }

    /// Adds sticky bucketing on these documents, in place of any before.
    #[inline]
    #[must_use]
    pub fn sticky<'s>(self, buckets: &'s mut StickyBuckets) -> RecordingEvaluator<'a, 's, O> {
        let RecordingEvaluator { evaluator, observer, .. } = self;
        RecordingEvaluator { evaluator, observer, buckets: Some(buckets) }
    }

    /// Like [`Evaluator::is_on`].
    #[inline]
    pub fn is_on(&mut self, key: &(impl FeatureName + ?Sized)) -> bool {
        self.evaluation().answer(key.key(), key.handle()).is_on()
    }

    /// Like [`Evaluator::is_off`].
    pub fn is_off(&mut self, key: &(impl FeatureName + ?Sized)) -> bool {
        !self.is_on(key)
    }

    /// Like [`Evaluator::feature_value`].
    pub fn feature_value<T: Deserialize<'a>>(
        &mut self,
        key: &(impl FeatureName + ?Sized),
        fallback: T,
    ) -> T {
        self.evaluation().answer(key.key(), key.handle()).value.value_or(fallback)
    }

    /// Like [`Evaluator::try_is_on`].
    ///
    /// # Errors
    ///
    /// [`ValueError::UnknownFeature`].
    pub fn try_is_on(&mut self, key: &(impl FeatureName + ?Sized)) -> Result<bool, ValueError<'a>> {
        self.evaluation().answer(key.key(), key.handle()).try_is_on()
    }

    /// Like [`Evaluator::try_feature_value`].
    ///
    /// # Errors
    ///
    /// The feature is unknown, has no value, or has a value of another type.
    pub fn try_feature_value<T: Deserialize<'a>>(
        &mut self,
        key: &(impl FeatureName + ?Sized),
    ) -> Result<T, ValueError<'a>> {
        self.evaluation().answer(key.key(), key.handle()).try_value()
    }

    /// Like [`Evaluator::eval_feature`].
    pub fn eval_feature(&mut self, key: &(impl FeatureName + ?Sized)) -> FeatureResult<'a> {
        self.evaluation().result(key.key(), key.handle())
    }

    /// Like [`Evaluator::evaluate_all`].
    pub fn evaluate_all(&mut self) -> FeatureResults<'a> {
        FeatureResults::of_all(self.evaluator.snapshot, |key| self.eval_feature(key))
    }

    /// Like [`Evaluator::run`].
    pub fn run<'e, T>(&mut self, experiment: &'e Experiment<T>) -> ExperimentResult<'e, T>
    where
        'a: 'e,
    {
        self.evaluation().inline(experiment)
    }

    /// Like [`Evaluator::run_auto_experiments`].
    pub fn run_auto_experiments(
        &mut self,
        options: &AutoExperimentOptions,
    ) -> Vec<AutoExperimentResult<'a>> {
        self.evaluation().auto_experiments(options)
    }

    /// Runs each auto experiment, whatever its kind. Returns those the user takes part in, with the
    /// index of the assigned variation.
    pub(crate) fn assign_auto_experiments(&mut self) -> Vec<(&'a AutoExperiment, usize)> {
        self.evaluation().each_auto_experiment()
    }

    pub(crate) fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Like [`Evaluator::explain`], with the user's sticky bucket documents. It records nothing:
    /// the observer is not notified, and the documents do not change.
    #[cfg(feature = "explain")]
    pub fn explain(&self, key: &(impl FeatureName + ?Sized)) -> Explanation {
        let mut explainer = Explainer::default();
        let mut buckets = self.buckets.as_deref().cloned();
        let mut evaluation = Evaluation::new(&self.evaluator, &mut explainer, buckets.as_mut());
        evaluation.answer(key.key(), key.handle());
        explainer.finish()
    }

    #[inline]
    fn evaluation<'e>(&mut self) -> Evaluation<'e, '_, O>
    where
        'a: 'e,
    {
        Evaluation::new(&self.evaluator, &mut self.observer, self.buckets.as_deref_mut())
    }
}

impl<O> fmt::Debug for RecordingEvaluator<'_, '_, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecordingEvaluator")
            .field("evaluator", &self.evaluator)
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    #[cfg(feature = "explain")]
    use alloc::string::ToString;

    use super::*;
    use crate::observe::Exposure;
    use crate::sticky::StickyBucketDocument;
    use crate::{Payload, Snapshot, UserContext};

    /// Notes the experiments that were viewed.
    #[derive(Default)]
    struct Viewed(Vec<String>);

    impl Observer for Viewed {
        fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
            self.0.push(exposure.experiment.key().into());
        }
    }

    /// Hashing assigns every user variation 1, "b".
    fn snapshot() -> Snapshot {
        let payload = r#"{"features": {"flag": {"rules": [{
            "key": "exp", "variations": [false, true], "weights": [0, 1],
            "meta": [{"key": "a"}, {"key": "b"}]
        }]}}}"#;
        Payload::from_json(payload).unwrap().compile()
    }

    /// Documents that assign a user the variation 0, "a".
    fn assigned_a() -> StickyBuckets {
        let document = r#"{"attributeName": "id", "attributeValue": "1",
            "assignments": {"exp__0": "a"}}"#;
        let document: StickyBucketDocument = serde_json::from_str(document).unwrap();
        [document].into_iter().collect()
    }

    #[test]
    fn observer_and_buckets_combine_in_either_order() {
        let (snapshot, user) = (snapshot(), UserContext::new("1"));
        let gb = snapshot.for_user(&user);
        let (mut viewed, mut buckets) = (Viewed::default(), assigned_a());
        assert!(gb.observed(&mut viewed).sticky(&mut buckets).is_off("flag"));
        assert!(gb.sticky(&mut buckets).observed(&mut viewed).is_off("flag"));
        assert!(gb.observed(&mut viewed).is_on("flag"));
        assert!(gb.sticky(&mut buckets).is_off("flag"));
        assert_eq!(viewed.0, ["exp", "exp", "exp"]);
    }

    #[test]
    fn every_method_keeps_sticky_assignments() {
        let (snapshot, user) = (snapshot(), UserContext::new("1"));
        let mut buckets = assigned_a();
        let mut gb = snapshot.for_user(&user).sticky(&mut buckets);
        assert!(!gb.is_on("flag"));
        assert!(!gb.feature_value("flag", true));
        assert!(gb.eval_feature("flag").off);
        assert!(gb.evaluate_all().get("flag").unwrap().off);
        #[cfg(feature = "explain")]
        {
            assert_eq!(gb.explain("flag").value, false);
            assert!(gb.explain("flag").to_string().ends_with(", kept"));
        }
    }

    #[cfg(feature = "explain")]
    #[test]
    fn explain_records_nothing() {
        let (snapshot, user) = (snapshot(), UserContext::new("1"));
        let (mut viewed, mut buckets) = (Viewed::default(), StickyBuckets::new());
        let gb = snapshot.for_user(&user).observed(&mut viewed).sticky(&mut buckets);
        assert_eq!(gb.explain("flag").value, true);
        assert!(viewed.0.is_empty());
        assert!(buckets.take_changed().is_empty());
    }
}
