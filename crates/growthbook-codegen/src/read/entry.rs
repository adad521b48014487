//! A flag from an entry of the REST API.
//!
//! `GET /api/v2/features` has the rules of all environments in one list. Version 1 has them in each
//! environment. Values are text, whose meaning depends on `valueType`. An environment may also have
//! the definition that SDKs get, as JSON text.

use serde_json::{Map, Value};

use super::definition;
use crate::flag::{Flag, Flags, Warning};

/// Adds the flag of an entry. An archived flag is left out, because SDKs do not get it.
pub(crate) fn add(flags: &mut Flags, entry: &Value) {
    let Some(entry) = entry.as_object() else { return };
    let Some(key) = entry.get("id").and_then(Value::as_str) else { return };
    if entry.get("archived") == Some(&Value::Bool(true)) {
        return;
    }
    let definitions: Vec<Map<String, Value>> =
        environments(entry).filter_map(sdk_definition).collect();
    let mut flag = match definitions.first() {
        Some(definition) if has_config(entry) => definition::flag(key, definition),
        None if has_config(entry) => {
            flags.warnings.push(Warning::UnknownConfig { key: key.to_owned() });
            mixed(key)
        }
        _ => own_values(key, entry),
    };
    for rule in definitions.iter().flat_map(definition::rules) {
        definition::add_rule(&mut flag, rule);
    }
    flag.description = text(entry.get("description")).to_owned();
    flag.rules = rules(entry).count();
    flags.insert(flag);
}

/// Makes a flag of the values that the entry itself has.
fn own_values(key: &str, entry: &Map<String, Value>) -> Flag {
    let convert = |value: &Value| converted(text(entry.get("valueType")), value);
    let default_value = entry.get("defaultValue").map(convert).filter(|value| !value.is_null());
    let mut flag = Flag { default_value, ..mixed(key) };
    flag.rule_values.clear();
    for rule in rules(entry) {
        for name in ["value", "controlValue", "variationValue"] {
            if let Some(value) = rule.get(name).filter(|value| !value.is_array()) {
                flag.add_values([&convert(value)]);
            }
        }
        for name in ["value", "values", "variations"] {
            let variations = rule.get(name).and_then(Value::as_array).into_iter().flatten();
            let values: Vec<Value> =
                variations.filter_map(|variation| variation.get("value")).map(convert).collect();
            flag.add_variations(values.iter());
        }
    }
    flag
}

/// Makes a flag whose values may be anything.
fn mixed(key: &str) -> Flag {
    Flag {
        key: key.to_owned(),
        description: String::new(),
        default_value: None,
        rule_values: vec![Value::Bool(false), Value::String(String::new())],
        rules: 0,
        has_variations: false,
    }
}

/// Whether values are changes of a config, which the entry does not have.
fn has_config(entry: &Map<String, Value>) -> bool {
    let is_set =
        |object: &Map<String, Value>, name| object.get(name).is_some_and(|value| !value.is_null());
    let of_variation = |variation: &Value| variation.get("config").is_some_and(|it| !it.is_null());
    let of_rule = |rule: &Map<String, Value>| {
        let mut variations = rule.get("variations").and_then(Value::as_array).into_iter().flatten();
        is_set(rule, "config")
            || rule.get("sparse") == Some(&Value::Bool(true))
            || variations.any(of_variation)
    };
    is_set(entry, "baseConfig")
        || text(entry.get("defaultValue")).contains("\"$extends\"")
        || rules(entry).any(of_rule)
}

fn rules(entry: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let of_environments = environments(entry).flat_map(definition::rules);
    definition::rules(entry).iter().chain(of_environments).filter_map(Value::as_object)
}

fn environments(entry: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let environments = entry.get("environments").and_then(Value::as_object);
    environments.into_iter().flat_map(Map::values).filter_map(Value::as_object)
}

/// Returns the definition that SDKs get in an environment.
fn sdk_definition(environment: &Map<String, Value>) -> Option<Map<String, Value>> {
    serde_json::from_str(environment.get("definition")?.as_str()?).ok()
}

/// Converts the text of a value, as GrowthBook does for SDKs.
fn converted(value_type: &str, value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    match value_type {
        "boolean" => Value::Bool(text != "false"),
        "number" => {
            let number = serde_json::from_str(text.trim()).ok().filter(Value::is_number);
            number.unwrap_or_else(|| text.trim().parse::<f64>().unwrap_or_default().into())
        }
        "json" => serde_json::from_str(text).unwrap_or_default(),
        _ => value.clone(),
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: Value) -> Flags {
        let mut flags = Flags::default();
        add(&mut flags, &entry);
        flags
    }

    fn values(entry: Value) -> Vec<Value> {
        read(entry).get("f").unwrap().values().cloned().collect()
    }

    #[test]
    fn text_is_converted_by_value_type() {
        let cases = [
            ("boolean", "true", json!(true)),
            ("boolean", "false", json!(false)),
            ("number", "17", json!(17)),
            ("number", " .5 ", json!(0.5)),
            ("number", "many", json!(0.0)),
            ("string", "17", json!("17")),
            ("json", r#"{"a":1}"#, json!({"a": 1})),
        ];
        for (value_type, text, expected) in cases {
            let entry = json!({"id": "f", "valueType": value_type, "defaultValue": text});
            assert_eq!(values(entry), [expected], "{value_type} {text}");
        }
        let entry = json!({"id": "f", "valueType": "json", "defaultValue": "{broken"});
        assert!(values(entry).is_empty());
    }

    #[test]
    fn values_of_every_kind_of_rule_are_found() {
        let rules = json!([
            {"type": "force", "value": "1"},
            {"type": "rollout", "value": "2", "coverage": 0.5},
            {"type": "experiment", "value": [{"value": "3", "weight": 1}]},
            {"type": "experiment-ref", "variations": [{"value": "4", "variationId": "v"}]},
            {"type": "safe-rollout", "controlValue": "5", "variationValue": "6"},
            "not a rule",
        ]);
        let expected: Vec<Value> = (0..7).map(Value::from).collect();
        let version_2 =
            json!({"id": "f", "valueType": "number", "defaultValue": "0", "rules": rules});
        assert_eq!(values(version_2.clone()), expected);
        assert_eq!(read(version_2).get("f").unwrap().rules(), 5);
        let version_1 = json!({"id": "f", "valueType": "number", "defaultValue": "0",
            "environments": {"production": {"enabled": true, "rules": rules}}});
        assert_eq!(values(version_1), expected);
    }

    #[test]
    fn archived_flag_is_left_out() {
        let entry = json!({"id": "f", "archived": true, "valueType": "boolean"});
        assert_eq!(read(entry), Flags::default());
    }

    #[test]
    fn config_is_read_from_the_sdk_definition() {
        let definition = r#"{"defaultValue":{"a":1},"rules":[{"force":{"a":2}}]}"#;
        let entry = json!({"id": "f", "valueType": "json", "baseConfig": "c", "defaultValue": "{}",
            "environments": {"production": {"definition": definition}}});
        let values = values(entry);
        assert!(values.contains(&json!({"a": 1})) && values.contains(&json!({"a": 2})));
        assert!(!values.contains(&json!({})));
    }

    #[test]
    fn config_without_definition_is_reported() {
        let entry =
            json!({"id": "f", "valueType": "json", "baseConfig": "c", "defaultValue": "{}"});
        assert_eq!(read(entry).warnings(), [Warning::UnknownConfig { key: "f".into() }]);
    }
}
