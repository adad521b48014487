//! An experiment without its values: who takes part, and in which variation.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::legacy::LegacyUrl;
use crate::bucket::{BucketHasher, BucketRange, Namespace, bucket_ranges};
use crate::condition::{Clauses, Condition};
use crate::json::{Json, Object, js_number_string};
use crate::result::HashValue;
use crate::snapshot::FeatureIndex;
use crate::url::{UrlTarget, UrlTargets};

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

/// What a definition serializes to.
#[derive(Clone)]
pub(crate) enum Echo {
    /// The members to show of the rule it was read from.
    Rule(Box<str>),
    /// The experiment it was read from, all of which is shown.
    Experiment(Box<str>),
    /// Members as they were set.
    Members(Vec<(&'static str, Json<'static>)>),
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

/// The members of a rule that its experiment copies, when they are truthy.
const COPIED_IF_TRUTHY: [&str; 13] = [
    "weights",
    "hashAttribute",
    "fallbackAttribute",
    "disableStickyBucketing",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hashVersion",
    "filters",
    "condition",
];
/// The members it copies whenever they are there.
const COPIED_IF_PRESENT: [&str; 3] = ["coverage", "bucketVersion", "minBucketVersion"];

impl Serialize for ExperimentDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_entries(&mut map, None)?;
        map.end()
    }
}

impl ExperimentDefinition {
    /// Writes the members, with other weights than its own where a bandit chose some.
    pub(crate) fn serialize_entries<M: SerializeMap>(
        &self,
        map: &mut M,
        weights: Option<&[f64]>,
    ) -> Result<(), M::Error> {
        map.serialize_entry("key", &self.key)?;
        if let Some(weights) = weights {
            map.serialize_entry("weights", weights)?;
        }
        match &self.echo {
            Echo::Members(members) => {
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
            }
            Echo::Experiment(text) => {
                let experiment: Json<'_> = serde_json::from_str(text).unwrap_or(Json::Null);
                let members = experiment.as_object().into_iter().flat_map(Object::iter);
                for (name, value) in members.filter(|(name, _)| *name != "key") {
                    map.serialize_entry(name, value)?;
                }
            }
            Echo::Rule(text) => {
                let rule: Json<'_> = serde_json::from_str(text).unwrap_or(Json::Null);
                let Some(rule) = rule.as_object() else {
                    return Ok(());
                };
                let variations = rule
                    .get("contextualVariations")
                    .filter(|variations| !matches!(variations, Json::Null))
                    .or_else(|| rule.get("variations"));
                if let Some(variations) = variations {
                    map.serialize_entry("variations", variations)?;
                }
                for (name, value) in rule.iter() {
                    if name == "weights" && weights.is_some() {
                        continue;
                    }
                    if COPIED_IF_PRESENT.contains(&name)
                        || COPIED_IF_TRUTHY.contains(&name) && value.is_truthy()
                    {
                        map.serialize_entry(name, value)?;
                    }
                }
            }
        }
        Ok(())
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

/// Takes only users whose bucket under `seed` lies in one of the ranges: several experiments that
/// share a seed can divide users among themselves.
#[derive(Clone, Debug)]
pub struct Filter {
    attribute: Box<str>,
    ranges: Box<[BucketRange]>,
    hasher: Option<BucketHasher>,
    seed: Box<str>,
    hash_version: i64,
}

/// The hash version a filter uses unless it names another.
const DEFAULT_FILTER_HASH_VERSION: i64 = 2;

impl Filter {
    /// A filter on the attribute `id`, with version 2 of the hash.
    pub fn new<R: Into<BucketRange>>(
        seed: impl Into<Box<str>>,
        ranges: impl IntoIterator<Item = R>,
    ) -> Self {
        let seed = seed.into();
        Filter {
            attribute: DEFAULT_HASH_ATTRIBUTE.into(),
            ranges: ranges.into_iter().map(Into::into).collect(),
            hasher: BucketHasher::new(&seed, DEFAULT_FILTER_HASH_VERSION),
            seed,
            hash_version: DEFAULT_FILTER_HASH_VERSION,
        }
    }

    /// Hashes another attribute.
    #[must_use]
    pub fn attribute(self, attribute: impl Into<Box<str>>) -> Self {
        Filter { attribute: attribute.into(), ..self }
    }

    /// Uses another version of the hash. Nobody passes with one that is not known.
    #[must_use]
    pub fn hash_version(self, version: i64) -> Self {
        Filter { hasher: BucketHasher::new(&self.seed, version), hash_version: version, ..self }
    }

    /// A filter nobody passes, for one that could not be read.
    pub(crate) fn nobody() -> Self {
        Filter::new("", [BucketRange::EMPTY; 0])
    }

    pub(crate) fn hash_attribute(&self) -> &str {
        &self.attribute
    }

    pub(crate) fn is_known_version(&self) -> bool {
        self.hasher.is_some()
    }

    pub(crate) fn passes(&self, value: HashValue<'_>) -> bool {
        let bucket = self.hasher.as_ref().and_then(|hasher| hasher.hash(value));
        bucket.is_some_and(|bucket| self.ranges.iter().any(|range| range.contains(bucket)))
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("attribute", &self.attribute)?;
        map.serialize_entry("seed", &self.seed)?;
        map.serialize_entry("hashVersion", &self.hash_version)?;
        map.serialize_entry("ranges", &self.ranges)?;
        map.end()
    }
}

/// The share of users a force rule applies to.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) hash_attribute: Box<str>,
    /// Hashed instead when the user lacks the first, with sticky bucketing.
    pub(crate) fallback_attribute: Option<Box<str>>,
    pub(crate) hasher: Option<BucketHasher>,
    pub(crate) range: BucketRange,
}

/// A prerequisite: a feature whose value must meet a condition.
#[derive(Clone, Debug)]
pub(crate) struct ParentCondition {
    pub(crate) feature: ParentFeature,
    /// `None` passes whatever the value.
    pub(crate) condition: Option<Clauses>,
    /// Whether a failure leaves the whole feature without a value.
    pub(crate) gate: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum ParentFeature {
    /// A feature of the same payload.
    Linked(FeatureIndex),
    /// A feature by key: of an inline experiment, or one the payload lacks.
    Named(Box<str>),
}

/// Collects what an inline experiment was given, for its echo.
pub(crate) fn echo_json(value: &impl Serialize) -> Json<'static> {
    serde_json::to_value(value).map_or(Json::Null, |value| Json::from(&value))
}

impl ExperimentDefinition {
    pub(crate) fn echo(&mut self, name: &'static str, value: Json<'static>) {
        if let Echo::Members(members) = &mut self.echo {
            members.retain(|(member, _)| *member != name);
            members.push((name, value));
        }
    }

    pub(crate) fn set_condition(&mut self, condition: &Condition) {
        self.condition = Some(condition.clauses().clone());
        self.echo("condition", condition.json().clone());
    }

    pub(crate) fn set_url_patterns(&mut self, targets: &[UrlTarget], compiled: UrlTargets) {
        self.url_patterns = Some(compiled);
        self.echo("urlPatterns", echo_json(&targets));
    }
}
