//! An experiment without its values: who takes part, and in which variation.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::fmt;

use serde::Serialize;

use super::echo::Echo;
use super::filter::Filter;
use super::legacy::LegacyUrl;
use super::prerequisite::ParentCondition;
use crate::bucket::{BucketHasher, BucketRange, Namespace, bucket_ranges};
use crate::condition::Clauses;
use crate::json::js_number_string;
use crate::url::UrlTargets;

/// The attribute hashed when an experiment or rule names none.
pub(crate) const DEFAULT_HASH_ATTRIBUTE: &str = "id";
/// What stands between an experiment's key and its bucket version in sticky bucket documents.
const STICKY_KEY_SEPARATOR: &str = "__";

/// The definition of an experiment: who takes part, and how variations are assigned.
///
/// Serializes as GrowthBook echoes it in a FeatureResult.
#[derive(Clone)]
pub struct ExperimentDefinition {
    pub(crate) key: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) phase: Option<Box<str>>,
    pub(crate) seed: Option<Box<str>>,
    pub(crate) hash_version: i64,
    pub(crate) hash_attribute: Box<str>,
    pub(crate) fallback_attribute: Option<Box<str>>,
    pub(crate) disable_sticky_bucketing: bool,
    pub(crate) bucket_version: f64,
    pub(crate) min_bucket_version: f64,
    pub(crate) coverage: Option<f64>,
    pub(crate) weights: Option<Box<[f64]>>,
    pub(crate) explicit_ranges: Option<Box<[BucketRange]>>,
    pub(crate) meta: Box<[VariationMeta]>,
    pub(crate) namespace: Option<Namespace>,
    pub(crate) filters: Option<Box<[Filter]>>,
    pub(crate) condition: Option<Clauses>,
    pub(crate) parents: Box<[ParentCondition]>,
    pub(crate) url_patterns: Option<UrlTargets>,
    pub(crate) groups: Option<Box<[Box<str>]>>,
    pub(crate) legacy_url: Option<LegacyUrl>,
    pub(crate) active: bool,
    pub(crate) status: ExperimentStatus,
    pub(crate) force: Option<i64>,
    pub(crate) echo: Echo,
    /// Everything below is derived from the above by [`ExperimentDefinition::derive`].
    pub(crate) variations: usize,
    pub(crate) ranges: Box<[BucketRange]>,
    pub(crate) variation_keys: Box<[Box<str>]>,
    /// The key of an assignment in a sticky bucket document.
    pub(crate) sticky_key: Box<str>,
    /// `None` for a hash version this SDK does not know.
    pub(crate) hasher: Option<BucketHasher>,
}

impl ExperimentDefinition {
    pub(crate) fn new(key: Box<str>, variations: usize) -> Self {
        let mut definition = ExperimentDefinition {
            key,
            name: None,
            phase: None,
            seed: None,
            hash_version: 1,
            hash_attribute: DEFAULT_HASH_ATTRIBUTE.into(),
            fallback_attribute: None,
            disable_sticky_bucketing: false,
            bucket_version: 0.0,
            min_bucket_version: 0.0,
            coverage: None,
            weights: None,
            explicit_ranges: None,
            meta: Box::default(),
            namespace: None,
            filters: None,
            condition: None,
            parents: Box::default(),
            url_patterns: None,
            groups: None,
            legacy_url: None,
            active: true,
            status: ExperimentStatus::Running,
            force: None,
            echo: Echo::Members(Vec::new()),
            variations,
            ranges: Box::default(),
            variation_keys: Box::default(),
            sticky_key: Box::default(),
            hasher: None,
        };
        definition.derive();
        definition
    }

    /// Works out what evaluation needs from what was set.
    pub(crate) fn derive(&mut self) {
        self.hasher = BucketHasher::new(self.seed.as_ref().unwrap_or(&self.key), self.hash_version);
        self.ranges = match &self.explicit_ranges {
            Some(ranges) => ranges.clone(),
            None => {
                let coverage = self.coverage.unwrap_or(1.0);
                bucket_ranges(self.variations, coverage, self.weights.as_deref()).into()
            }
        };
        self.variation_keys = (0..self.variations.max(1))
            .map(|index| {
                let key = self.meta.get(index).and_then(|meta| meta.key.clone());
                key.filter(|key| !key.is_empty())
                    .unwrap_or_else(|| index.to_string().into_boxed_str())
            })
            .collect();
        self.sticky_key = js_number_string(self.bucket_version, |version| {
            [&self.key, STICKY_KEY_SEPARATOR, version].concat().into()
        });
    }

    /// The attributes whose sticky bucket documents it may look at.
    pub(crate) fn sticky_attributes(&self) -> impl Iterator<Item = &str> {
        let attributes = [Some(&*self.hash_attribute), self.fallback_attribute.as_deref()];
        attributes.into_iter().flatten()
    }

    /// The version of an assignment of this experiment, when the key of one in a sticky bucket
    /// document is that.
    pub(crate) fn assigned_version(&self, sticky_key: &str) -> Option<f64> {
        let version = sticky_key.strip_prefix(&*self.key)?.strip_prefix(STICKY_KEY_SEPARATOR)?;
        // Versions are counted up from 0; only such can be blocked.
        let canonical = version.bytes().all(|byte| byte.is_ascii_digit())
            && (version == "0" || !version.starts_with('0'));
        if canonical { version.parse().ok() } else { None }
    }

    /// The key it is tracked under.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its name for people.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The phase it is in.
    pub fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// The seed of its hash; the key when none is set.
    pub fn seed(&self) -> &str {
        self.seed.as_ref().unwrap_or(&self.key)
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
        self.fallback_attribute.as_deref()
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
            .field("key", &self.key)
            .field("hash_attribute", &self.hash_attribute)
            .field("ranges", &self.ranges)
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
