//! The pure functions that some suites test. The core and the facade share them.

use growthbook_core::DecryptionKey;
use growthbook_core::bucketing::{
    BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, hash, in_namespace,
};
use growthbook_core::encryption::decrypt;
use growthbook_core::url::query_string_override;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::case::Mismatch;

/// Calls the function that a suite is named after.
pub(crate) fn call(suite: &str, arguments: &[Value]) -> Result<Value, Mismatch> {
    let arguments = Value::from(arguments);
    Ok(match suite {
        "hash" => {
            let (seed, value, version): (String, String, i64) = read(arguments)?;
            hash(&seed, &value, version).into()
        }
        "getBucketRange" => {
            let ((count, coverage, weights),): ((usize, f64, Option<Vec<f64>>),) = read(arguments)?;
            json!(bucket_ranges(count, coverage, weights.as_deref()))
        }
        "chooseVariation" => {
            let (bucket, ranges): (f64, Vec<(f64, f64)>) = read(arguments)?;
            let ranges: Vec<BucketRange> = ranges.into_iter().map(Into::into).collect();
            choose_variation(bucket, &ranges).map_or(json!(-1), Into::into)
        }
        "getQueryStringOverride" => {
            let (key, url, count): (String, String, usize) = read(arguments)?;
            query_string_override(&key, &url, count).into()
        }
        "inNamespace" => {
            let (user, (id, start, end)): (String, (String, f64, f64)) = read(arguments)?;
            in_namespace(&user, &Namespace::new(id, start, end)).into()
        }
        "getEqualWeights" => {
            let (count,): (i64,) = read(arguments)?;
            // A number below 0 gives no weights, like 0.
            json!(equal_weights(usize::try_from(count).unwrap_or(0)))
        }
        "decrypt" => {
            let (text, key): (String, String) = read(arguments)?;
            DecryptionKey::from_base64(&key).and_then(|key| decrypt(&text, &key)).ok().into()
        }
        _ => return Err(Mismatch::Unsupported),
    })
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Mismatch> {
    serde_json::from_value(arguments).map_err(|error| Mismatch::Shape(error.to_string()))
}
