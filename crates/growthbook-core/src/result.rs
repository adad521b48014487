//! The results of evaluations: the value, and how it was decided.

use core::fmt;
use core::ops::Deref;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::bandit::ContextualBandit;
use crate::exclusion::Exclusion;
use crate::experiment::ExperimentDefinition;
use crate::hash_value::HashValue;
use crate::value::{self, FeatureValue};
use crate::value_error::ValueError;

/// Where a feature's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeatureResultSource {
    /// The snapshot has no such feature.
    UnknownFeature,
    /// No rule applied.
    DefaultValue,
    /// A rule's forced value.
    Force,
    /// A rule's experiment.
    Experiment,
    /// A value forced for this user or globally, in code.
    Override,
    /// A gate failed: a prerequisite that decides alone. There is no value.
    Prerequisite,
    /// Prerequisites lead back to the feature itself, or exceed a limit. There is no value.
    CyclicPrerequisite,
}

impl FeatureResultSource {
    /// Returns GrowthBook's name of the source, such as `defaultValue`.
    pub fn as_str(self) -> &'static str {
        match self {
            FeatureResultSource::UnknownFeature => "unknownFeature",
            FeatureResultSource::DefaultValue => "defaultValue",
            FeatureResultSource::Force => "force",
            FeatureResultSource::Experiment => "experiment",
            FeatureResultSource::Override => "override",
            FeatureResultSource::Prerequisite => "prerequisite",
            FeatureResultSource::CyclicPrerequisite => "cyclicPrerequisite",
        }
    }
}

impl fmt::Display for FeatureResultSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Serialize for FeatureResultSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The result of a feature. It borrows from the snapshot and the user it was evaluated for.
///
/// Serializes to GrowthBook's FeatureResult.
#[derive(Clone)]
#[non_exhaustive]
pub struct FeatureResult<'a> {
    /// Whether the value is truthy in JavaScript's sense: everything but null, false, 0 and "".
    pub on: bool,
    /// The opposite of `on`.
    pub off: bool,
    /// Where the value comes from.
    pub source: FeatureResultSource,
    /// The id of the rule that decided. Empty when no rule decided, or when it has no id.
    pub rule_id: &'a str,
    /// The experiment that decided, if there is one.
    pub experiment: Option<FeatureExperiment<'a>>,
    /// How that experiment assigned the user.
    pub experiment_result: Option<ExperimentResult<'a, Value>>,
    value: &'a FeatureValue,
}

impl<'a> FeatureResult<'a> {
    #[inline]
    pub(crate) fn new(value: &'a FeatureValue, source: FeatureResultSource) -> Self {
        let on = value.is_truthy();
        FeatureResult {
            on,
            off: !on,
            source,
            rule_id: "",
            experiment: None,
            experiment_result: None,
            value,
        }
    }

    #[inline]
    pub(crate) fn with_rule(self, rule_id: &'a str) -> Self {
        FeatureResult { rule_id, ..self }
    }

    #[inline]
    pub(crate) fn with_experiment(
        self,
        experiment: FeatureExperiment<'a>,
        assignment: Assignment<'a>,
    ) -> Self {
        let value = self.value.value();
        FeatureResult {
            experiment: Some(experiment),
            experiment_result: Some(ExperimentResult { value, assignment }),
            ..self
        }
    }

    /// Returns the value; null if the feature has no value.
    pub fn value(&self) -> &'a Value {
        self.value.value()
    }

    /// Reads the value as a type of yours, which may borrow strings.
    ///
    /// # Errors
    ///
    /// Fails when the value is not of that type.
    pub fn deserialize<T: Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        self.value.read()
    }

    /// Returns the value as a type of yours, which may borrow strings.
    ///
    /// # Errors
    ///
    /// The feature is unknown, has no value, or has a value of another type.
    pub fn try_value<T: Deserialize<'a>>(&self) -> Result<T, ValueError<'a>> {
        typed(self.value, self.source)
    }

    /// Returns the value as the fallback's type. Returns the fallback when the value is null or of
    /// another type.
    pub fn value_or<T: Deserialize<'a>>(&self, fallback: T) -> T {
        self.value.value_or(fallback)
    }
}

/// Returns a feature's value as the caller's type.
#[inline]
pub(crate) fn typed<'a, T: Deserialize<'a>>(
    value: &'a FeatureValue,
    source: FeatureResultSource,
) -> Result<T, ValueError<'a>> {
    match value.value() {
        Value::Null if source == FeatureResultSource::UnknownFeature => {
            Err(ValueError::UnknownFeature)
        }
        Value::Null => Err(ValueError::NoValue),
        json => value.read().map_err(|_| ValueError::WrongType(json)),
    }
}

/// Prints everything but attribute values.
impl fmt::Debug for FeatureResult<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FeatureResult")
            .field("value", self.value())
            .field("source", &self.source)
            .field("rule_id", &self.rule_id)
            .field("experiment_result", &self.experiment_result)
            .finish_non_exhaustive()
    }
}

impl Serialize for FeatureResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", self.value())?;
        map.serialize_entry("on", &self.on)?;
        map.serialize_entry("off", &self.off)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("ruleId", self.rule_id)?;
        if let Some(experiment) = &self.experiment {
            map.serialize_entry("experiment", experiment)?;
        }
        if let Some(result) = &self.experiment_result {
            map.serialize_entry("experimentResult", result)?;
        }
        map.end()
    }
}

/// Reads a JSON value as a type of yours, as the values of features are read: a whole number is an
/// integer, even if it is written as `17.0`.
///
/// ```
/// let value = serde_json::json!([17.0, 2]);
/// assert_eq!(growthbook_core::result::read_value::<Vec<u8>>(&value)?, [17, 2]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// When the value is not of that type.
pub fn read_value<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, serde_json::Error> {
    value::read(value)
}

/// The experiment that decided a feature's value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FeatureExperiment<'a> {
    /// The rule's experiment.
    pub definition: &'a ExperimentDefinition,
    /// The weights of the bandit's leaf, in place of the definition's.
    pub weights: Option<&'a [f64]>,
    /// How the bandit chose its weights, when hashing decided.
    pub contextual_bandit: Option<ContextualBandit<'a>>,
}

impl<'a> FeatureExperiment<'a> {
    /// Returns the key under which the experiment is tracked.
    pub fn key(&self) -> &'a str {
        self.definition.key()
    }
}

impl Serialize for FeatureExperiment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.definition.serialize_entries(&mut map, self.weights)?;
        if let Some(bandit) = &self.contextual_bandit {
            map.serialize_entry("contextualBandit", bandit)?;
        }
        map.end()
    }
}

/// The result of an experiment: the assigned variation's value, and the assignment.
///
/// It derefs to the [`Assignment`]: `result.in_experiment`, `result.variation_id`.
///
/// Serializes to GrowthBook's ExperimentResult.
#[non_exhaustive]
pub struct ExperimentResult<'a, T> {
    /// The value of the assigned variation. The first one's when the user does not take part.
    pub value: &'a T,
    /// How the user was assigned.
    pub assignment: Assignment<'a>,
}

impl<T> Clone for ExperimentResult<'_, T> {
    fn clone(&self) -> Self {
        ExperimentResult { value: self.value, assignment: self.assignment.clone() }
    }
}

impl<'a, T> Deref for ExperimentResult<'a, T> {
    type Target = Assignment<'a>;

    fn deref(&self) -> &Self::Target {
        &self.assignment
    }
}

impl<T: fmt::Debug> fmt::Debug for ExperimentResult<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ExperimentResult")
            .field("value", self.value)
            .field("assignment", &self.assignment)
            .finish()
    }
}

impl<T: Serialize> Serialize for ExperimentResult<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", self.value)?;
        self.assignment.serialize_entries(&mut map)?;
        map.end()
    }
}

/// How an experiment assigned a user: GrowthBook's ExperimentResult without the value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Assignment<'a> {
    /// The assigned variation's key: the one in its meta, otherwise its index.
    pub key: &'a str,
    /// The assigned variation's name.
    pub name: Option<&'a str>,
    /// The feature whose rule ran the experiment. `None` for an inline or auto experiment.
    pub feature_id: Option<&'a str>,
    /// Whether the user takes part.
    pub in_experiment: bool,
    /// Why the user does not take part. `None` when the user does.
    pub exclusion: Option<Exclusion>,
    /// Whether hashing the user's attribute decided, and not a forced variation.
    pub hash_used: bool,
    /// The index of the assigned variation. 0 when the user does not take part.
    pub variation_id: usize,
    /// The attribute that was hashed.
    pub hash_attribute: &'a str,
    /// The attribute's value.
    pub hash_value: HashValue<'a>,
    /// The user's bucket in [0, 1), when hashing decided.
    pub bucket: Option<f64>,
    /// Whether the variation lets the feature's next rules decide: the treatment of a holdout.
    pub passthrough: bool,
    /// Whether a stored assignment decided: it kept the variation, or it kept the user out.
    pub sticky_bucket_used: bool,
    /// The contextual bandit that set the weights, when hashing decided.
    pub contextual_bandit: Option<ContextualBandit<'a>>,
}

impl Assignment<'_> {
    pub(crate) fn serialize_entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("key", self.key)?;
        map.serialize_entry("featureId", &self.feature_id)?;
        map.serialize_entry("inExperiment", &self.in_experiment)?;
        map.serialize_entry("hashUsed", &self.hash_used)?;
        map.serialize_entry("variationId", &self.variation_id)?;
        map.serialize_entry("hashAttribute", self.hash_attribute)?;
        map.serialize_entry("hashValue", &self.hash_value)?;
        map.serialize_entry("stickyBucketUsed", &self.sticky_bucket_used)?;
        if let Some(name) = self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(bucket) = self.bucket {
            map.serialize_entry("bucket", &bucket)?;
        }
        if self.passthrough {
            map.serialize_entry("passthrough", &true)?;
        }
        if let Some(bandit) = &self.contextual_bandit {
            bandit.serialize_entries(map)?;
        }
        Ok(())
    }
}

impl Serialize for Assignment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_entries(&mut map)?;
        map.end()
    }
}
