//! Helpers for the tests.

use growthbook::Client;
use growthbook_openfeature::GrowthBookProvider;
use open_feature::{
    Client as Flags, EvaluationContext, EvaluationDetails, EvaluationErrorCode as Code,
    EvaluationResult, FlagMetadataValue, OpenFeature,
};
use serde_json::{Value, json};

/// A client of OpenFeature, with this provider. The API is not the singleton, so that tests run at
/// the same time.
pub(crate) async fn flags_of(provider: GrowthBookProvider) -> Flags {
    let mut api = OpenFeature::default();
    api.set_provider(provider).await;
    api.create_client()
}

/// A provider with these features.
pub(crate) fn provider(features: Value) -> GrowthBookProvider {
    GrowthBookProvider::new(client(features))
}

pub(crate) fn client(features: Value) -> Client {
    let date = "2026-01-01T00:00:00.000Z";
    Client::from_json(json!({"features": features, "dateUpdated": date}).to_string()).unwrap()
}

pub(crate) fn user(key: &str) -> EvaluationContext {
    EvaluationContext::default().with_targeting_key(key)
}

/// Returns the reason, and the variant.
pub(crate) fn reason<T>(details: &EvaluationDetails<T>) -> (String, Option<&str>) {
    let reason = details.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    (reason, details.variant.as_deref())
}

pub(crate) fn code<T>(result: EvaluationResult<T>) -> Option<Code> {
    result.err().map(|error| error.code)
}

/// Returns the metadata as JSON.
pub(crate) fn metadata<T>(details: &EvaluationDetails<T>) -> Value {
    let values = details.flag_metadata.values.iter();
    let values = values.map(|(name, value)| {
        let value = match value {
            FlagMetadataValue::Bool(value) => json!(value),
            FlagMetadataValue::Int(value) => json!(value),
            FlagMetadataValue::Float(value) => json!(value),
            FlagMetadataValue::String(value) => json!(value),
        };
        (name.clone(), value)
    });
    Value::Object(values.collect())
}
