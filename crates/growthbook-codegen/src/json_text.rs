//! A value as JSON text.

use serde_json::{Number, Value};

/// Returns a value as JSON. Its members are sorted, and equal numbers have the same text. The texts of
/// `serde_json` depend on the features that the crates of a program turn on.
pub(crate) fn json_text(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(json_text).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&str, &Value)> =
                members.iter().map(|(name, value)| (&**name, value)).collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name), json_text(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Number(number) => number_text(number),
        scalar => scalar.to_string(),
    }
}

fn number_text(number: &Number) -> String {
    let integer = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
    integer.or_else(|| number.as_f64().map(Value::from)).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_and_text_is_escaped() {
        let value = json!({"b": [1, 1.5, {"d": null, "c": true}], "a": "x\"y", "": -7});
        assert_eq!(json_text(&value), r#"{"":-7,"a":"x\"y","b":[1,1.5,{"c":true,"d":null}]}"#);
    }

    #[test]
    fn numbers_have_one_text() {
        let text = |json: &str| json_text(&serde_json::from_str(json).unwrap());
        assert_eq!(text("1e2"), "100.0");
        assert_eq!(text("100.0"), "100.0");
        assert_eq!(text("18446744073709551615"), "18446744073709551615");
    }
}
