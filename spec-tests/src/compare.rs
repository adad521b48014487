//! Strict comparison of answers.

use serde_json::Value;

/// Whether two JSON values have the same types, members and numbers. Numbers are compared to the
/// last bit, and 1 equals 1.0.
pub(crate) fn same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => expected == got,
    }
}

/// Compares whole numbers digit by digit, because evaluation does not convert values. Compares
/// other numbers as doubles.
fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    if a.is_f64() || b.is_f64() { a.as_f64() == b.as_f64() } else { a == b }
}

/// Compares like [`same`], after rounding every number to 8 decimals. Some suites expect that.
pub(crate) fn same_rounded(expected: &Value, got: &Value) -> bool {
    same(&rounded(expected), &rounded(got))
}

fn rounded(value: &Value) -> Value {
    const SCALE: f64 = 1e8;
    match value {
        Value::Number(number) => {
            number.as_f64().map_or(Value::Null, |number| ((number * SCALE).round() / SCALE).into())
        }
        Value::Array(items) => items.iter().map(rounded).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comparison_is_strict() {
        assert!(same(&json!({"a": 1, "b": [1.0]}), &json!({"b": [1], "a": 1.0})));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": null})));
        assert!(!same(&json!({"a": 1, "b": null}), &json!({"a": 1})));
        assert!(!same(&json!("1"), &json!(1)));
        assert!(!same(&json!(0.1), &json!(0.1 + f64::EPSILON)));
        assert!(!same(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        assert!(!same(&json!(false), &json!(null)));
    }

    #[test]
    fn rounding_keeps_eight_decimals() {
        assert!(same_rounded(&json!([0.333_333_33]), &json!([1.0 / 3.0])));
        assert!(!same_rounded(&json!([0.333_333]), &json!([1.0 / 3.0])));
    }
}
