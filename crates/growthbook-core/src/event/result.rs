//! The result of a feature, owned.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::assignment::{AssignmentRecord, ContextualBanditRecord};
use crate::experiment::ExperimentDefinition;
use crate::result::{ExperimentResult, FeatureExperiment, FeatureResult, FeatureResultSource};

/// An owned copy of a [`FeatureResult`], for a cache or another thread. Serializes like it.
///
/// `Debug` prints everything but attribute values.
#[derive(Clone)]
#[non_exhaustive]
pub struct FeatureResultRecord {
    /// The value; null if the feature has no value.
    pub value: Value,
    /// Whether the value is truthy in JavaScript's sense.
    pub on: bool,
    /// The opposite of `on`.
    pub off: bool,
    /// Where the value comes from.
    pub source: FeatureResultSource,
    /// The id of the rule that decided. Empty when no rule decided, or when it has no id.
    pub rule_id: String,
    /// The experiment that decided, if there is one.
    pub experiment: Option<FeatureExperimentRecord>,
    /// How that experiment assigned the user.
    pub assignment: Option<AssignmentRecord>,
}

/// An owned copy of a [`FeatureExperiment`]. Serializes like it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FeatureExperimentRecord {
    /// The rule's experiment.
    pub definition: ExperimentDefinition,
    /// The weights of the bandit's leaf, in place of the definition's.
    pub weights: Option<Vec<f64>>,
    /// How the bandit chose its weights, when hashing decided.
    pub contextual_bandit: Option<ContextualBanditRecord>,
}

impl FeatureResult<'_> {
    /// Returns an owned copy.
    pub fn to_record(&self) -> FeatureResultRecord {
        FeatureResultRecord {
            value: self.value().clone(),
            on: self.on,
            off: self.off,
            source: self.source,
            rule_id: self.rule_id.into(),
            experiment: self.experiment.as_ref().map(FeatureExperimentRecord::from),
            assignment: self.experiment_result.as_ref().map(|it| (&it.assignment).into()),
        }
    }
}

impl From<&FeatureExperiment<'_>> for FeatureExperimentRecord {
    fn from(experiment: &FeatureExperiment<'_>) -> Self {
        FeatureExperimentRecord {
            definition: experiment.definition.clone(),
            weights: experiment.weights.map(Into::into),
            contextual_bandit: experiment.contextual_bandit.map(Into::into),
        }
    }
}

impl FeatureExperimentRecord {
    fn as_experiment(&self) -> FeatureExperiment<'_> {
        FeatureExperiment {
            definition: &self.definition,
            weights: self.weights.as_deref(),
            contextual_bandit: self.contextual_bandit.as_ref().map(Into::into),
        }
    }
}

impl Serialize for FeatureExperimentRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_experiment().serialize(serializer)
    }
}

impl Serialize for FeatureResultRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &self.value)?;
        map.serialize_entry("on", &self.on)?;
        map.serialize_entry("off", &self.off)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("ruleId", &self.rule_id)?;
        if let Some(experiment) = &self.experiment {
            map.serialize_entry("experiment", experiment)?;
        }
        if let Some(assignment) = &self.assignment {
            let assignment = assignment.as_assignment();
            let result = ExperimentResult { value: &self.value, assignment };
            map.serialize_entry("experimentResult", &result)?;
        }
        map.end()
    }
}

impl fmt::Debug for FeatureResultRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FeatureResultRecord")
            .field("value", &self.value)
            .field("source", &self.source)
            .field("rule_id", &self.rule_id)
            .field("assignment", &self.assignment)
            .finish_non_exhaustive()
    }
}
