//! The definition of an experiment, without the values of its variations.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::fmt;

use serde::Serialize;
use smol_str::{SmolStr, SmolStrBuilder};

use super::allocation::Allocation;
use super::division::Division;
use super::echo::{Echo, echo_json};
use super::hash_attribute::HashAttribute;
use super::interner::{Interner, shared};
use super::legacy_url::LegacyUrl;
use super::prerequisite::ParentCondition;
use super::sticky::StickySettings;
use crate::bucket::{BucketHasher, BucketRange, effective_weights, share_ranges};
use crate::budget::{ITEMS_PER_STEP, text_steps};
use crate::condition::{Clauses, Condition};
use crate::hash_value::HashValue;
use crate::json::{js_number_string, number_of_digits};
use crate::url::{UrlTarget, UrlTargets};

/// The tracking keys of the first variations, unless they have their own.
const INDEX_KEYS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Separates an experiment's key from its bucket version in sticky bucket documents.
const STICKY_KEY_SEPARATOR: &str = "__";

/// The definition of an experiment: the users who take part, and the assignment of variations.
///
/// Serializes like `experiment` in a result of GrowthBook's JavaScript SDK.
#[derive(Clone)]
pub struct ExperimentDefinition {
    pub(super) key: SmolStr,
    pub(super) name: Option<SmolStr>,
    pub(super) phase: Option<SmolStr>,
    pub(super) seed: Option<SmolStr>,
    pub(super) hash_version: i64,
    pub(crate) hash_attribute: HashAttribute,
    sticky: Option<Box<StickySettings>>,
    pub(crate) allocation: Allocation,
    /// The buckets of each variation. Derived, unless the allocation says that they were given.
    ranges: Arc<[BucketRange]>,
    pub(crate) meta: Arc<[VariationMeta]>,
    pub(crate) division: Division,
    pub(crate) condition: Option<Clauses>,
    own: Option<Box<OwnSettings>>,
    pub(crate) echo: Echo,
    pub(crate) variations: usize,
    /// Derived from the members above, see [`ExperimentDefinition::update`].
    derived: Derived,
}

/// The parts of a definition that follow from the others.
#[derive(Clone, Default)]
struct Derived {
    /// The indices of variations beyond [`INDEX_KEYS`], as text. Few experiments have so many.
    #[expect(clippy::box_collection, reason = "it takes one word in nearly every experiment")]
    index_keys: Option<Box<Vec<Box<str>>>>,
    /// `None` for an unknown hash version.
    hasher: Option<BucketHasher>,
}

/// The settings of an experiment of its own. A rule's experiment does not have them.
#[derive(Clone)]
pub(crate) struct OwnSettings {
    pub(crate) parents: Vec<ParentCondition>,
    pub(crate) url_patterns: Option<UrlTargets>,
    pub(crate) groups: Option<Box<[Box<str>]>>,
    pub(crate) legacy_url: Option<LegacyUrl>,
    pub(crate) active: bool,
    pub(crate) status: ExperimentStatus,
    pub(crate) force: Option<i64>,
}

impl OwnSettings {
    pub(super) const DEFAULT: Self = OwnSettings {
        parents: Vec::new(),
        url_patterns: None,
        groups: None,
        legacy_url: None,
        active: true,
        status: ExperimentStatus::Running,
        force: None,
    };
}

impl ExperimentDefinition {
    /// Makes an experiment that every user takes part in, with equal shares.
    pub(crate) fn new(key: &str, variations: usize) -> Self {
        ExperimentDefinition::build(key, variations, None, |_| {})
    }

    /// Makes an experiment that is only reported, and never evaluated. It shows this JSON.
    pub(crate) fn reported(
        key: &str,
        variations: usize,
        name: Option<&str>,
        phase: Option<&str>,
        json: &str,
    ) -> Self {
        ExperimentDefinition::build(key, variations, None, |definition| {
            definition.name = name.map(Into::into);
            definition.phase = phase.map(Into::into);
            definition.echo = Echo::Experiment(json.into());
            // No ranges: they would take memory for each variation.
            definition.set_ranges(Arc::default());
        })
    }

    /// Makes an experiment with settings. It interns its lists.
    pub(super) fn build(
        key: &str,
        variations: usize,
        interner: Option<&Interner>,
        set: impl FnOnce(&mut Self),
    ) -> Self {
        let mut definition = ExperimentDefinition {
            key: key.into(),
            name: None,
            phase: None,
            seed: None,
            hash_version: 1,
            hash_attribute: HashAttribute::default(),
            sticky: None,
            allocation: Allocation::default(),
            ranges: Arc::default(),
            meta: Arc::default(),
            division: Division::NONE,
            condition: None,
            own: None,
            echo: Echo::Members(None),
            variations,
            derived: Derived::default(),
        };
        definition.update(interner, set);
        definition
    }

    /// Changes settings, then computes the derived parts again. Settings that other parts are
    /// derived from must be changed here only.
    pub(super) fn update(&mut self, interner: Option<&Interner>, set: impl FnOnce(&mut Self)) {
        set(self);
        if let Allocation::Shares { weights, coverage } = &self.allocation {
            let weights = effective_weights(self.variations, Some(weights));
            let ranges = share_ranges(&weights, *coverage).collect();
            self.ranges = shared(interner.map(|interner| &interner.ranges), ranges);
        }
        let further = INDEX_KEYS.len()..self.variations;
        self.derived = Derived {
            index_keys: (!further.is_empty())
                .then(|| Box::new(further.map(|it| it.to_string().into()).collect())),
            hasher: BucketHasher::new(self.seed(), self.hash_version),
        };
    }

    /// Returns the bucket of a hash attribute's value. `None` without a value, and for an unknown
    /// hash version.
    #[inline]
    pub(crate) fn bucket(&self, value: &HashValue<'_>) -> Option<f64> {
        self.derived.hasher?.hash(|| self.seed(), value)
    }

    pub(super) fn has_known_hash_version(&self) -> bool {
        self.derived.hasher.is_some()
    }

    /// Sets the ranges. They replace those that weights and coverage determine.
    pub(super) fn set_ranges(&mut self, ranges: Arc<[BucketRange]>) {
        self.ranges = ranges;
        self.allocation = Allocation::Ranges;
    }

    pub(super) fn set_condition(&mut self, condition: &Condition) {
        self.condition = Some(condition.clauses().clone());
        self.echo.set("condition", condition.json().clone());
    }

    pub(super) fn set_url_patterns(&mut self, targets: &[UrlTarget], compiled: UrlTargets) {
        self.own_mut().url_patterns = Some(compiled);
        self.echo.set("urlPatterns", echo_json(&targets));
    }

    /// Returns the settings of sticky bucketing.
    #[inline]
    pub(crate) fn sticky(&self) -> &StickySettings {
        const DEFAULT: &StickySettings = &StickySettings::DEFAULT;
        self.sticky.as_deref().unwrap_or(DEFAULT)
    }

    pub(super) fn set_sticky(&mut self, settings: StickySettings) {
        self.sticky = (!settings.is_default()).then(|| Box::new(settings));
    }

    /// Returns the settings that only an experiment of its own has.
    #[inline]
    pub(crate) fn own(&self) -> &OwnSettings {
        const DEFAULT: &OwnSettings = &OwnSettings::DEFAULT;
        self.own.as_deref().unwrap_or(DEFAULT)
    }

    pub(crate) fn own_mut(&mut self) -> &mut OwnSettings {
        self.own.get_or_insert_with(|| Box::new(OwnSettings::DEFAULT))
    }

    /// Returns the steps of its loops, except those of its condition, its filters and the hash
    /// value.
    pub(crate) fn steps(&self) -> usize {
        let texts = text_steps(self.key.len()) + text_steps(self.seed().len());
        let items = self.variations + self.ranges.len() + self.meta.len();
        1 + texts + items / ITEMS_PER_STEP
    }

    /// Returns the key for tracking a variation: its own key, else its index.
    pub(crate) fn variation_key(&self, index: usize) -> &str {
        let own = self.meta.get(index).and_then(|meta| meta.key.as_deref());
        if let Some(key) = own.filter(|key| !key.is_empty()) {
            return key;
        }
        match index.checked_sub(INDEX_KEYS.len()) {
            None => INDEX_KEYS.get(index).copied().unwrap_or_default(),
            Some(further) => {
                let keys = self.derived.index_keys.as_ref();
                keys.and_then(|keys| keys.get(further)).map_or("", |key| key)
            }
        }
    }

    /// Iterates over the attributes whose sticky bucket documents it may read.
    pub(crate) fn sticky_attributes(&self) -> impl Iterator<Item = &str> {
        let attributes = [Some(&*self.hash_attribute), self.fallback_attribute()];
        attributes.into_iter().flatten()
    }

    /// Reads the version from a key in a sticky bucket document. `None` if it is not the key of an
    /// assignment of this experiment.
    pub(crate) fn assigned_version(&self, sticky_key: &str) -> Option<f64> {
        let version = sticky_key.strip_prefix(self.key())?.strip_prefix(STICKY_KEY_SEPARATOR)?;
        // A version is a whole number. Only such a version can be blocked.
        let is_canonical = version == "0" || !version.starts_with('0');
        number_of_digits(version).filter(|_| is_canonical)
    }

    /// Returns the key of an assignment in a sticky bucket document.
    pub(crate) fn sticky_key(&self) -> SmolStr {
        js_number_string(self.sticky().bucket_version, |version| {
            let mut key = SmolStrBuilder::new();
            [self.key(), STICKY_KEY_SEPARATOR, version].into_iter().for_each(|it| key.push_str(it));
            key.finish()
        })
    }

    /// Returns the key for tracking.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the name that people see.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the phase.
    pub fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// Returns the seed of the hash. Default: the key.
    pub fn seed(&self) -> &str {
        self.seed.as_deref().unwrap_or(&self.key)
    }

    /// Returns the version of the hash: 1 or 2.
    pub fn hash_version(&self) -> i64 {
        self.hash_version
    }

    /// Returns the attribute whose value is hashed.
    pub fn hash_attribute(&self) -> &str {
        &self.hash_attribute
    }

    /// Returns the attribute to hash if the user does not have the first one. Only sticky bucketing
    /// uses it.
    pub fn fallback_attribute(&self) -> Option<&str> {
        self.sticky().fallback_attribute.as_deref()
    }

    /// Returns the number of variations.
    pub fn variation_count(&self) -> usize {
        self.variations
    }

    /// Returns the buckets of each variation.
    pub fn ranges(&self) -> &[BucketRange] {
        &self.ranges
    }

    /// Returns the keys and names of variations, by index. The list may be shorter than the number
    /// of variations.
    pub fn meta(&self) -> &[VariationMeta] {
        &self.meta
    }
}

impl fmt::Debug for ExperimentDefinition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ExperimentDefinition")
            .field("key", &self.key())
            .field("hash_attribute", &self.hash_attribute)
            .field("ranges", &self.ranges())
            .finish_non_exhaustive()
    }
}

/// The description of a variation: everything except its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct VariationMeta {
    /// The key for tracking. Default: its index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Box<str>>,
    /// The name that people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// Whether the feature's next rules decide. Holdouts use this.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub passthrough: bool,
}

impl VariationMeta {
    /// Makes a description with this key.
    pub fn new(key: impl Into<Box<str>>) -> Self {
        VariationMeta { key: Some(key.into()), ..VariationMeta::default() }
    }

    /// Sets the name.
    #[must_use]
    pub fn name(self, name: impl Into<Box<str>>) -> Self {
        VariationMeta { name: Some(name.into()), ..self }
    }
}

/// The status of an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ExperimentStatus {
    /// The experiment has not started. Only forced variations apply.
    Draft,
    /// The experiment runs.
    #[default]
    Running,
    /// The experiment has ended. Only forced variations apply.
    Stopped,
}
