//! Reads an exposure from JSON: an item of a rule's `tracks`, or a tracking call of another SDK.

use alloc::string::{String, ToString};

use serde_json::Value;

use super::assignment::{AssignmentRecord, ContextualBanditRecord};
use crate::experiment::ExperimentDefinition;
use crate::json::Json;
use crate::value::FeatureValue;
use crate::warning::WarningKind;
use crate::wire::{ExperimentResultWire, ExperimentWire, Member, Read, TrackWire, numbers, text};

/// An exposure that another evaluation decided: an item of a rule's `tracks`.
pub(crate) struct Track {
    pub(crate) experiment: ExperimentDefinition,
    pub(crate) result: AssignmentRecord,
    pub(crate) value: Option<FeatureValue>,
}

impl Track {
    /// Reads an item of `tracks`.
    pub(crate) fn from_wire(wire: &TrackWire<'_>) -> Read<Self> {
        let experiment = wire.experiment.object()?;
        let result = wire.result.object()?;
        let value = ExperimentResultWire::of_value(result).value.get().map(FeatureValue::from);
        Ok(Track { experiment: self::experiment(experiment)?, result: assignment(result)?, value })
    }

    /// Reads the members of a tracking call.
    pub(super) fn from_values(experiment: &Value, result: &Value) -> Read<Self> {
        let (experiment, result) = (Json::from(experiment), Json::from(result));
        let wire = TrackWire::empty();
        let wire = TrackWire {
            experiment: wire.experiment.with(&experiment),
            result: wire.result.with(&result),
        };
        Track::from_wire(&wire)
    }
}

/// Reads the parts of an experiment that are reported. It is not evaluated, and its other members
/// are kept as text.
fn experiment(json: &Json<'_>) -> Read<ExperimentDefinition> {
    let wire = ExperimentWire::of_value(json).rule;
    let Some(key) = wire.key.text()? else {
        return Err(wire.key.wrong_type("a string"));
    };
    let variations = wire.variations.as_array().map_or(0, <[_]>::len);
    let text = serde_json::to_string(json).unwrap_or_default();
    let (name, phase) = (wire.name.text()?, wire.phase.text()?);
    Ok(ExperimentDefinition::reported(&key, variations, name.as_deref(), phase.as_deref(), &text))
}

/// Reads a result. A missing or unreadable member has the value of a user who does not take part,
/// as far as that makes sense: an exposure is not lost because of it.
fn assignment(json: &Json<'_>) -> Read<AssignmentRecord> {
    let wire = ExperimentResultWire::of_value(json);
    let variation_id = wire.variation_id.number()?.unwrap_or_default();
    // The cast saturates. A negative number becomes 0.
    let variation_id = variation_id as usize;
    Ok(AssignmentRecord {
        key: owned(wire.key).unwrap_or_else(|| variation_id.to_string()),
        name: owned(wire.name),
        feature_id: owned(wire.feature_id),
        in_experiment: wire.in_experiment.is_truthy(),
        hash_used: wire.hash_used.is_truthy(),
        variation_id,
        hash_attribute: owned(wire.hash_attribute).unwrap_or_default(),
        hash_value: match wire.hash_value.get() {
            Some(value @ (Json::String(_) | Json::Number(_))) => value.to_value(),
            _ => Value::String(String::new()),
        },
        bucket: wire.bucket.number().ok().flatten(),
        passthrough: wire.passthrough.is_truthy(),
        sticky_bucket_used: wire.sticky_bucket_used.is_truthy(),
        contextual_bandit: bandit(&wire),
    })
}

fn bandit(wire: &ExperimentResultWire<'_>) -> Option<ContextualBanditRecord> {
    let whole = |member: Member<'_>| member.get().and_then(crate::wire::whole_number);
    Some(ContextualBanditRecord {
        leaf_id: whole(wire.leaf_id)?,
        variation_weights: wire.variation_weights.as_array().and_then(numbers)?.into_vec(),
        bandit_version: whole(wire.bandit_version),
    })
}

fn owned(member: Member<'_>) -> Option<String> {
    member.get().and_then(text).map(Into::into)
}

impl<'t> Member<'t> {
    /// Returns the value, which must be an object.
    fn object(self) -> Result<&'t Json<'t>, WarningKind> {
        match self.get() {
            Some(value @ Json::Object(_)) => Ok(value),
            _ => Err(self.wrong_type("an object")),
        }
    }
}
