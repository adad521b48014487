//! The features of a snapshot, by position and by key.

use alloc::{sync::Arc, vec::Vec};

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use super::rule::Feature;
use crate::feature_index::FeatureIndex;

/// The features of a snapshot, and the keys that prerequisites refer to without a feature.
#[derive(Default)]
pub(crate) struct FeatureTable {
    by_key: IndexMap<Arc<str>, Option<Arc<Feature>>, DefaultHashBuilder>,
    /// The features in the payload's order.
    order: Vec<FeatureIndex>,
}

impl FeatureTable {
    /// A table without features, in which every key has the position it has in this one.
    pub(crate) fn without_features(&self) -> Self {
        let mut by_key = self.by_key.clone();
        by_key.values_mut().for_each(|feature| *feature = None);
        FeatureTable { by_key, order: Vec::new() }
    }

    /// The position of a key. It gets one if it has none yet.
    pub(crate) fn link(&mut self, key: &str) -> FeatureIndex {
        self.find(key).unwrap_or_else(|| self.link_new(key.into()))
    }

    /// The same, for a key that is shared.
    pub(crate) fn link_shared(&mut self, key: &Arc<str>) -> FeatureIndex {
        self.find(key).unwrap_or_else(|| self.link_new(key.clone()))
    }

    fn link_new(&mut self, key: Arc<str>) -> FeatureIndex {
        let (position, _) = self.by_key.insert_full(key, None);
        FeatureIndex(position.try_into().unwrap_or(u32::MAX))
    }

    /// Adds a feature. It comes after the others in the order.
    pub(crate) fn add(&mut self, index: FeatureIndex, feature: Arc<Feature>) {
        if let Some((_, place)) = self.by_key.get_index_mut(position(index)) {
            *place = Some(feature);
            self.order.push(index);
        }
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.by_key.shrink_to_fit();
        self.order.shrink_to_fit();
    }

    /// The features in the payload's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Feature>> {
        self.order.iter().filter_map(|index| self.get(*index))
    }

    /// The positions of the features in the payload's order.
    pub(crate) fn order(&self) -> &[FeatureIndex] {
        &self.order
    }

    /// The number of features.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The number of positions, with and without a feature.
    pub(crate) fn positions(&self) -> usize {
        self.by_key.len()
    }

    #[inline]
    pub(crate) fn get(&self, index: FeatureIndex) -> Option<&Arc<Feature>> {
        self.by_key.get_index(position(index))?.1.as_ref()
    }

    /// The key at a position; empty when there is none.
    pub(crate) fn key(&self, index: FeatureIndex) -> &str {
        self.by_key.get_index(position(index)).map_or("", |(key, _)| key)
    }

    #[inline]
    pub(crate) fn find(&self, key: &str) -> Option<FeatureIndex> {
        let position = self.by_key.get_index_of(key)?;
        Some(FeatureIndex(position.try_into().unwrap_or(u32::MAX)))
    }
}

#[inline]
fn position(index: FeatureIndex) -> usize {
    index.0.try_into().unwrap_or(usize::MAX)
}
