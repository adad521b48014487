//! The names of the attributes that a payload uses.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Adds the names of the attributes that conditions test, and that experiments, rollouts and filters
/// hash. `id` is always one: it is hashed by default.
pub(crate) fn names_in(document: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["id".to_owned()]);
    if let Ok(payload) = serde_json::from_str::<Value>(document) {
        search(&payload, &mut names);
    }
    names
}

/// Searches a part of a payload.
fn search(part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| search(item, names)),
        Value::Object(members) => {
            for (name, value) in members {
                search_member(name, value, names);
            }
        }
        _ => {}
    }
}

fn search_member(name: &str, value: &Value, names: &mut BTreeSet<String>) {
    match (name, value) {
        // They test the value of a feature, or are values themselves.
        ("parentConditions" | "defaultValue" | "force" | "variations", _) => {}
        ("hashAttribute" | "fallbackAttribute" | "attribute" | "attributeKey", value) => {
            names.extend(value.as_str().map(str::to_owned));
        }
        ("condition", Value::Object(condition)) => search_condition(condition, names),
        // A saved group may have its condition as text.
        ("condition", Value::String(text)) => {
            if let Ok(condition) = serde_json::from_str(text) {
                search_condition(&condition, names);
            }
        }
        (_, value) => search(value, names),
    }
}

/// Searches a condition. Operators begin with `$`. Other members are attributes, and the parts of
/// their paths are separated by dots.
fn search_condition(condition: &Map<String, Value>, names: &mut BTreeSet<String>) {
    for (name, operand) in condition {
        match (name.strip_prefix('$'), operand) {
            (None, operand) => {
                names.extend(name.split('.').next().map(str::to_owned));
                search_operators(operand, names);
            }
            (Some("not"), Value::Object(inner)) => search_condition(inner, names),
            (Some("or" | "and" | "nor"), Value::Array(conditions)) => {
                for condition in conditions.iter().filter_map(Value::as_object) {
                    search_condition(condition, names);
                }
            }
            (Some(_), operand) => search_operators(operand, names),
        }
    }
}

/// Searches operators for references to saved groups, which may name another attribute.
fn search_operators(operand: &Value, names: &mut BTreeSet<String>) {
    match operand {
        Value::Array(items) => items.iter().for_each(|item| search_operators(item, names)),
        Value::Object(members) => {
            for (name, value) in members {
                if name == "attributeKey" {
                    names.extend(value.as_str().map(str::to_owned));
                }
                search_operators(value, names);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_of_an_attribute_is_found() {
        let payload = json!({
            "features": {
                "a": {"defaultValue": {"condition": {"no1": 1}}, "rules": [
                    {"condition": {"country": "US", "address.city": "Bonn"}, "force": {"no2": 1}},
                    {"condition": {"$or": [{"a1": 1}, {"$not": {"a2": {"$gt": 1}}}]}},
                    {"condition": {"$savedGroup": {"id": "g", "attributeKey": "a3"}}},
                    {"parentConditions": [{"id": "b", "condition": {"value": true}}]},
                    {"variations": [{"no3": 1}], "hashAttribute": "company",
                     "fallbackAttribute": "device", "filters": [{"attribute": "a4"}]},
                ]},
            },
            "savedGroups": {
                "g": ["no4"],
                "h": {"type": "condition", "condition": "{\"a5\": 1}"},
                "i": {"type": "list", "attributeKey": "a6", "values": []},
            },
        });
        let expected =
            ["a1", "a2", "a3", "a4", "a5", "a6", "address", "company", "country", "device", "id"];
        assert_eq!(names_in(&payload.to_string()), expected.map(str::to_owned).into());
    }
}
