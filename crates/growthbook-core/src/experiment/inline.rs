//! Experiments declared in code, over values of any Rust type.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use serde_json::Value;

use super::definition::{ExperimentDefinition, ExperimentStatus, VariationMeta};
use super::division::Division;
use super::echo::echo_json;
use super::filter::Filter;
use super::prerequisite::{ParentCondition, ParentFeature};
use super::read::DefinitionReader;
use super::sticky::StickySettings;
use crate::bucket::{BucketRange, Namespace};
use crate::condition::Condition;
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::url::{UrlTarget, UrlTargets};
use crate::warning::WarningKind;
use crate::wire::{self, ExperimentWire};

/// An experiment declared in code: a key, two or more variations, and who takes part.
///
/// Built once, typically in a `LazyLock`, and run for every user. Unless said otherwise every
/// user with an `id` takes part, and every variation gets the same share.
///
/// ```
/// use growthbook_core::{Experiment, Snapshot, UserContext};
///
/// let experiment = Experiment::new("cta-text", ["Buy", "Order now"])
///     .weights([0.3, 0.7])
///     .coverage(0.8)
///     .namespace("pricing", 0.0, 0.5);
/// let snapshot = Snapshot::empty();
/// let user = UserContext::new("user-8");
/// let shown = snapshot.for_user(&user).run(&experiment);
/// assert_eq!((*shown.value, shown.in_experiment), ("Order now", true));
/// ```
#[derive(Clone)]
pub struct Experiment<T> {
    definition: ExperimentDefinition,
    /// Never empty.
    variations: Box<[T]>,
    warnings: Vec<WarningKind>,
}

/// An experiment needs at least one variation to have a value at all, and two to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVariations;

impl fmt::Display for NoVariations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an experiment needs at least one variation")
    }
}

impl core::error::Error for NoVariations {}

/// Why text is no experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExperimentError {
    /// Not JSON, or nested too deeply.
    Syntax {
        /// The line of the text where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// JSON, but no object.
    NotAnObject,
    /// It has no `key`, or an empty one.
    MissingKey,
    /// It has no list of `variations`.
    MissingVariations,
}

impl fmt::Display for ExperimentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ExperimentError::Syntax { line, column } => {
                return write!(
                    formatter,
                    "the experiment is not valid JSON (line {line}, column {column})"
                );
            }
            ExperimentError::NotAnObject => "the experiment is not an object",
            ExperimentError::MissingKey => "the experiment has no key",
            ExperimentError::MissingVariations => "the experiment has no list of variations",
        })
    }
}

impl core::error::Error for ExperimentError {}

impl<T> Experiment<T> {
    /// An experiment over these variations. That there is one at all is checked by the compiler.
    /// For a `Vec` see [`from_variations`](Experiment::from_variations).
    pub fn new<const N: usize>(key: impl Into<Box<str>>, variations: [T; N]) -> Self {
        const { assert!(N > 0, "an experiment needs at least one variation") };
        Experiment::build(ExperimentDefinition::new(&key.into(), N), Box::new(variations))
    }

    /// An experiment over variations made at run time.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub fn from_variations(
        key: impl Into<Box<str>>,
        variations: impl IntoIterator<Item = T>,
    ) -> Result<Self, NoVariations> {
        let variations: Box<[T]> = variations.into_iter().collect();
        if variations.is_empty() {
            return Err(NoVariations);
        }
        Ok(Experiment::build(ExperimentDefinition::new(&key.into(), variations.len()), variations))
    }

    fn build(definition: ExperimentDefinition, variations: Box<[T]>) -> Self {
        Experiment { definition, variations, warnings: Vec::new() }
    }

    fn set(mut self, set: impl FnOnce(&mut ExperimentDefinition)) -> Self {
        self.definition.update(None, set);
        self
    }

    /// The share of each variation. They must add up to 1; weights of another number than there
    /// are variations, or whose sum lies outside 0.99 to 1.01, give equal shares.
    #[must_use]
    pub fn weights(self, weights: impl Into<Box<[f64]>>) -> Self {
        self.set(|definition| {
            let weights: Box<[f64]> = weights.into();
            definition.echo.set("weights", echo_json(&weights));
            definition.allocation.set_weights(weights.into());
        })
    }

    /// The share of users who take part, from 0 to 1. Default: 1.
    #[must_use]
    pub fn coverage(self, coverage: f64) -> Self {
        self.set(|definition| {
            definition.allocation.set_coverage(coverage);
            definition.echo.set("coverage", echo_json(&coverage));
        })
    }

    /// The buckets of each variation, in place of weights and coverage.
    #[must_use]
    pub fn ranges<R: Into<BucketRange>>(self, ranges: impl IntoIterator<Item = R>) -> Self {
        self.set(|definition| {
            let ranges: Arc<[BucketRange]> = ranges.into_iter().map(Into::into).collect();
            definition.echo.set("ranges", echo_json(&&*ranges));
            definition.set_ranges(ranges);
        })
    }

    /// Takes only users who pass the condition.
    #[must_use]
    pub fn condition(mut self, condition: impl Into<Condition>) -> Self {
        let condition = condition.into();
        self.warnings.extend_from_slice(condition.warnings());
        self.set(|definition| definition.set_condition(&condition))
    }

    /// Takes only users for whom the value of the feature `id`, as the attribute `value`, passes
    /// the condition. Several prerequisites must all pass.
    #[must_use]
    pub fn parent_condition(
        mut self,
        id: impl Into<Box<str>>,
        condition: impl Into<Condition>,
    ) -> Self {
        let condition = condition.into();
        self.warnings.extend_from_slice(condition.warnings());
        let parent = ParentCondition {
            feature: ParentFeature::Named(id.into()),
            value: Some(condition.clauses().clone()).into(),
            gate: false,
        };
        self.set(|definition| {
            definition.own_mut().parents.push(parent);
        })
    }

    /// Gives everybody who takes part this variation, by index.
    #[must_use]
    pub fn force(self, variation: i64) -> Self {
        self.set(|definition| {
            definition.own_mut().force = Some(variation);
            definition.echo.set("force", echo_json(&variation));
        })
    }

    /// Whether it runs. Default: true. An inactive one is left to forced variations.
    #[must_use]
    pub fn active(self, active: bool) -> Self {
        self.set(|definition| {
            definition.own_mut().active = active;
            definition.echo.set("active", Json::Bool(active));
        })
    }

    /// Its status. Default: running.
    #[must_use]
    pub fn status(self, status: ExperimentStatus) -> Self {
        self.set(|definition| {
            definition.own_mut().status = status;
            definition.echo.set("status", echo_json(&status));
        })
    }

    /// The attribute to hash. Default: `id`.
    #[must_use]
    pub fn hash_attribute(self, attribute: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let attribute = attribute.into();
            definition.echo.set("hashAttribute", echo_json(&attribute));
            if !attribute.is_empty() {
                definition.hash_attribute = attribute.into();
            }
        })
    }

    /// The attribute to hash when the user lacks the first. Only sticky bucketing uses it.
    #[must_use]
    pub fn fallback_attribute(self, attribute: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let attribute = attribute.into();
            definition.echo.set("fallbackAttribute", echo_json(&attribute));
            definition.set_sticky(StickySettings {
                fallback_attribute: Some(attribute),
                ..definition.sticky().clone()
            });
        })
    }

    /// Neither reads nor writes sticky bucket documents. Default: false.
    #[must_use]
    pub fn disable_sticky_bucketing(self, disable: bool) -> Self {
        self.set(|definition| {
            definition
                .set_sticky(StickySettings { disabled: disable, ..definition.sticky().clone() });
            definition.echo.set("disableStickyBucketing", Json::Bool(disable));
        })
    }

    /// The version of its sticky assignments. Default: 0. Another one assigns anew.
    #[must_use]
    pub fn bucket_version(self, version: u32) -> Self {
        self.set(|definition| {
            definition.set_sticky(StickySettings {
                bucket_version: version.into(),
                ..definition.sticky().clone()
            });
            definition.echo.set("bucketVersion", echo_json(&version));
        })
    }

    /// Leaves out users with a sticky assignment of a version below this. Default: 0.
    #[must_use]
    pub fn min_bucket_version(self, version: u32) -> Self {
        self.set(|definition| {
            definition.set_sticky(StickySettings {
                min_bucket_version: version.into(),
                ..definition.sticky().clone()
            });
            definition.echo.set("minBucketVersion", echo_json(&version));
        })
    }

    /// The version of the hash: 1 or 2. Default: 1; new experiments had better use 2, which is
    /// not biased. With another version nobody takes part.
    #[must_use]
    pub fn hash_version(self, version: i64) -> Self {
        self.set(|definition| {
            definition.hash_version = version;
            definition.echo.set("hashVersion", echo_json(&version));
        })
    }

    /// What is hashed with the user's attribute. Default: the key. Another seed assigns anew.
    #[must_use]
    pub fn seed(self, seed: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let seed = seed.into();
            definition.echo.set("seed", echo_json(&seed));
            definition.seed = Some(seed).filter(|seed| !seed.is_empty()).map(Into::into);
        })
    }

    /// Takes only users whose bucket in the namespace lies from `start` up to but excluding
    /// `end`. Experiments of one namespace whose ranges do not overlap exclude one another.
    /// Filters, where there are any, replace it.
    #[must_use]
    pub fn namespace(self, id: impl Into<Box<str>>, start: f64, end: f64) -> Self {
        self.set(|definition| {
            let namespace = Namespace::new(id, start, end);
            definition.echo.set("namespace", echo_json(&namespace));
            definition.division.set_namespace(namespace);
        })
    }

    /// Takes only users who pass every filter.
    #[must_use]
    pub fn filters(self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.set(|definition| {
            let filters: Box<[Filter]> = filters.into_iter().collect();
            definition.echo.set("filters", echo_json(&filters));
            definition.division = Division::Filters(filters);
        })
    }

    /// Keys and names of the variations, by index.
    #[must_use]
    pub fn meta(self, meta: impl IntoIterator<Item = VariationMeta>) -> Self {
        self.set(|definition| {
            definition.meta = meta.into_iter().collect();
            let echo = echo_json(&&*definition.meta);
            definition.echo.set("meta", echo);
        })
    }

    /// Its name for people.
    #[must_use]
    pub fn name(self, name: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let name = name.into();
            definition.echo.set("name", echo_json(&name));
            definition.name = Some(name.into());
        })
    }

    /// The phase it is in, for tracking.
    #[must_use]
    pub fn phase(self, phase: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let phase = phase.into();
            definition.echo.set("phase", echo_json(&phase));
            definition.phase = Some(phase.into());
        })
    }

    /// Runs only on pages that the patterns target.
    #[must_use]
    pub fn url_patterns(mut self, targets: impl IntoIterator<Item = UrlTarget>) -> Self {
        let targets: Vec<UrlTarget> = targets.into_iter().collect();
        let compiled = UrlTargets::new(&targets, &PatternCompiler::default(), |pattern| {
            self.warnings.push(WarningKind::UrlPattern(pattern.into()));
        });
        self.set(|definition| definition.set_url_patterns(&targets, compiled))
    }

    /// Who takes part, and how variations are assigned.
    pub fn definition(&self) -> &ExperimentDefinition {
        &self.definition
    }

    /// The values of the variations.
    pub fn variations(&self) -> &[T] {
        &self.variations
    }

    /// Parts that can never match, such as a regular expression that cannot be run.
    pub fn warnings(&self) -> &[WarningKind] {
        &self.warnings
    }

    /// The value of a variation; of the first for an index there is none of.
    pub(crate) fn value(&self, index: usize) -> &T {
        match self.variations.get(index) {
            Some(value) => value,
            #[expect(clippy::indexing_slicing, reason = "variations is never empty")]
            None => &self.variations[0],
        }
    }
}

impl Experiment<Value> {
    /// Reads an experiment from JSON, as GrowthBook writes it: `{"key": ..., "variations": [...]}`.
    ///
    /// # Errors
    ///
    /// When the text is no JSON object with a key and a list of variations. What else makes no
    /// sense becomes a warning, and nobody takes part. An empty list is one variation, null: then
    /// nobody takes part either.
    pub fn from_json(text: &str) -> Result<Self, ExperimentError> {
        let json: Json<'_> = serde_json::from_str(text).map_err(|error| {
            ExperimentError::Syntax { line: error.line(), column: error.column() }
        })?;
        let object = json.as_object().ok_or(ExperimentError::NotAnObject)?;
        let members = ExperimentWire::of(object);
        let key = members.rule.key.get().and_then(wire::text).ok_or(ExperimentError::MissingKey)?;
        let variations = members.rule.variations.as_array();
        let variations = variations.ok_or(ExperimentError::MissingVariations)?;
        let mut warnings = Vec::new();
        let mut values: Vec<Value> = variations.iter().map(Json::to_value).collect();
        let patterns = PatternCompiler::default();
        let definition = DefinitionReader::new(&patterns, &mut warnings)
            .own_experiment(&members, &key, values.len())
            .unwrap_or_else(|kind| {
                warnings.push(kind);
                let mut definition = ExperimentDefinition::new(&key, values.len());
                definition.own_mut().active = false;
                definition
            });
        if values.is_empty() {
            values.push(Value::Null);
        }
        Ok(Experiment { definition, variations: values.into(), warnings })
    }
}

impl<T: fmt::Debug> fmt::Debug for Experiment<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Experiment")
            .field("definition", &self.definition)
            .field("variations", &self.variations)
            .finish_non_exhaustive()
    }
}
