//! The shape of each suite's cases, and how to run them.

use growthbook_core::remote_eval::RemoteEvalRequest;
use growthbook_core::sticky::{StickyBucketDocument, StickyBuckets};
use serde_json::{Map, Value, json};

use crate::case::{Case, Mismatch};
use crate::compare::{same, same_rounded};
use crate::engine::{Context, Engines};
use crate::reduction::Reduction;

/// Runs one case.
pub(crate) type Runner = fn(&Case, &Engines) -> Result<(), Mismatch>;

/// Returns the function that runs a suite's cases; `None` for an unknown suite.
pub(crate) fn runner(suite: &str) -> Option<Runner> {
    Some(match suite {
        "evalCondition" => eval_condition_case,
        "pruneCondition" => prune_condition_case,
        "reducePayload" => reduce_payload_case,
        "hash" => hash_case,
        "getBucketRange" => bucket_range_case,
        "chooseVariation" => choose_variation_case,
        "getQueryStringOverride" => query_string_override_case,
        "inNamespace" => in_namespace_case,
        "getEqualWeights" => equal_weights_case,
        "decrypt" => decrypt_case,
        "feature" | "contextualBandit" => feature_case,
        "run" => run_case,
        "urlRedirect" => url_redirect_case,
        "stickyBucket" => sticky_bucket_case,
        "remoteEval" => remote_eval_case,
        _ => return None,
    })
}

fn expect(engine: &'static str, expected: Value, got: Value) -> Result<(), Mismatch> {
    if same(&expected, &got) { Ok(()) } else { Err(Mismatch::answer(engine, expected, got)) }
}

/// Compares the result of the function that a suite is named after.
fn expect_function(
    engines: &Engines,
    suite: &str,
    arguments: &[Value],
    expected: &Value,
) -> Result<(), Mismatch> {
    let rounded = ["getBucketRange", "getEqualWeights"].contains(&suite);
    let same = if rounded { same_rounded } else { same };
    engines.try_each(|engine| {
        let got = engine.function(suite, arguments)?;
        if same(expected, &got) {
            return Ok(());
        }
        Err(Mismatch::answer(engine.name(), expected.clone(), got))
    })
}

/// name, condition, attributes, expected, \[saved groups\]
fn eval_condition_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let context = Context::of_condition(case.text(2)?, case.optional_text(4))?;
    engines.try_each(|engine| {
        let got = engine.eval_condition(&context, case.text(1)?)?;
        expect(engine.name(), case.item(3)?, got).map_err(|mismatch| {
            if case.text(1).is_ok_and(|it| context.reaches_step_limit(it)) {
                Mismatch::StepLimit
            } else {
                mismatch
            }
        })
    })
}

/// name, condition, known attributes, expected boolean or condition, \[saved groups\]
fn prune_condition_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let context = Context::of_condition(case.text(2)?, case.optional_text(4))?;
    engines.try_each(|engine| {
        let got = engine.prune_condition(&context, case.text(1)?)?;
        expect(engine.name(), case.item(3)?, got)
    })
}

/// name, payload and options, expected payload
fn reduce_payload_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let reduction = Reduction::parse(case.text(1)?)?;
    engines
        .try_each(|engine| expect(engine.name(), case.item(2)?, engine.reduce_payload(&reduction)?))
}

/// name, context, feature key, expected FeatureResult
fn feature_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    let key: String = case.item(2)?;
    engines.try_each(|engine| {
        expect(engine.name(), case.item(3)?, engine.eval_feature(&context, &key)?)
    })
}

/// name, context, experiment, expected value, expected inExperiment, expected hashUsed
fn run_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    let expected = json!({
        "value": case.item::<Value>(3)?,
        "inExperiment": case.item::<Value>(4)?,
        "hashUsed": case.item::<Value>(5)?,
    });
    engines.try_each(|engine| {
        let result = engine.run(&context, case.text(2)?)?;
        let got = json!({
            "value": result["value"],
            "inExperiment": result["inExperiment"],
            "hashUsed": result["hashUsed"],
        });
        expect(engine.name(), expected.clone(), got)
    })
}

/// name, context, expected list of {inExperiment, urlRedirect, urlWithParams}
fn url_redirect_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    engines.try_each(|engine| expect(engine.name(), case.item(2)?, engine.redirects(&context)?))
}

/// name, context, documents stored, feature key, expected ExperimentResult or null, expected
/// documents by key
fn sticky_bucket_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    let stored: Vec<StickyBucketDocument> = case.item(2)?;
    let key: String = case.item(3)?;
    let expected = json!([case.item::<Value>(4)?, case.item::<Value>(5)?]);
    engines.try_each(|engine| {
        let (result, documents) = engine.eval_sticky(&context, &stored, &key)?;
        expect(engine.name(), expected.clone(), json!([result["experimentResult"], documents]))
    })
}

/// name, payload, request, documents stored or null, expected payload, expected changed documents by
/// key
fn remote_eval_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let request = RemoteEvalRequest::from_json(case.text(2)?)
        .map_err(|error| Mismatch::Shape(error.to_string()))?;
    let stored: Option<Vec<StickyBucketDocument>> = case.item(3)?;
    let expected = json!([case.item::<Value>(4)?, case.item::<Value>(5)?]);
    engines.try_each(|engine| {
        let mut buckets = stored.clone().map(StickyBuckets::from_iter);
        let response = engine.remote_eval(case.text(1)?, &request, buckets.as_mut())?;
        let mut changed = Value::Object(Map::new());
        for document in buckets.map(|mut buckets| buckets.take_changed()).unwrap_or_default() {
            changed[document.key().to_string()] = json!(document);
        }
        expect(engine.name(), expected.clone(), json!([response, changed]))
    })
}

/// seed, value, version, expected
fn hash_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let arguments = [case.item(0)?, case.item(1)?, case.item(2)?];
    expect_function(engines, "hash", &arguments, &case.item(3)?)
}

/// name, \[variations, coverage, weights\], expected ranges (rounded)
fn bucket_range_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    expect_function(engines, "getBucketRange", &[case.item(1)?], &case.item(2)?)
}

/// name, bucket, ranges, expected index or -1
fn choose_variation_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let arguments = [case.item(1)?, case.item(2)?];
    expect_function(engines, "chooseVariation", &arguments, &case.item(3)?)
}

/// name, experiment key, url, variations, expected index
fn query_string_override_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let arguments = [case.item(1)?, case.item(2)?, case.item(3)?];
    expect_function(engines, "getQueryStringOverride", &arguments, &case.item(4)?)
}

/// name, user id, namespace, expected
fn in_namespace_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let arguments = [case.item(1)?, case.item(2)?];
    expect_function(engines, "inNamespace", &arguments, &case.item(3)?)
}

/// number, expected weights (rounded)
fn equal_weights_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    expect_function(engines, "getEqualWeights", &[case.item(0)?], &case.item(1)?)
}

/// name, encrypted text, key, expected text
fn decrypt_case(case: &Case, engines: &Engines) -> Result<(), Mismatch> {
    let arguments = [case.item(1)?, case.item(2)?];
    expect_function(engines, "decrypt", &arguments, &case.item(3)?)
}
