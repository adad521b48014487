//! The snapshot: a payload compiled for evaluation. It is immutable, and threads share it.

mod features;
mod rule;

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use hashbrown::HashMap;

use crate::auto::AutoExperiment;
use crate::bandit::BanditDefinition;
use crate::compiled::Compiled;
use crate::condition::SavedGroups;
use crate::feature_index::FeatureIndex;
use crate::memory::Memory;
use crate::pattern::PatternPool;
use crate::warning::Warning;

pub(crate) use features::FeatureTable;
pub(crate) use rule::{
    ExperimentRule, Feature, FeatureNotes, ForceRule, Gates, Rollout, RolloutRule, Rule, RuleKind,
};

/// A payload compiled for evaluation. It never changes: a new payload becomes a new snapshot.
///
/// Everything that evaluation needs is prepared: conditions are trees, long lists are hash sets,
/// and prerequisites and saved groups are linked. Regular expressions are checked. The first
/// evaluation that needs an ordinary one builds it. Other threads do not wait for that.
///
/// A snapshot can be [compiled after](crate::Payload::compile_after) an older one. Both then share
/// the definitions that did not change.
#[derive(Default)]
pub struct Snapshot {
    pub(crate) features: FeatureTable,
    pub(crate) auto_experiments: Arc<AutoExperiments>,
    pub(crate) saved_groups: SavedGroups,
    pub(crate) bandits: Bandits,
    /// The regular expressions, for reuse by the next snapshot.
    pub(crate) patterns: PatternPool,
    /// The attributes whose sticky bucket documents evaluation may read.
    pub(crate) sticky_attributes: Box<[Box<str>]>,
    pub(crate) date_updated: Option<Box<str>>,
    /// Whether a definition was left out because of the memory of the others.
    pub(crate) exceeds_memory: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// The bandits of a snapshot by id. An entry without a definition counts as missing.
pub(crate) type Bandits = HashMap<Arc<str>, Arc<Compiled<Option<Arc<BanditDefinition>>>>>;

/// The section `experiments`, compiled.
#[derive(Default)]
pub(crate) struct AutoExperiments {
    pub(crate) list: Vec<AutoExperiment>,
    /// The next snapshot shares the experiments when the section's text is the same.
    pub(crate) text: Arc<str>,
    pub(crate) warnings: Box<[Warning]>,
    /// The memory that they were estimated to take.
    pub(crate) memory: Memory,
}

impl Snapshot {
    /// Iterates over the keys of all features, in the payload's order.
    pub fn feature_keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.features.order().iter().map(|index| self.features.key(*index))
    }

    /// Whether there is a feature with this key.
    pub fn contains_feature(&self, key: &str) -> bool {
        self.features.find(key).is_some_and(|index| self.feature(index).is_some())
    }

    /// Returns the payload's auto experiments, in its order.
    pub fn auto_experiments(&self) -> &[AutoExperiment] {
        &self.auto_experiments.list
    }

    /// Returns the time of the last change of the definitions, as the API wrote it (ISO 8601).
    pub fn date_updated(&self) -> Option<&str> {
        self.date_updated.as_deref()
    }

    /// Returns the warnings about the payload. The rest of the payload is in use.
    /// [`evaluation_warnings`](Snapshot::evaluation_warnings) has more.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the warnings that only evaluations find: the regular expressions for which a search
    /// reached its step limit. This snapshot has them from then on, and so have the snapshots that
    /// are compiled after it, while one that is alive uses the expression.
    pub fn evaluation_warnings(&self) -> Vec<Warning> {
        self.patterns.limit_warnings()
    }

    /// Sets the function to call with each [evaluation warning](Snapshot::evaluation_warnings). It
    /// is called once for each expression, on the evaluating thread, during the evaluation.
    ///
    /// It is also set for the snapshots that are compiled after this one. The first function stays:
    /// later calls do not have an effect.
    pub fn on_evaluation_warning(&self, notify: fn(&Warning)) {
        self.patterns.reports().notify(notify);
    }

    #[inline]
    pub(crate) fn feature(&self, index: FeatureIndex) -> Option<(&str, &Feature)> {
        self.features.get(index).map(|(key, feature)| (key, &**feature))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Snapshot")
            .field("features", &self.features.len())
            .field("date_updated", &self.date_updated)
            .field("warnings", &self.warnings.len())
            .finish_non_exhaustive()
    }
}
