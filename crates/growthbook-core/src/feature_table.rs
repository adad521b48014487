//! The features of a snapshot, by place and by key.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::snapshot::{Feature, FeatureIndex};

/// Features in the payload's order. What finds them by key holds their places alone: the keys are
/// compared where they are.
#[derive(Default)]
pub(crate) struct FeatureTable {
    features: Vec<Feature>,
    by_key: HashTable<FeatureIndex>,
    hasher: DefaultHashBuilder,
}

impl FeatureTable {
    /// Features whose keys all differ.
    pub(crate) fn new(features: Vec<Feature>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut by_key = HashTable::with_capacity(features.len());
        for (place, feature) in (0..).map(FeatureIndex).zip(&features) {
            // It has room for all of them: nothing is hashed anew.
            by_key.insert_unique(hash(&hasher, &feature.key), place, |_| 0);
        }
        FeatureTable { features, by_key, hasher }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Feature> {
        self.features.iter()
    }

    pub(crate) fn as_slice(&self) -> &[Feature] {
        &self.features
    }

    #[inline]
    pub(crate) fn get(&self, place: FeatureIndex) -> Option<&Feature> {
        self.features.get(usize::try_from(place.0).ok()?)
    }

    #[inline(always)]
    pub(crate) fn find(&self, key: &str) -> Option<FeatureIndex> {
        let has_key = |place: &FeatureIndex| self.get(*place).is_some_and(|it| *it.key == *key);
        self.by_key.find(hash(&self.hasher, key), has_key).copied()
    }

    /// Links the features' prerequisites: to features before and behind them.
    pub(crate) fn link(&mut self) {
        for place in 0..self.features.len() {
            // Taken out, so that the others can be looked through.
            let rules = self.features.get_mut(place).map(|feature| &mut feature.rules);
            let Some(mut rules) = rules.map(core::mem::take) else { continue };
            for parent in rules.iter_mut().flat_map(|rule| rule.parents_mut()) {
                parent.feature.link(self);
            }
            if let Some(feature) = self.features.get_mut(place) {
                feature.rules = rules;
            }
        }
    }
}

/// Without the end that `str` marks for what is hashed behind it: here nothing is.
#[inline]
fn hash(hasher: &DefaultHashBuilder, key: &str) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(key.as_bytes());
    hasher.finish()
}
