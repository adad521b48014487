//! A GrowthBook result as OpenFeature's details or error.

use growthbook::{Assignment, FeatureResult, FeatureResultSource as Source};
use open_feature::provider::ResolutionDetails;
use open_feature::{
    EvaluationError, EvaluationErrorCode as Code, EvaluationReason, FlagMetadata, StructValue,
};
use serde_json::Value;

use crate::structs::struct_from_json;

/// A type that OpenFeature asks for.
pub(crate) trait FlagValue: Default {
    /// The type's name in errors.
    const NAME: &'static str;

    /// Returns the value. Otherwise returns why it is not of this type.
    fn read(result: &FeatureResult<'_>) -> Result<Self, String>;
}

macro_rules! deserialized {
    ($($type:ty: $name:literal),+) => {$(
        impl FlagValue for $type {
            const NAME: &'static str = $name;

            fn read(result: &FeatureResult<'_>) -> Result<Self, String> {
                result.deserialize().map_err(|_| kind(result.value()))
            }
        }
    )+};
}
deserialized!(bool: "a boolean", i64: "an integer", f64: "a float", String: "a string");

impl FlagValue for StructValue {
    const NAME: &'static str = "a struct";

    fn read(result: &FeatureResult<'_>) -> Result<Self, String> {
        let value = result.value();
        match struct_from_json(value) {
            Err(error) if value.is_object() => Err(format!("an object, but {error}")),
            outcome => outcome.map_err(|_| kind(value)),
        }
    }
}

/// Describes a value that is not of the type asked for, without the value itself.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_i64() => "an integer",
        Value::Number(_) => "a number that is not whole, or is too large",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
    .into()
}

/// The settings for places where GrowthBook and OpenFeature differ.
#[derive(Clone, Copy)]
pub(crate) struct Choices {
    pub(crate) empty_value_when_disabled: bool,
}

/// Translates the result of a flag. `version` is the date of the payload.
///
/// # Errors
///
/// When there is no value of the type asked for.
pub(crate) fn resolve<T: FlagValue>(
    flag: &str,
    result: &FeatureResult<'_>,
    version: Option<&str>,
    choices: Choices,
) -> Result<ResolutionDetails<T>, EvaluationError> {
    let (value, reason, variant) = match result.source {
        Source::UnknownFeature => {
            return Err(error(Code::FlagNotFound, format!("the payload has no flag {flag:?}")));
        }
        Source::CyclicPrerequisite => {
            let problem = "lead back to a flag that depends on them, or exceed a limit";
            let text = format!("the prerequisites of the flag {flag:?} {problem}");
            return Err(error(Code::ParseError, text));
        }
        Source::Prerequisite if choices.empty_value_when_disabled => {
            (T::default(), EvaluationReason::Disabled, None)
        }
        Source::Prerequisite => {
            let text = format!("a prerequisite disables the flag {flag:?}, so it has no value");
            return Err(error(Code::General(EvaluationReason::Disabled.to_string()), text));
        }
        source => {
            let value = T::read(result).map_err(|kind| {
                let text = format!("the flag {flag:?} is not {}: its value is {kind}", T::NAME);
                error(Code::TypeMismatch, text)
            })?;
            (value, reason(source), variant(result))
        }
    };
    let flag_metadata = Some(metadata(result, version));
    Ok(ResolutionDetails { value, variant, reason: Some(reason), flag_metadata })
}

pub(crate) fn error(code: Code, message: impl Into<String>) -> EvaluationError {
    EvaluationError { code, message: Some(message.into()) }
}

fn reason(source: Source) -> EvaluationReason {
    match source {
        Source::DefaultValue => EvaluationReason::Default,
        Source::Force => EvaluationReason::TargetingMatch,
        Source::Experiment => EvaluationReason::Split,
        Source::Override => EvaluationReason::Static,
        // The other sources have no value. A later version may have a source that is not known here.
        _ => EvaluationReason::Unknown,
    }
}

/// Returns the key of the variation, or the id of the rule that decided.
fn variant(result: &FeatureResult<'_>) -> Option<String> {
    let rule = Some(result.rule_id).filter(|id| !id.is_empty());
    let variant = match (&result.experiment_result, result.source) {
        (Some(assigned), Source::Experiment) => Some(assigned.key),
        _ => rule,
    };
    variant.map(str::to_owned)
}

fn metadata(result: &FeatureResult<'_>, version: Option<&str>) -> FlagMetadata {
    let mut metadata = FlagMetadata::default().with_value("source", result.source.as_str());
    if !result.rule_id.is_empty() {
        metadata.add_value("ruleId", result.rule_id);
    }
    if let Some(version) = version {
        metadata.add_value("version", version);
    }
    if let Some(experiment) = &result.experiment {
        metadata.add_value("experimentKey", experiment.key());
        if let Some(phase) = experiment.definition.phase() {
            metadata.add_value("phase", phase);
        }
    }
    if let Some(assigned) = &result.experiment_result {
        add_assignment(&mut metadata, assigned);
    }
    metadata
}

/// Adds how the user was assigned. The hashed value is left out, because it is personal data.
fn add_assignment(metadata: &mut FlagMetadata, assigned: &Assignment<'_>) {
    metadata.add_value("inExperiment", assigned.in_experiment);
    metadata.add_value("variationId", i64::try_from(assigned.variation_id).unwrap_or(i64::MAX));
    metadata.add_value("hashAttribute", assigned.hash_attribute);
    metadata.add_value("hashUsed", assigned.hash_used);
    metadata.add_value("stickyBucketUsed", assigned.sticky_bucket_used);
    if let Some(name) = assigned.name {
        metadata.add_value("variationName", name);
    }
    if let Some(bucket) = assigned.bucket {
        metadata.add_value("bucket", bucket);
    }
}
