//! An experiment without its values: who takes part, and in which variation.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::fmt;

use serde::Serialize;

use super::allocation::Allocation;
use super::division::Division;
use super::echo::Echo;
use super::hash_attribute::HashAttribute;
use super::legacy::LegacyUrl;
use super::lists::shares;
use super::pool::Pools;
use super::prerequisite::ParentCondition;
use super::sticky::StickySettings;
use super::texts::{TextParts, Texts};
use crate::bucket::{BucketHasher, BucketRange};
use crate::condition::Clauses;
use crate::hash_value::HashValue;
use crate::url::UrlTargets;

/// The keys of the first variations that have none of their own.
const INDEX_KEYS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The definition of an experiment: who takes part, and how variations are assigned.
///
/// Serializes as GrowthBook echoes it in a FeatureResult.
#[derive(Clone)]
pub struct ExperimentDefinition {
    texts: Texts,
    pub(crate) hash_version: i64,
    pub(crate) hash_attribute: HashAttribute,
    sticky: Option<Box<StickySettings>>,
    pub(crate) allocation: Allocation,
    /// The buckets of each variation, as they are allotted.
    ranges: Arc<[BucketRange]>,
    pub(crate) meta: Arc<[VariationMeta]>,
    pub(crate) division: Division,
    pub(crate) condition: Option<Clauses>,
    own: Option<Box<OwnSettings>>,
    pub(crate) echo: Echo,
    /// Everything below is derived from the above by [`ExperimentDefinition::derive`].
    pub(crate) variations: usize,
    /// The indices of variations beyond [`INDEX_KEYS`] as text.
    index_keys: Box<[Box<str>]>,
    /// `None` for a hash version this SDK does not know.
    hasher: Option<BucketHasher>,
}

/// What only an experiment of its own has, not one in a feature's rule.
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
    pub(crate) fn new(key: &str, variations: usize) -> Self {
        let texts = TextParts { key, bucket_version: "0", name: None, phase: None, seed: None };
        let mut definition = ExperimentDefinition::underived(texts, variations);
        definition.derive(None);
        definition
    }

    /// To be finished by [`derive`](ExperimentDefinition::derive).
    pub(super) fn underived(texts: TextParts<'_>, variations: usize) -> Self {
        ExperimentDefinition {
            texts: Texts::new(texts),
            hash_version: 1,
            hash_attribute: HashAttribute::default(),
            sticky: None,
            allocation: Allocation::default(),
            ranges: Arc::default(),
            meta: Arc::default(),
            division: Division::NONE,
            condition: None,
            own: None,
            echo: Echo::Members(Vec::new()),
            variations,
            index_keys: Box::default(),
            hasher: None,
        }
    }

    /// Works out what evaluation needs from what was set.
    pub(crate) fn derive(&mut self, pools: Option<&Pools>) {
        self.hasher = BucketHasher::new(self.seed(), self.hash_version);
        if let Allocation::Shares { weights, coverage } = &self.allocation {
            self.ranges = shares(weights, *coverage, self.variations, pools);
        }
        self.index_keys = (INDEX_KEYS.len()..self.variations)
            .map(|index| index.to_string().into_boxed_str())
            .collect();
    }

    /// The bucket of a hash attribute's value; `None` without one, or with an unknown version.
    #[inline]
    pub(crate) fn bucket(&self, value: &HashValue<'_>) -> Option<f64> {
        self.hasher?.hash(|| self.seed(), value)
    }

    pub(super) fn is_known_version(&self) -> bool {
        self.hasher.is_some()
    }

    /// Replaces some of its texts.
    pub(super) fn set_texts(&mut self, set: impl FnOnce(TextParts<'_>) -> Texts) {
        self.texts = set(self.texts.parts());
    }

    /// In place of those that weights and coverage make.
    pub(crate) fn set_ranges(&mut self, ranges: Arc<[BucketRange]>) {
        self.ranges = ranges;
        self.allocation = Allocation::Ranges;
    }

    /// What it says about sticky bucketing.
    #[inline]
    pub(crate) fn sticky(&self) -> &StickySettings {
        const DEFAULT: &StickySettings = &StickySettings::DEFAULT;
        self.sticky.as_deref().unwrap_or(DEFAULT)
    }

    pub(super) fn set_sticky(&mut self, settings: StickySettings) {
        self.sticky = (!settings.is_default()).then(|| Box::new(settings));
    }

    /// What it has as an experiment of its own.
    #[inline]
    pub(crate) fn own(&self) -> &OwnSettings {
        const DEFAULT: &OwnSettings = &OwnSettings::DEFAULT;
        self.own.as_deref().unwrap_or(DEFAULT)
    }

    pub(crate) fn own_mut(&mut self) -> &mut OwnSettings {
        self.own.get_or_insert_with(|| Box::new(OwnSettings::DEFAULT))
    }

    /// The key a variation is tracked under: its own, else its index.
    pub(crate) fn variation_key(&self, index: usize) -> &str {
        let own = self.meta.get(index).and_then(|meta| meta.key.as_deref());
        if let Some(key) = own.filter(|key| !key.is_empty()) {
            return key;
        }
        match index.checked_sub(INDEX_KEYS.len()) {
            None => INDEX_KEYS.get(index).copied().unwrap_or_default(),
            Some(beyond) => self.index_keys.get(beyond).map_or("", |key| key),
        }
    }

    /// The attributes whose sticky bucket documents it may look at.
    pub(crate) fn sticky_attributes(&self) -> impl Iterator<Item = &str> {
        let attributes = [Some(&*self.hash_attribute), self.fallback_attribute()];
        attributes.into_iter().flatten()
    }

    /// The version of an assignment of this experiment, when the key of one in a sticky bucket
    /// document is that.
    pub(crate) fn assigned_version(&self, sticky_key: &str) -> Option<f64> {
        let version = self.texts.assigned_version(sticky_key)?;
        // Versions are counted up from 0; only such can be blocked.
        let canonical = version.bytes().all(|byte| byte.is_ascii_digit())
            && (version == "0" || !version.starts_with('0'));
        if canonical { version.parse().ok() } else { None }
    }

    /// The key of an assignment in a sticky bucket document.
    pub(crate) fn sticky_key(&self) -> &str {
        self.texts.sticky_key()
    }

    /// The key it is tracked under.
    pub fn key(&self) -> &str {
        self.texts.key()
    }

    /// Its name for people.
    pub fn name(&self) -> Option<&str> {
        self.texts.name()
    }

    /// The phase it is in.
    pub fn phase(&self) -> Option<&str> {
        self.texts.phase()
    }

    /// The seed of its hash; the key when none is set.
    pub fn seed(&self) -> &str {
        self.texts.seed().unwrap_or_else(|| self.key())
    }

    /// The version of the hash: 1 or 2.
    pub fn hash_version(&self) -> i64 {
        self.hash_version
    }

    /// The attribute whose value is hashed.
    pub fn hash_attribute(&self) -> &str {
        &self.hash_attribute
    }

    /// The attribute hashed instead when the user lacks the first, with sticky bucketing.
    pub fn fallback_attribute(&self) -> Option<&str> {
        self.sticky().fallback_attribute.as_deref()
    }

    /// How many variations there are.
    pub fn variation_count(&self) -> usize {
        self.variations
    }

    /// The buckets of each variation.
    pub fn ranges(&self) -> &[BucketRange] {
        &self.ranges
    }

    /// What is known about each variation, by index; shorter where nothing is.
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

/// What is known about a variation besides its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VariationMeta {
    /// The key it is tracked under; its index when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Box<str>>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// Whether it lets the feature's next rules decide: the treatment of a holdout.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub passthrough: bool,
}

impl VariationMeta {
    /// A variation tracked under this key.
    pub fn new(key: impl Into<Box<str>>) -> Self {
        VariationMeta { key: Some(key.into()), ..VariationMeta::default() }
    }

    /// Sets its name.
    #[must_use]
    pub fn name(self, name: impl Into<Box<str>>) -> Self {
        VariationMeta { name: Some(name.into()), ..self }
    }
}

/// Whether an experiment runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ExperimentStatus {
    /// Not started: only forced variations apply.
    Draft,
    /// Running.
    #[default]
    Running,
    /// Ended: only forced variations apply.
    Stopped,
}
