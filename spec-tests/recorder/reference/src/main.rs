//! Reads suites of cases from standard input and writes the answers of `growthbook-rust`. An answer
//! is `{"answer": ...}` or `{"error": ...}`, or `null` for a case that its public API does not
//! support.
//!
//! The public API cannot evaluate a condition or run an inline experiment. So a condition becomes
//! the condition of a force rule, and an experiment becomes the only rule of a feature.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use growthbook_rust::dto::GrowthBookFeature;
use growthbook_rust::growthbook::GrowthBook;
use growthbook_rust::model_public::{FeatureResult, GrowthBookAttribute, SavedGroup};
use growthbook_rust::sticky_bucket::{InMemoryStickyBucketService, StickyBucketService};
use serde_json::{Map, Value, json};

/// The members of a context that this SDK does not support.
const UNKNOWN_TO_CONTEXTS: [&str; 5] =
    ["enabled", "qaMode", "url", "contextualBandits", "remoteGroupIds"];
/// The members of an experiment that a feature's rule ignores, or reads in another way.
const UNKNOWN_TO_RULES: [&str; 5] = ["active", "status", "force", "urlPatterns", "url"];

/// An answer; `Ok(None)` when the SDK does not support the question.
type Answer = Result<Option<Value>, String>;

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let suites: Map<String, Value> = serde_json::from_str(&text)?;
    let answers: Map<String, Value> = suites
        .into_iter()
        .filter_map(|(suite, cases)| {
            let ask = question(&suite)?;
            let cases = cases.as_array()?.iter().map(|case| answer(ask, case)).collect();
            Some((suite, cases))
        })
        .collect();
    io::stdout().write_all(&serde_json::to_vec(&answers)?)
}

fn question(suite: &str) -> Option<fn(&Value) -> Answer> {
    match suite {
        "evalCondition" => Some(eval_condition),
        "feature" => Some(feature),
        "run" => Some(run),
        "stickyBucket" => Some(sticky_bucket),
        _ => None,
    }
}

fn answer(ask: fn(&Value) -> Answer, case: &Value) -> Value {
    match catch_unwind(AssertUnwindSafe(|| ask(case))) {
        Ok(Ok(Some(answer))) => json!({ "answer": answer }),
        Ok(Ok(None)) => Value::Null,
        Ok(Err(error)) => json!({ "error": error }),
        Err(_) => json!({ "error": "panic" }),
    }
}

/// name, condition, attributes, _, \[saved groups\]
fn eval_condition(case: &Value) -> Answer {
    let context = json!({
        "attributes": case[2],
        "savedGroups": case[4],
        "features": {"f": {"defaultValue": false, "rules": [{"condition": case[1], "force": true}]}},
    });
    Ok(Some(evaluate(&context, "f", None)?.value))
}

/// name, context, feature key
fn feature(case: &Value) -> Answer {
    let context = &case[1];
    if has_any(context, &UNKNOWN_TO_CONTEXTS) {
        return Ok(None);
    }
    let key = case[2].as_str().ok_or("the feature key is not a string")?;
    Ok(Some(result_json(&evaluate(context, key, None)?)?))
}

/// name, context, experiment
fn run(case: &Value) -> Answer {
    let (mut context, experiment) = (case[1].clone(), &case[2]);
    if has_any(&context, &UNKNOWN_TO_CONTEXTS)
        || has_any(experiment, &UNKNOWN_TO_RULES)
        || has_member(experiment, "passthrough")
        || has_member(experiment, "gate")
    {
        return Ok(None);
    }
    let Some(key) = experiment["key"].as_str() else { return Ok(None) };
    let control = &experiment["variations"][0];
    context["features"][key] = json!({"defaultValue": control, "rules": [experiment]});
    let result = evaluate(&context, key, None)?;
    if matches!(result.source.as_str(), "prerequisite" | "cyclicPrerequisite") {
        return Ok(None);
    }
    let taken = result.experiment_result.as_ref();
    // The SDK also sets `hashUsed` for forced variations.
    let forced = context["forcedVariations"].get(key).is_some();
    Ok(Some(json!([
        result.value,
        taken.is_some_and(|result| result.in_experiment),
        taken.is_some_and(|result| result.hash_used && !forced),
    ])))
}

/// name, context, documents, feature key
fn sticky_bucket(case: &Value) -> Answer {
    let context = &case[1];
    if has_any(context, &UNKNOWN_TO_CONTEXTS) {
        return Ok(None);
    }
    let service = InMemoryStickyBucketService::new();
    for document in case[2].as_array().into_iter().flatten() {
        let text = |member: &str| document[member].as_str().ok_or("a document lacks a member");
        let assignments: HashMap<String, String> =
            serde_json::from_value(document["assignments"].clone()).map_err(text_of)?;
        if assignments.len() > 1 {
            // The SDK takes the first match in the order of a hash map, which is random.
            return Ok(None);
        }
        service.save_assignments(text("attributeName")?, text("attributeValue")?, assignments);
    }
    let key = case[3].as_str().ok_or("the feature key is not a string")?;
    let result = evaluate(context, key, Some(Arc::new(service)))?;
    Ok(Some(result_json(&result)?["experimentResult"].take()))
}

fn evaluate(
    context: &Value,
    key: &str,
    sticky_bucket_service: Option<Arc<dyn StickyBucketService>>,
) -> Result<FeatureResult, String> {
    let mut features = context.get("features").cloned().unwrap_or_else(|| json!({}));
    wrap_conditions(&mut features);
    let features: HashMap<String, GrowthBookFeature> =
        serde_json::from_value(features).map_err(text_of)?;
    let forced_variations = context
        .get("forcedVariations")
        .map(|variations| serde_json::from_value(variations.clone()).map_err(text_of))
        .transpose()?;
    let saved_groups = context.get("savedGroups").and_then(Value::as_object);
    let growthbook = GrowthBook {
        forced_variations,
        features,
        attributes: None,
        sticky_bucket_service,
        saved_groups: saved_groups
            .into_iter()
            .flatten()
            .map(|(id, entry)| (id.clone(), SavedGroup::from(entry)))
            .collect(),
    };
    let attributes = context.get("attributes").cloned().unwrap_or_else(|| json!({}));
    let attributes = GrowthBookAttribute::from(attributes).map_err(text_of)?;
    Ok(growthbook.check(key, &Some(attributes)))
}

/// Wraps conditions in `$and`, which keeps the order of their keys. The SDK keeps a rule's
/// condition in a hash map without an order.
fn wrap_conditions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "condition" && member.as_object().is_some_and(|it| it.len() > 1) {
                    *member = json!({ "$and": [member.take()] });
                } else if name == "rules" || name == "parentConditions" || member.is_object() {
                    wrap_conditions(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(wrap_conditions),
        _ => {}
    }
}

fn has_any(object: &Value, members: &[&str]) -> bool {
    members.iter().any(|member| object.get(member).is_some())
}

/// Whether the value contains a member of this name, at any depth.
fn has_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(member, value)| member == name || has_member(value, name))
        }
        Value::Array(items) => items.iter().any(|item| has_member(item, name)),
        _ => false,
    }
}

fn result_json(result: &FeatureResult) -> Result<Value, String> {
    serde_json::to_value(result).map_err(text_of)
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}
