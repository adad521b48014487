//! A flag from its definition in a payload.

use serde_json::{Map, Value};

use crate::flag::Flag;

/// Reads a definition: the value of `features.<key>`.
pub(super) fn flag(key: &str, definition: &Map<String, Value>) -> Flag {
    let rules = rules(definition);
    let mut flag = Flag {
        key: key.to_owned(),
        description: description(definition),
        default_value: definition.get("defaultValue").filter(|value| !value.is_null()).cloned(),
        rule_values: Vec::new(),
        rules: rules.len(),
        has_variations: false,
    };
    for rule in rules {
        add_rule(&mut flag, rule);
    }
    flag
}

/// Returns the rules of a definition.
pub(super) fn rules(definition: &Map<String, Value>) -> &[Value] {
    definition.get("rules").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Adds the values that a rule can give. A forced value comes before variations, as in evaluation.
pub(super) fn add_rule(flag: &mut Flag, rule: &Value) {
    if let Some(value) = rule.get("force") {
        flag.add_values([value]);
        return;
    }
    for name in ["contextualVariations", "variations"] {
        if let Some(variations) = rule.get(name).and_then(Value::as_array) {
            flag.add_variations(variations.iter());
            return;
        }
    }
}

/// Payloads have no descriptions, but files that people write may have.
fn description(definition: &Map<String, Value>) -> String {
    let metadata = definition.get("metadata").and_then(|it| it.get("description"));
    let description = definition.get("description").or(metadata);
    description.and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Flag {
    pub(super) fn add_values<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>) {
        self.rule_values.extend(values.into_iter().filter(|value| !value.is_null()).cloned());
    }

    /// Adds the values of an experiment.
    pub(super) fn add_variations<'v>(&mut self, values: impl Iterator<Item = &'v Value> + Clone) {
        let first = values.clone().next();
        self.has_variations |= values.clone().any(|value| Some(value) != first);
        self.add_values(values);
    }
}
