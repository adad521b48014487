//! Features and their rules, compiled.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use smol_str::SmolStr;

use crate::bandit::BanditRule;
use crate::bucket::{BucketHasher, BucketRange};
use crate::budget::text_steps;
use crate::condition::Clauses;
use crate::event::Track;
use crate::experiment::{ExperimentDefinition, Filter, HashAttribute, ParentCondition, Parents};
use crate::hash_value::HashValue;
use crate::memory::Memory;
use crate::value::FeatureValue;
use crate::warning::Warning;

/// A feature, with the text that it was compiled from.
pub(crate) struct Feature {
    pub(crate) default_value: FeatureValue,
    pub(crate) rules: Box<[Rule]>,
    /// The next snapshot shares the feature when its text is the same.
    pub(crate) text: Arc<str>,
    /// The memory that it was estimated to take.
    pub(crate) memory: Memory,
    notes: Option<Box<FeatureNotes>>,
}

/// The parts that few features have.
#[derive(Default)]
pub(crate) struct FeatureNotes {
    pub(crate) warnings: Vec<Warning>,
    /// The ids of the bandits that its rules refer to. The next snapshot shares the feature when
    /// they are the same, too.
    pub(crate) bandits: Vec<Box<str>>,
}

impl Feature {
    pub(crate) fn new(
        text: Arc<str>,
        default_value: FeatureValue,
        rules: Vec<Rule>,
        mut notes: FeatureNotes,
        memory: Memory,
    ) -> Self {
        notes.warnings.shrink_to_fit();
        let has_notes = !notes.warnings.is_empty() || !notes.bandits.is_empty();
        let notes = has_notes.then(|| Box::new(notes));
        Feature { default_value, rules: rules.into(), text, memory, notes }
    }

    pub(crate) fn warnings(&self) -> &[Warning] {
        self.notes.as_ref().map_or(&[], |notes| &notes.warnings)
    }

    /// The ids of the bandits that its rules refer to.
    pub(crate) fn bandits(&self) -> &[Box<str>] {
        self.notes.as_ref().map_or(&[], |notes| &notes.bandits)
    }
}

/// A rule of a feature.
pub(crate) struct Rule {
    /// The id; empty if the rule does not have one.
    pub(crate) id: SmolStr,
    /// The position among the rules of the payload.
    pub(crate) index: u32,
    /// The steps of its loops, except those of its conditions, filters and hash values.
    pub(crate) steps: u32,
    gates: Option<Box<Gates>>,
    pub(crate) kind: RuleKind,
}

/// The tests before a rule is evaluated. Few rules have any.
pub(crate) struct Gates {
    pub(crate) parents: Parents,
    pub(crate) filters: Option<Box<[Filter]>>,
}

impl Rule {
    pub(crate) fn new(index: usize, id: SmolStr, gates: Gates, kind: RuleKind) -> Self {
        let has_gates = !gates.parents.is_empty() || gates.filters.is_some();
        let steps = 1 + gates.parents.len() + kind.steps();
        Rule {
            id,
            index: index.try_into().unwrap_or(u32::MAX),
            steps: steps.try_into().unwrap_or(u32::MAX),
            gates: has_gates.then(|| Box::new(gates)),
            kind,
        }
    }

    #[inline]
    pub(crate) fn parents(&self) -> &[ParentCondition] {
        self.gates.as_ref().map_or(&[], |gates| &gates.parents)
    }

    #[inline]
    pub(crate) fn filters(&self) -> Option<&[Filter]> {
        self.gates.as_ref()?.filters.as_deref()
    }
}

/// The effect of a rule.
pub(crate) enum RuleKind {
    Force(Box<ForceRule>),
    Rollout(Box<RolloutRule>),
    Experiment(Box<ExperimentRule>),
    /// A rule with gates only, or an unreadable rule. The gates are still checked.
    Nothing,
}

impl RuleKind {
    fn steps(&self) -> usize {
        match self {
            RuleKind::Nothing => 0,
            RuleKind::Force(rule) => rule.track_count(),
            RuleKind::Rollout(rule) => {
                rule.force.track_count() + text_steps(rule.rollout.seed.len())
            }
            RuleKind::Experiment(rule) => {
                let leaves = rule.bandit.as_ref().map_or(0, |bandit| bandit.leaf_count());
                leaves + rule.definition.steps()
            }
        }
    }
}

/// A rule that forces a value.
pub(crate) struct ForceRule {
    pub(crate) condition: Option<Clauses>,
    pub(crate) value: FeatureValue,
    /// The exposures to report when the rule applies. Few rules have any.
    #[expect(clippy::box_collection, reason = "it takes one word in nearly every rule")]
    pub(crate) tracks: Option<Box<Vec<Track>>>,
}

impl ForceRule {
    fn track_count(&self) -> usize {
        self.tracks.as_ref().map_or(0, |tracks| tracks.len())
    }
}

/// A force rule for a share of the users.
pub(crate) struct RolloutRule {
    pub(crate) force: ForceRule,
    pub(crate) rollout: Rollout,
}

/// The share of users that a force rule applies to.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) hash_attribute: HashAttribute,
    /// The attribute to hash if the user does not have the first one. Only sticky bucketing uses
    /// it.
    pub(crate) fallback_attribute: Option<Box<str>>,
    pub(crate) seed: SmolStr,
    pub(crate) hasher: Option<BucketHasher>,
    pub(crate) range: BucketRange,
}

impl Rollout {
    /// Returns the bucket of a hash attribute's value. `None` without a value, and for an unknown
    /// hash version.
    #[inline]
    pub(crate) fn bucket(&self, value: &HashValue<'_>) -> Option<f64> {
        self.hasher?.hash(|| &self.seed, value)
    }
}

/// A rule that runs an experiment.
pub(crate) struct ExperimentRule {
    pub(crate) definition: ExperimentDefinition,
    pub(crate) variations: Arc<[FeatureValue]>,
    pub(crate) bandit: Option<Box<BanditRule>>,
}
