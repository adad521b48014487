//! Contextual bandits: experiments whose weights depend on the user.

use alloc::{boxed::Box, sync::Arc};

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::bucket::{Ranges, effective_weights, is_usable};
use crate::condition::Clauses;
use crate::experiment::Allocation;

/// The leaf id that is reported when no leaf was chosen and the rule's own weights were used.
pub(crate) const FALLBACK_LEAF_ID: i64 = -1;

/// An entry of the payload's section `contextualBandits`. The first leaf that matches decides.
#[derive(Debug, Default)]
pub(crate) struct BanditDefinition {
    pub(crate) version: Option<i64>,
    pub(crate) leaves: Box<[Leaf]>,
}

/// The weights for the users who pass a condition.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// `None` matches every user.
    pub(crate) condition: Option<Clauses>,
    /// `None` makes the leaf malformed.
    pub(crate) id: Option<i64>,
    pub(crate) weights: Option<Box<[f64]>>,
}

/// A bandit as one rule uses it.
#[derive(Debug)]
pub(crate) struct BanditRule {
    definition: Arc<BanditDefinition>,
    variations: usize,
    coverage: f64,
    /// The weights bucketing uses when no leaf is chosen.
    fallback_weights: Box<[f64]>,
    /// Whether the rule has ranges of its own. Then weights are neither used nor reported.
    has_explicit_ranges: bool,
}

/// A bandit's choice for a user.
#[derive(Clone, Copy)]
pub(crate) struct Choice<'a> {
    /// The leaf's weights, in place of the rule's.
    pub(crate) weights: Option<&'a [f64]>,
    /// The ranges of these weights.
    pub(crate) ranges: Option<Ranges<'a>>,
    /// The bandit that is reported when hashing decides.
    pub(crate) bandit: Option<ContextualBandit<'a>>,
}

/// The weights that a contextual bandit chose for an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ContextualBandit<'a> {
    /// The leaf that matched the user. -1 when no leaf matched.
    pub leaf_id: i64,
    /// The weights that bucketing used.
    pub variation_weights: &'a [f64],
    /// The version of the bandit's model.
    pub bandit_version: Option<i64>,
}

impl ContextualBandit<'_> {
    pub(crate) fn serialize_entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("leafId", &self.leaf_id)?;
        map.serialize_entry("variationWeights", self.variation_weights)?;
        if let Some(version) = self.bandit_version {
            map.serialize_entry("banditVersion", &version)?;
        }
        Ok(())
    }
}

impl Serialize for ContextualBandit<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_entries(&mut map)?;
        map.end()
    }
}

impl BanditRule {
    pub(crate) fn new(
        definition: Arc<BanditDefinition>,
        variations: usize,
        allocation: &Allocation,
    ) -> Self {
        let (weights, coverage) = match allocation {
            // The ranges decide, so weights are not used.
            Allocation::Ranges => (None, 1.0),
            Allocation::Shares { weights, coverage } => (Some(&**weights), *coverage),
        };
        BanditRule {
            definition,
            variations,
            coverage,
            fallback_weights: effective_weights(variations, weights).into(),
            has_explicit_ranges: matches!(allocation, Allocation::Ranges),
        }
    }

    /// Returns the number of leaves.
    pub(crate) fn leaf_count(&self) -> usize {
        self.definition.leaves.len()
    }

    /// Chooses the first leaf that matches. Chooses the rule's own weights when no leaf matches, or
    /// when that leaf is malformed.
    pub(crate) fn choose(&self, passes: impl Fn(&Clauses) -> bool) -> Choice<'_> {
        let leaves = &self.definition.leaves;
        let matching = leaves.iter().find(|leaf| leaf.condition.as_ref().is_none_or(&passes));
        let chosen = matching.and_then(|leaf| {
            let weights = leaf.weights.as_deref()?;
            // Bucketing replaces unusable weights, so the reported ones would be wrong.
            is_usable(weights, self.variations).then_some((leaf.id?, weights))
        });
        let (leaf_id, variation_weights) = match chosen {
            Some(chosen) => chosen,
            None => (FALLBACK_LEAF_ID, &*self.fallback_weights),
        };
        let bandit = (!self.has_explicit_ranges).then_some(ContextualBandit {
            leaf_id,
            variation_weights,
            bandit_version: self.definition.version,
        });
        Choice {
            weights: chosen.map(|(_, weights)| weights),
            ranges: chosen
                .map(|(_, weights)| Ranges::Shares { weights, coverage: self.coverage })
                .filter(|_| !self.has_explicit_ranges),
            bandit,
        }
    }
}
