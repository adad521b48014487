//! The features of a snapshot, by position and by key.

use alloc::{sync::Arc, vec::Vec};
use core::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::rule::Feature;
use crate::feature_index::FeatureIndex;

/// The features of a snapshot. It also has keys without a feature, because prerequisites refer to
/// them.
///
/// Every evaluation looks its feature up here. The table holds positions only and compares the
/// keys in the slots. This is faster than an `IndexMap`.
#[derive(Default)]
pub(crate) struct FeatureTable {
    slots: Vec<Slot>,
    by_key: HashTable<FeatureIndex>,
    hasher: DefaultHashBuilder,
    /// The features in the payload's order.
    order: Vec<FeatureIndex>,
}

#[derive(Clone)]
struct Slot {
    key: Arc<str>,
    feature: Option<Arc<Feature>>,
}

impl FeatureTable {
    /// Copies the table without its features. Each key keeps its position.
    pub(crate) fn without_features(&self) -> Self {
        let empty = |slot: &Slot| Slot { key: slot.key.clone(), feature: None };
        FeatureTable {
            slots: self.slots.iter().map(empty).collect(),
            by_key: self.by_key.clone(),
            hasher: self.hasher.clone(),
            order: Vec::new(),
        }
    }

    /// Makes room for this many features.
    pub(crate) fn reserve(&mut self, features: usize) {
        let new = features.saturating_sub(self.slots.len());
        let FeatureTable { slots, by_key, hasher, order } = self;
        slots.reserve_exact(new);
        order.reserve_exact(features);
        by_key.reserve(new, |index| hash(hasher, key_at(slots, *index)));
    }

    /// Returns the position of a key. A new key gets a position.
    pub(crate) fn link(&mut self, key: &str) -> FeatureIndex {
        self.find(key).unwrap_or_else(|| self.link_new(key.into()))
    }

    /// Like [`link`](Self::link), for a shared key.
    pub(crate) fn link_shared(&mut self, key: &Arc<str>) -> FeatureIndex {
        self.find(key).unwrap_or_else(|| self.link_new(key.clone()))
    }

    fn link_new(&mut self, key: Arc<str>) -> FeatureIndex {
        let index = FeatureIndex(self.slots.len().try_into().unwrap_or(u32::MAX));
        let FeatureTable { slots, by_key, hasher, .. } = self;
        let key_hash = hash(hasher, &key);
        slots.push(Slot { key, feature: None });
        by_key.insert_unique(key_hash, index, |index| hash(hasher, key_at(slots, *index)));
        index
    }

    /// Adds a feature at the end of the order.
    pub(crate) fn add(&mut self, index: FeatureIndex, feature: Arc<Feature>) {
        if let Some(slot) = self.slots.get_mut(position(index)) {
            slot.feature = Some(feature);
            self.order.push(index);
        }
    }

    /// Iterates over the features with their keys, in the payload's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Feature>)> {
        self.order.iter().filter_map(|index| self.get(*index))
    }

    /// Returns the positions of the features in the payload's order.
    pub(crate) fn order(&self) -> &[FeatureIndex] {
        &self.order
    }

    /// Returns the number of features.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the number of positions, with and without a feature.
    pub(crate) fn positions(&self) -> usize {
        self.slots.len()
    }

    /// Returns the feature at a position, with its key.
    #[inline]
    pub(crate) fn get(&self, index: FeatureIndex) -> Option<(&str, &Arc<Feature>)> {
        let slot = self.slots.get(position(index))?;
        Some((&slot.key, slot.feature.as_ref()?))
    }

    /// Returns the key at a position, with or without a feature. Empty if the position does not
    /// exist.
    #[inline]
    pub(crate) fn key(&self, index: FeatureIndex) -> &str {
        key_at(&self.slots, index)
    }

    #[inline(always)]
    pub(crate) fn find(&self, key: &str) -> Option<FeatureIndex> {
        let has_key = |index: &FeatureIndex| *self.key(*index) == *key;
        self.by_key.find(hash(&self.hasher, key), has_key).copied()
    }
}

#[inline]
fn position(index: FeatureIndex) -> usize {
    index.0.try_into().unwrap_or(usize::MAX)
}

#[inline]
fn key_at(slots: &[Slot], index: FeatureIndex) -> &str {
    slots.get(position(index)).map_or("", |slot| &slot.key)
}

/// Hashes the bytes of a key. The terminator that `str` hashes as well is not needed.
#[inline]
fn hash(hasher: &DefaultHashBuilder, key: &str) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(key.as_bytes());
    hasher.finish()
}
