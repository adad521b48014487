//! A payload compiled for evaluation: immutable, shared, walked by reference.

use alloc::{boxed::Box, collections::BTreeSet, sync::Arc, vec::Vec};
use core::fmt;

use smol_str::SmolStr;

use crate::auto::AutoExperiment;
use crate::bandit::BanditRule;
use crate::bucket::{BucketHasher, BucketRange};
use crate::condition::{Clauses, PatternPool, SavedGroups};
use crate::experiment::{ExperimentDefinition, Filter, HashAttribute, ParentCondition, Parents};
use crate::feature_table::FeatureTable;
use crate::hash_value::HashValue;
use crate::payload::Payload;
use crate::value::FeatureValue;
use crate::warning::Warning;

/// A payload compiled for evaluation. It never changes; a new payload is a new snapshot.
///
/// Everything evaluation needs is resolved: conditions are trees, long lists are hash sets,
/// prerequisites and saved groups are linked. Regular expressions are checked; an ordinary one is
/// built when it is first used, by whichever thread needs it, and nobody waits. The snapshot that
/// [comes next](Payload::compile_after) has it from there.
#[derive(Default)]
pub struct Snapshot {
    pub(crate) features: FeatureTable,
    pub(crate) auto_experiments: Vec<AutoExperiment>,
    pub(crate) saved_groups: SavedGroups,
    /// Those of all conditions, for the snapshot that comes next.
    pub(crate) patterns: PatternPool,
    /// The attributes whose sticky bucket documents evaluation may look at.
    pub(crate) sticky_attributes: BTreeSet<Box<str>>,
    pub(crate) date_updated: Option<Box<str>>,
    pub(crate) warnings: Vec<Warning>,
}

/// The position of a feature in its snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FeatureIndex(pub(crate) u32);

pub(crate) struct Feature {
    pub(crate) key: Box<str>,
    pub(crate) default_value: FeatureValue,
    pub(crate) rules: Box<[Rule]>,
}

pub(crate) struct Rule {
    /// Empty when it has none.
    pub(crate) id: SmolStr,
    gates: Option<Box<Gates>>,
    pub(crate) kind: RuleKind,
}

/// What few rules have: they are passed before the rule is looked at.
pub(crate) struct Gates {
    pub(crate) parents: Parents,
    pub(crate) filters: Option<Box<[Filter]>>,
}

impl Rule {
    pub(crate) fn new(id: SmolStr, gates: Gates, kind: RuleKind) -> Self {
        let has_gates = !gates.parents.is_empty() || gates.filters.is_some();
        Rule { id, gates: has_gates.then(|| Box::new(gates)), kind }
    }

    #[inline]
    pub(crate) fn parents(&self) -> &[ParentCondition] {
        self.gates.as_ref().map_or(&[], |gates| &gates.parents)
    }

    pub(crate) fn parents_mut(&mut self) -> &mut [ParentCondition] {
        self.gates.as_mut().map_or(&mut [], |gates| &mut gates.parents)
    }

    #[inline]
    pub(crate) fn filters(&self) -> Option<&[Filter]> {
        self.gates.as_ref()?.filters.as_deref()
    }
}

pub(crate) enum RuleKind {
    Force(Box<ForceRule>),
    Rollout(Box<RolloutRule>),
    Experiment(Box<ExperimentRule>),
    /// Prerequisites alone, or a rule that could not be read: its gates hold, nothing applies.
    Nothing,
}

pub(crate) struct ForceRule {
    pub(crate) condition: Option<Clauses>,
    pub(crate) value: FeatureValue,
}

/// A force rule for a share of the users.
pub(crate) struct RolloutRule {
    pub(crate) force: ForceRule,
    pub(crate) rollout: Rollout,
}

/// The share of users a force rule applies to.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) hash_attribute: HashAttribute,
    /// Hashed instead when the user lacks the first, with sticky bucketing.
    pub(crate) fallback_attribute: Option<Box<str>>,
    pub(crate) seed: SmolStr,
    pub(crate) hasher: Option<BucketHasher>,
    pub(crate) range: BucketRange,
}

impl Rollout {
    /// The bucket of the hash attribute's value; `None` without one, or with an unknown version.
    #[inline]
    pub(crate) fn bucket(&self, value: &HashValue<'_>) -> Option<f64> {
        self.hasher?.hash(|| &self.seed, value)
    }
}

pub(crate) struct ExperimentRule {
    pub(crate) definition: ExperimentDefinition,
    pub(crate) variations: Arc<[FeatureValue]>,
    pub(crate) bandit: Option<Box<BanditRule>>,
}

impl Snapshot {
    /// A snapshot without features: every feature is unknown, inline experiments run.
    pub fn empty() -> Self {
        Payload::empty().compile()
    }

    /// The keys of all features, in the payload's order.
    pub fn feature_keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.features.iter().map(|feature| &*feature.key)
    }

    /// Whether there is a feature of this key.
    pub fn contains_feature(&self, key: &str) -> bool {
        self.features.find(key).is_some()
    }

    /// The payload's auto experiments, in its order.
    pub fn auto_experiments(&self) -> &[AutoExperiment] {
        &self.auto_experiments
    }

    /// When the definitions last changed, as the API wrote it (ISO 8601).
    pub fn date_updated(&self) -> Option<&str> {
        self.date_updated.as_deref()
    }

    /// What was wrong in the payload. Everything else is in use.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    #[inline]
    pub(crate) fn feature(&self, index: FeatureIndex) -> Option<&Feature> {
        self.features.get(index)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Snapshot")
            .field("features", &self.features.iter().len())
            .field("date_updated", &self.date_updated)
            .field("warnings", &self.warnings.len())
            .finish_non_exhaustive()
    }
}
