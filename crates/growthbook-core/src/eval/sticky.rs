//! Sticky bucketing during an evaluation: looks assignments up and adds new ones.

use alloc::vec::Vec;

use super::evaluation::Evaluation;
use super::evaluator::Evaluator;
use super::experiment::HashedAttribute;
use crate::budget::Budget;
use crate::experiment::{DEFAULT_HASH_ATTRIBUTE, Experiment, ExperimentDefinition};
use crate::observe::Observer;
use crate::sorting::sort_by;
use crate::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};

impl Evaluator<'_> {
    /// Returns the keys of the documents that evaluating this user's features may read: one for
    /// each attribute that an experiment of the snapshot hashes, and that the user has.
    pub fn sticky_keys(&self) -> Vec<StickyBucketKey> {
        self.keys_of(self.snapshot.sticky_attributes.iter().map(|name| &**name))
    }

    /// Returns the keys of the documents that running this inline experiment may read.
    pub fn sticky_keys_of<T>(&self, experiment: &Experiment<T>) -> Vec<StickyBucketKey> {
        self.keys_of(experiment.definition().sticky_attributes())
    }

    fn keys_of<'n>(&self, attributes: impl Iterator<Item = &'n str>) -> Vec<StickyBucketKey> {
        let mut keys: Vec<StickyBucketKey> = attributes
            .filter_map(|name| StickyBucketKey::new(name, self.hash_value(name)))
            .collect();
        sort_by(&mut keys, StickyBucketKey::cmp);
        keys.dedup();
        keys
    }

    /// Returns the index of the variation that the user's documents name for an experiment. It does
    /// not evaluate or assign.
    pub fn sticky_assignment(
        &self,
        experiment: &ExperimentDefinition,
        buckets: &StickyBuckets,
    ) -> Option<usize> {
        match self.kept(experiment, buckets, &Budget::default()) {
            Kept::Variation(variation) => Some(variation),
            Kept::Blocked | Kept::Nothing => None,
        }
    }

    fn kept(
        &self,
        experiment: &ExperimentDefinition,
        buckets: &StickyBuckets,
        budget: &Budget,
    ) -> Kept {
        let document = |attribute| buckets.of(attribute, self.hash_value(attribute));
        let fallback = experiment.fallback_attribute().unwrap_or(DEFAULT_HASH_ATTRIBUTE);
        let documents = [document(&experiment.hash_attribute), document(fallback)];
        let documents = || documents.into_iter().flatten();

        let min_version = experiment.sticky().min_bucket_version;
        let is_old = |key: &str| {
            experiment.assigned_version(key).is_some_and(|version| version < min_version)
        };
        // A user who has too many assignments to check is kept out.
        let has_old = |document: &StickyBucketDocument| {
            document.assignments.keys().any(|key| !budget.take(1) || is_old(key))
        };
        if min_version > 0.0 && documents().any(has_old) {
            return Kept::Blocked;
        }
        let sticky_key = experiment.sticky_key();
        let assigned = documents().find_map(|it| it.assignments.get(&*sticky_key));
        let variation = assigned.and_then(|assigned| {
            experiment.meta.iter().position(|meta| meta.key.as_ref() == Some(assigned))
        });
        variation.map_or(Kept::Nothing, Kept::Variation)
    }
}

/// The assignment that a user's documents hold for an experiment.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    /// The user keeps this variation.
    Variation(usize),
    /// There is an assignment of a version below the minimum. It keeps the user out.
    Blocked,
    /// There is no assignment.
    Nothing,
}

impl<O: Observer> Evaluation<'_, '_, O> {
    pub(super) fn is_sticky(&self, experiment: &ExperimentDefinition) -> bool {
        self.sticky.is_some() && !experiment.sticky().disabled
    }

    #[inline]
    pub(super) fn kept_assignment(&self, experiment: &ExperimentDefinition) -> Kept {
        match &self.sticky {
            Some(buckets) if !experiment.sticky().disabled => {
                self.evaluator.kept(experiment, buckets, &self.budget)
            }
            _ => Kept::Nothing,
        }
    }

    /// Adds an assignment to the document of the attribute that was hashed.
    pub(super) fn keep_assignment(
        &mut self,
        experiment: &ExperimentDefinition,
        hash_attribute: HashedAttribute<'_>,
        variation_key: &str,
    ) {
        let key = StickyBucketKey::new(hash_attribute.name, hash_attribute.value);
        if let (Some(buckets), Some(key)) = (&mut self.sticky, key) {
            buckets.assign(key, &experiment.sticky_key(), variation_key);
        }
    }
}
