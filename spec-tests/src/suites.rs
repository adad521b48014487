//! The shape of each suite's cases, and how to run them.

use growthbook_core::DecryptionKey;
use growthbook_core::bucketing::{
    BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, hash, in_namespace,
};
use growthbook_core::encryption::decrypt;
use growthbook_core::sticky::StickyBucketDocument;
use growthbook_core::url::query_string_override;
use serde_json::{Value, json};

use crate::case::{Case, Mismatch};
use crate::compare::{same, same_rounded};
use crate::engine::{Context, ENGINES, Engine};
use crate::reduction::Reduction;

/// Runs one case.
pub(crate) type Runner = fn(&Case) -> Result<(), Mismatch>;

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
        _ => return None,
    })
}

/// The engine's name for pure functions: the core and the facade share them.
const SHARED: &str = "core and facade";

fn expect(engine: &'static str, expected: Value, got: Value) -> Result<(), Mismatch> {
    if same(&expected, &got) { Ok(()) } else { Err(Mismatch::answer(engine, expected, got)) }
}

fn expect_rounded(expected: Value, got: Value) -> Result<(), Mismatch> {
    if same_rounded(&expected, &got) {
        Ok(())
    } else {
        Err(Mismatch::answer(SHARED, expected, got))
    }
}

fn on_every_engine(test: impl Fn(&dyn Engine) -> Result<(), Mismatch>) -> Result<(), Mismatch> {
    ENGINES.into_iter().try_for_each(test)
}

/// name, condition, attributes, expected, \[saved groups\]
fn eval_condition_case(case: &Case) -> Result<(), Mismatch> {
    let context = Context::of_condition(case.text(2)?, case.optional_text(4))?;
    on_every_engine(|engine| {
        let got = engine.eval_condition(&context, case.text(1)?)?;
        expect(engine.name(), case.item(3)?, got)
    })
}

/// name, condition, known attributes, expected boolean or condition, \[saved groups\]
fn prune_condition_case(case: &Case) -> Result<(), Mismatch> {
    let context = Context::of_condition(case.text(2)?, case.optional_text(4))?;
    on_every_engine(|engine| {
        let got = engine.prune_condition(&context, case.text(1)?)?;
        expect(engine.name(), case.item(3)?, got)
    })
}

/// name, payload and options, expected payload
fn reduce_payload_case(case: &Case) -> Result<(), Mismatch> {
    let reduction = Reduction::parse(case.text(1)?)?;
    on_every_engine(|engine| {
        expect(engine.name(), case.item(2)?, engine.reduce_payload(&reduction)?)
    })
}

/// name, context, feature key, expected FeatureResult
fn feature_case(case: &Case) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    let key: String = case.item(2)?;
    on_every_engine(|engine| {
        expect(engine.name(), case.item(3)?, engine.eval_feature(&context, &key)?)
    })
}

/// name, context, experiment, expected value, expected inExperiment, expected hashUsed
fn run_case(case: &Case) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    let expected = json!({
        "value": case.item::<Value>(3)?,
        "inExperiment": case.item::<Value>(4)?,
        "hashUsed": case.item::<Value>(5)?,
    });
    on_every_engine(|engine| {
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
fn url_redirect_case(case: &Case) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    on_every_engine(|engine| expect(engine.name(), case.item(2)?, engine.redirects(&context)?))
}

/// name, context, documents stored, feature key, expected ExperimentResult or null, expected
/// documents by key
fn sticky_bucket_case(case: &Case) -> Result<(), Mismatch> {
    let context = Context::parse(case.text(1)?)?;
    let stored: Vec<StickyBucketDocument> = case.item(2)?;
    let key: String = case.item(3)?;
    let expected = json!([case.item::<Value>(4)?, case.item::<Value>(5)?]);
    on_every_engine(|engine| {
        let (result, documents) = engine.eval_sticky(&context, &stored, &key)?;
        expect(engine.name(), expected.clone(), json!([result["experimentResult"], documents]))
    })
}

/// seed, value, version, expected
fn hash_case(case: &Case) -> Result<(), Mismatch> {
    let (seed, value): (String, String) = (case.item(0)?, case.item(1)?);
    expect(SHARED, case.item(3)?, hash(&seed, &value, case.item(2)?).into())
}

/// name, \[variations, coverage, weights\], expected ranges (rounded)
fn bucket_range_case(case: &Case) -> Result<(), Mismatch> {
    let (count, coverage, weights): (usize, f64, Option<Vec<f64>>) = case.item(1)?;
    let ranges = bucket_ranges(count, coverage, weights.as_deref());
    expect_rounded(case.item(2)?, json!(ranges))
}

/// name, bucket, ranges, expected index or -1
fn choose_variation_case(case: &Case) -> Result<(), Mismatch> {
    let ranges: Vec<(f64, f64)> = case.item(2)?;
    let ranges: Vec<BucketRange> = ranges.into_iter().map(Into::into).collect();
    let got = choose_variation(case.item(1)?, &ranges);
    expect(SHARED, case.item(3)?, got.map_or(json!(-1), Into::into))
}

/// name, experiment key, url, variations, expected index
fn query_string_override_case(case: &Case) -> Result<(), Mismatch> {
    let (key, url): (String, String) = (case.item(1)?, case.item(2)?);
    expect(SHARED, case.item(4)?, query_string_override(&key, &url, case.item(3)?).into())
}

/// name, user id, namespace, expected
fn in_namespace_case(case: &Case) -> Result<(), Mismatch> {
    let user: String = case.item(1)?;
    let (id, start, end): (String, f64, f64) = case.item(2)?;
    expect(SHARED, case.item(3)?, in_namespace(&user, &Namespace::new(id, start, end)).into())
}

/// number, expected weights (rounded)
fn equal_weights_case(case: &Case) -> Result<(), Mismatch> {
    // A number below 0 gives no weights, like 0.
    let count = usize::try_from(case.item::<i64>(0)?).unwrap_or(0);
    expect_rounded(case.item(1)?, json!(equal_weights(count)))
}

/// name, encrypted text, key, expected text
fn decrypt_case(case: &Case) -> Result<(), Mismatch> {
    let (text, key): (String, String) = (case.item(1)?, case.item(2)?);
    let got = DecryptionKey::from_base64(&key).and_then(|key| decrypt(&text, &key));
    expect(SHARED, case.item(3)?, got.ok().into())
}
