//! Experiments declared in code, with values of any Rust type.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use serde_json::Value;

use super::definition::{ExperimentDefinition, ExperimentStatus, VariationMeta};
use super::division::Division;
use super::echo::{Echo, echo_json};
use super::filter::Filter;
use super::prerequisite::{ParentCondition, ParentFeature};
use super::ranges;
use super::read::DefinitionReader;
use super::sticky::StickySettings;
use crate::bucket::{BucketRange, Namespace};
use crate::condition::Condition;
use crate::json::{Json, Object};
use crate::pattern::PatternCompiler;
use crate::url::{UrlTarget, UrlTargets};
use crate::warning::WarningKind;
use crate::wire::{self, ExperimentWire};

/// An experiment declared in code: a key, two or more variations, and the users who take part.
///
/// Build it once, for example in a `LazyLock`, and run it for every user. By default every user
/// with an `id` takes part, and every variation gets the same share.
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

/// The error for an experiment without variations. It needs one to have a value, and two to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVariations;

impl fmt::Display for NoVariations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an experiment needs at least one variation: pass two or more")
    }
}

impl core::error::Error for NoVariations {}

/// Why text is not an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExperimentError {
    /// The text is not JSON, or it nests too deep.
    Syntax {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// The text is JSON, but not an object.
    NotAnObject,
    /// `key` is missing or empty.
    MissingKey,
    /// `variations` is missing, or not a list.
    MissingVariations,
}

impl fmt::Display for ExperimentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ExperimentError::Syntax { line, column } => {
                return write!(
                    formatter,
                    "the experiment is not valid JSON (line {line}, column {column}): correct it there"
                );
            }
            ExperimentError::NotAnObject => {
                "the experiment is not an object: write it as {\"key\": ..., \"variations\": [...]}"
            }
            ExperimentError::MissingKey => "the experiment has no key: add `key`, a text",
            ExperimentError::MissingVariations => {
                "the experiment has no list of variations: add `variations`, with two or more values"
            }
        })
    }
}

impl core::error::Error for ExperimentError {}

impl<T> Experiment<T> {
    /// Makes an experiment with these variations. The compiler refuses an empty array. For a `Vec`,
    /// use [`from_variations`](Experiment::from_variations).
    pub fn new<const N: usize>(key: impl Into<Box<str>>, variations: [T; N]) -> Self {
        const { assert!(N > 0, "an experiment needs at least one variation") };
        Experiment::build(ExperimentDefinition::new(&key.into(), N), Box::new(variations))
    }

    /// Makes an experiment with variations that are known at run time.
    ///
    /// # Errors
    ///
    /// There are no variations.
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
        self.check_ranges();
        self
    }

    /// Warns about settings that are outside their range, in place of earlier such warnings.
    fn check_ranges(&mut self) {
        self.warnings.retain(|warning| !matches!(warning, WarningKind::OutOfRange { .. }));
        self.warnings.extend(ranges::warnings_of(&self.definition));
    }

    /// Sets the share of each variation. The sum must be 1. The shares become equal if there is not
    /// one weight for each variation, or if the sum is outside 0.99 to 1.01.
    #[must_use]
    pub fn weights(self, weights: impl Into<Box<[f64]>>) -> Self {
        self.set(|definition| {
            let weights: Box<[f64]> = weights.into();
            definition.echo.set("weights", echo_json(&weights));
            definition.allocation.set_weights(weights.into());
        })
    }

    /// Sets the share of users who take part, from 0 to 1. Default: 1.
    #[must_use]
    pub fn coverage(self, coverage: f64) -> Self {
        self.set(|definition| {
            definition.allocation.set_coverage(coverage);
            definition.echo.set("coverage", echo_json(&coverage));
        })
    }

    /// Sets the buckets of each variation, in place of weights and coverage.
    #[must_use]
    pub fn ranges<R: Into<BucketRange>>(self, ranges: impl IntoIterator<Item = R>) -> Self {
        self.set(|definition| {
            let ranges: Arc<[BucketRange]> = ranges.into_iter().map(Into::into).collect();
            definition.echo.set("ranges", echo_json(&&*ranges));
            definition.set_ranges(ranges);
        })
    }

    /// Includes only users who pass the condition.
    #[must_use]
    pub fn condition(mut self, condition: impl Into<Condition>) -> Self {
        let condition = condition.into();
        self.warnings.extend_from_slice(condition.warnings());
        self.set(|definition| definition.set_condition(&condition))
    }

    /// Adds a prerequisite: the value of the feature `id` must pass the condition. The condition
    /// tests it as the attribute `value`. All prerequisites must pass.
    #[must_use]
    pub fn parent_condition(
        mut self,
        id: impl Into<Box<str>>,
        condition: impl Into<Condition>,
    ) -> Self {
        let condition = condition.into();
        self.warnings.extend_from_slice(condition.warnings());
        let id: Box<str> = id.into();
        let echo = Json::Object(Object::ordered(
            [("id", Json::from(&Value::from(&*id))), ("condition", condition.json().clone())]
                .map(|(name, value)| (name.into(), value))
                .into(),
        ));
        let parent = ParentCondition {
            feature: ParentFeature::Named(id),
            value: Some(condition.clauses().clone()).into(),
            gate: false,
        };
        self.set(|definition| {
            definition.own_mut().parents.push(parent);
            definition.echo.push("parentConditions", echo);
        })
    }

    /// Gives this variation to every user who takes part.
    #[must_use]
    pub fn force(self, variation: i64) -> Self {
        self.set(|definition| {
            definition.own_mut().force = Some(variation);
            definition.echo.set("force", echo_json(&variation));
        })
    }

    /// Sets whether the experiment runs. Default: true. Without running, only forced variations
    /// apply.
    #[must_use]
    pub fn active(self, active: bool) -> Self {
        self.set(|definition| {
            definition.own_mut().active = active;
            definition.echo.set("active", Json::Bool(active));
        })
    }

    /// Sets the status. Default: running.
    #[must_use]
    pub fn status(self, status: ExperimentStatus) -> Self {
        self.set(|definition| {
            definition.own_mut().status = status;
            definition.echo.set("status", echo_json(&status));
        })
    }

    /// Sets the attribute to hash. Default: `id`.
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

    /// Sets the attribute to hash if the user does not have the first one. Only sticky bucketing
    /// uses it.
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

    /// Sets whether the experiment ignores sticky bucket documents. Default: false.
    #[must_use]
    pub fn disable_sticky_bucketing(self, disable: bool) -> Self {
        self.set(|definition| {
            definition
                .set_sticky(StickySettings { disabled: disable, ..definition.sticky().clone() });
            definition.echo.set("disableStickyBucketing", Json::Bool(disable));
        })
    }

    /// Sets the version of sticky assignments. Default: 0. After a change, users are assigned
    /// again.
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

    /// Sets the lowest version of sticky assignments. Default: 0. Users with an older assignment
    /// are left out.
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

    /// Sets the version of the hash: 1 or 2. Default: 1. New experiments should use 2, which is not
    /// biased. With any other version no user takes part.
    #[must_use]
    pub fn hash_version(self, version: i64) -> Self {
        self.set(|definition| {
            definition.hash_version = version;
            definition.echo.set("hashVersion", echo_json(&version));
        })
    }

    /// Sets the text that is hashed with the user's attribute. Default: the key. After a change,
    /// users are assigned again.
    #[must_use]
    pub fn seed(self, seed: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let seed = seed.into();
            definition.echo.set("seed", echo_json(&seed));
            definition.seed = Some(seed).filter(|seed| !seed.is_empty()).map(Into::into);
        })
    }

    /// Includes only users whose bucket in the namespace is at least `start` and less than `end`. A
    /// user takes part in at most one of several experiments whose ranges do not overlap. Filters
    /// replace the namespace.
    #[must_use]
    pub fn namespace(self, id: impl Into<Box<str>>, start: f64, end: f64) -> Self {
        self.set(|definition| {
            let namespace = Namespace::new(id, start, end);
            definition.echo.set("namespace", echo_json(&namespace));
            definition.division.set_namespace(namespace);
        })
    }

    /// Includes only users who pass every filter.
    #[must_use]
    pub fn filters(self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.set(|definition| {
            let filters: Box<[Filter]> = filters.into_iter().collect();
            definition.echo.set("filters", echo_json(&filters));
            definition.division = Division::Filters(filters);
        })
    }

    /// Sets the keys and names of the variations, by index.
    #[must_use]
    pub fn meta(self, meta: impl IntoIterator<Item = VariationMeta>) -> Self {
        self.set(|definition| {
            definition.meta = meta.into_iter().collect();
            let echo = echo_json(&&*definition.meta);
            definition.echo.set("meta", echo);
        })
    }

    /// Sets the name that people see.
    #[must_use]
    pub fn name(self, name: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let name = name.into();
            definition.echo.set("name", echo_json(&name));
            definition.name = Some(name.into());
        })
    }

    /// Sets the phase, for tracking.
    #[must_use]
    pub fn phase(self, phase: impl Into<Box<str>>) -> Self {
        self.set(|definition| {
            let phase = phase.into();
            definition.echo.set("phase", echo_json(&phase));
            definition.phase = Some(phase.into());
        })
    }

    /// Runs the experiment only on pages that the patterns target.
    #[must_use]
    pub fn url_patterns(mut self, targets: impl IntoIterator<Item = UrlTarget>) -> Self {
        let targets: Vec<UrlTarget> = targets.into_iter().collect();
        let compiled = UrlTargets::new(&targets, &PatternCompiler::default(), |warning| {
            self.warnings.push(warning);
        });
        self.set(|definition| definition.set_url_patterns(&targets, compiled))
    }

    /// Returns the definition: the users who take part, and the assignment of variations.
    pub fn definition(&self) -> &ExperimentDefinition {
        &self.definition
    }

    /// Returns the values of the variations.
    pub fn variations(&self) -> &[T] {
        &self.variations
    }

    /// Returns warnings: parts that never match, such as an unknown operator or a regular expression
    /// that cannot be run; and weights, a coverage, a hash version or a namespace outside its range.
    ///
    /// ```
    /// use growthbook_core::Experiment;
    ///
    /// let experiment = Experiment::new("cta-text", ["Buy", "Order now"]).weights([0.3, 0.3]);
    /// assert_eq!(
    ///     experiment.warnings()[0].to_string(),
    ///     r#""weights" must be one share for each variation, with the sum 1"#
    /// );
    /// ```
    pub fn warnings(&self) -> &[WarningKind] {
        &self.warnings
    }

    /// Returns the value of a variation. Returns that of the first one if the index does not exist.
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
    /// The text is not a JSON object with a key and a list of variations. Any other malformed part
    /// becomes a warning, and no user takes part. An empty list counts as one variation, null: no
    /// user takes part then, either.
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
        let mut definition = DefinitionReader::new(&patterns, &mut warnings)
            .own_experiment(&members, &key, values.len())
            .unwrap_or_else(|kind| {
                warnings.push(kind);
                let mut definition = ExperimentDefinition::new(&key, values.len());
                definition.own_mut().active = false;
                definition
            });
        definition.echo = Echo::Experiment(text.into());
        if values.is_empty() {
            values.push(Value::Null);
        }
        ranges::complete(&mut warnings, &definition);
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
