//! Experiments: whether a user takes part, and in which variation. The numbers are the steps of
//! `runExperiment` in the JavaScript SDK.

use super::feature::Prerequisites;
use super::{Evaluation, Frame};
use crate::bucket::choose_variation;
use crate::experiment::{ExperimentDefinition, ExperimentStatus};
use crate::observe::Observer;
use crate::result::{Assignment, HashValue};
use crate::url::PageUrl;

/// What decides which variation a user gets.
enum Decision {
    /// They do not take part.
    NotIncluded,
    /// Somebody chose: a query string, a forced variation, the experiment's own `force`. An
    /// index the experiment does not have means not taking part.
    Forced(i64),
    /// Their hash.
    Hashed { variation: usize, bucket: f64 },
}

impl<'a, O: Observer + ?Sized> Evaluation<'a, '_, O> {
    /// Assigns the user a variation.
    pub(super) fn assign(
        &mut self,
        experiment: &'a ExperimentDefinition,
        feature_id: Option<&'a str>,
        frame: Option<&Frame<'_>>,
    ) -> Assignment<'a> {
        let hash_value = self.evaluator.hash_value(&experiment.hash_attribute);
        let decision = self.decide(experiment, hash_value, frame);

        let (variation, in_experiment, bucket) = match decision {
            Decision::NotIncluded => (0, false, None),
            Decision::Forced(index) => match usize::try_from(index) {
                Ok(index) if index < experiment.variations => (index, true, None),
                _ => (0, false, None),
            },
            Decision::Hashed { variation, bucket } if variation < experiment.variations => {
                (variation, true, Some(bucket))
            }
            // Ranges set by hand may outnumber the variations.
            Decision::Hashed { bucket, .. } => (0, false, Some(bucket)),
        };
        let meta = experiment.meta.get(variation);
        Assignment {
            key: experiment.variation_keys.get(variation).map_or("", |key| key),
            name: meta.and_then(|meta| meta.name.as_deref()),
            feature_id,
            in_experiment,
            hash_used: bucket.is_some(),
            variation_id: variation,
            hash_attribute: &experiment.hash_attribute,
            hash_value,
            bucket,
            passthrough: meta.is_some_and(|meta| meta.passthrough),
            sticky_bucket_used: false,
        }
    }

    fn decide(
        &mut self,
        experiment: &'a ExperimentDefinition,
        hash_value: HashValue<'a>,
        frame: Option<&Frame<'_>>,
    ) -> Decision {
        let evaluator = self.evaluator;
        // 1. Fewer than two variations
        if experiment.variations < 2 {
            return Decision::NotIncluded;
        }
        // 2. Disabled
        if evaluator.overrides().any(|overrides| !overrides.enabled) {
            return Decision::NotIncluded;
        }
        // 2.6 URL targeting
        let url: Option<&PageUrl> =
            evaluator.overrides().find_map(|overrides| overrides.url.as_ref());
        if experiment.url_patterns.as_ref().is_some_and(|patterns| !patterns.matches(url)) {
            return Decision::NotIncluded;
        }
        // 3. Forced by the query string
        let from_query =
            url.and_then(|url| url.query_override(&experiment.key, experiment.variations));
        if let Some(index) = from_query.and_then(|index| i64::try_from(index).ok()) {
            return Decision::Forced(index);
        }
        // 4. Forced in code
        let forced = evaluator
            .overrides()
            .filter(|overrides| !overrides.forced_variations.is_empty())
            .find_map(|overrides| overrides.forced_variations.get(&experiment.key));
        if let Some(&index) = forced {
            return Decision::Forced(index);
        }
        // 5. A draft, or inactive
        if experiment.status == ExperimentStatus::Draft || !experiment.active {
            return Decision::NotIncluded;
        }
        // 6. Nothing to hash
        if hash_value == HashValue::Missing {
            return Decision::NotIncluded;
        }
        // 7. and 8. Not targeted
        if !self.is_targeted(experiment, hash_value, frame) {
            return Decision::NotIncluded;
        }
        // 9. The bucket, and whose it is; none with a hash version we do not know
        let Some(bucket) = experiment.hasher.as_ref().and_then(|hasher| hasher.hash(hash_value))
        else {
            return Decision::NotIncluded;
        };
        // 10. Nobody's
        let Some(variation) = choose_variation(bucket, &experiment.ranges) else {
            return Decision::NotIncluded;
        };
        // 11. Forced by the experiment itself
        if let Some(index) = experiment.force {
            return Decision::Forced(index);
        }
        // 12. QA mode, and users who skip experiments
        if evaluator
            .overrides()
            .any(|overrides| overrides.qa_mode || overrides.skip_all_experiments)
        {
            return Decision::NotIncluded;
        }
        // 12.5 Stopped
        if experiment.status == ExperimentStatus::Stopped {
            return Decision::NotIncluded;
        }
        Decision::Hashed { variation, bucket }
    }

    /// 7. Filters, else the namespace; 8. the condition; 8.05 prerequisites
    fn is_targeted(
        &mut self,
        experiment: &'a ExperimentDefinition,
        hash_value: HashValue<'a>,
        frame: Option<&Frame<'_>>,
    ) -> bool {
        let is_shared_out = match (&experiment.filters, &experiment.namespace) {
            (Some(filters), _) => self.passes_filters(filters),
            (None, Some(namespace)) => namespace.contains(hash_value),
            (None, None) => true,
        };
        is_shared_out
            && experiment.condition.as_ref().is_none_or(|it| self.evaluator.passes(it))
            && matches!(self.prerequisites(&experiment.parents, frame), Prerequisites::Met)
    }
}
