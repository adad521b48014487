//! The payload for the benchmarks of loading.

use serde_json::{Value, json};

/// Returns a payload of `features` flags; 1,000 flags are about 1 MB. Each flag has three rules: a
/// targeted rule with its own regular expression, a rollout, and an experiment. Half of the
/// experiments have a namespace. The others have ranges and a filter.
pub(crate) fn payload(features: usize) -> String {
    let features: serde_json::Map<String, Value> = (0..features)
        .map(|flag| (format!("team-{}-flag-{flag}", flag % 20), feature(flag)))
        .collect();
    let payload = json!({
        "status": 200,
        "features": features,
        "savedGroups": {"beta": (0..200).map(|user| format!("user-{user:06}")).collect::<Value>()},
        "dateUpdated": "2026-11-22T09:00:00.000Z",
    });
    payload.to_string()
}

fn feature(flag: usize) -> Value {
    json!({"defaultValue": false, "rules": [targeted(flag), rollout(flag), experiment(flag)]})
}

fn targeted(flag: usize) -> Value {
    json!({
        "id": format!("fr_{flag:05}_targeted"),
        "condition": {
            "country": {"$in": ["US", "CA", "GB", "DE", "FR"]},
            "email": {"$regex": format!(r"^[a-z.]+{flag}@(example|test)\.com$")},
            "version": {"$vgte": format!("{}.{}.0", flag % 9, flag % 11)},
            "age": {"$gte": 18 + flag % 50},
        },
        "force": true,
    })
}

fn rollout(flag: usize) -> Value {
    json!({
        "id": format!("fr_{flag:05}_rollout"),
        "condition": {"$or": [{"plan": "enterprise"}, {"id": {"$inGroup": "beta"}}]},
        "coverage": (flag % 100) as f64 / 100.0,
        "hashAttribute": "id",
        "force": true,
    })
}

fn experiment(flag: usize) -> Value {
    let rule = json!({
        "id": format!("fr_{flag:05}_experiment"),
        "key": format!("experiment-{flag}"),
        "seed": format!("seed-{flag}"),
        "phase": "1",
        "name": format!("Experiment {flag}"),
        "hashAttribute": "id",
        "hashVersion": 2,
        "condition": {"tags": {"$elemMatch": {"$eq": "beta"}}, "deleted": {"$ne": true}},
        "variations": [false, true],
        "weights": [0.5, 0.5],
        "coverage": 0.9,
        "meta": [{"key": "control", "name": "Control"}, {"key": "treatment", "name": "Treatment"}],
    });
    let exclusion = if flag.is_multiple_of(2) {
        json!({"namespace": [format!("namespace-{}", flag % 7), 0, 0.6]})
    } else {
        let filter =
            json!({"attribute": "id", "seed": "layer", "hashVersion": 2, "ranges": [[0, 0.25]]});
        json!({"ranges": [[0, 0.45], [0.5, 0.95]], "filters": [filter]})
    };
    let members = [rule, exclusion];
    members
        .iter()
        .filter_map(Value::as_object)
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
