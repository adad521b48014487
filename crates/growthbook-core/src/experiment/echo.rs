//! The JSON of a definition in a result. GrowthBook returns the experiment with each result.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::definition::ExperimentDefinition;
use crate::json::{Json, Object, items, members};

/// The source of a definition's JSON.
#[derive(Clone)]
pub(crate) enum Echo {
    /// The experiment comes from a rule. Some of its members are shown.
    Rule {
        /// The text of the feature.
        feature: Arc<str>,
        /// The rule's position in the feature.
        index: u32,
    },
    /// The experiment was read from this text. All members are shown.
    Experiment(Arc<str>),
    /// The experiment was declared in code. The members that were set are shown.
    Members(Option<Box<SetMembers>>),
}

type SetMembers = Vec<(&'static str, Json<'static>)>;

impl Echo {
    /// Adds an item to a list of an experiment that was declared in code.
    pub(super) fn push(&mut self, name: &'static str, item: Json<'static>) {
        if let Echo::Members(members) = self {
            let members = members.get_or_insert_default();
            match members.iter_mut().find(|(member, _)| *member == name) {
                Some((_, Json::Array(items))) => items.push(item),
                _ => members.push((name, Json::Array([item].into()))),
            }
        }
    }

    /// Sets a member of an experiment that was declared in code.
    pub(super) fn set(&mut self, name: &'static str, value: Json<'static>) {
        if let Echo::Members(members) = self {
            let members = members.get_or_insert_default();
            members.retain(|(member, _)| *member != name);
            members.push((name, value));
        }
    }
}

/// The members of a rule that its experiment copies when they are truthy.
const COPIED_IF_TRUTHY: [&str; 13] = [
    "weights",
    "hashAttribute",
    "fallbackAttribute",
    "disableStickyBucketing",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hashVersion",
    "filters",
    "condition",
];
/// The members of a rule that its experiment copies whenever they are present.
const COPIED_IF_PRESENT: [&str; 3] = ["coverage", "bucketVersion", "minBucketVersion"];

impl Serialize for ExperimentDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_entries(&mut map, None)?;
        map.end()
    }
}

impl ExperimentDefinition {
    /// Writes the members. Weights that a bandit chose replace those of the definition.
    pub(crate) fn serialize_entries<M: SerializeMap>(
        &self,
        map: &mut M,
        weights: Option<&[f64]>,
    ) -> Result<(), M::Error> {
        map.serialize_entry("key", self.key())?;
        if let Some(weights) = weights {
            map.serialize_entry("weights", weights)?;
        }
        match &self.echo {
            Echo::Members(members) => {
                for (name, value) in members.iter().flat_map(|members| members.iter()) {
                    map.serialize_entry(name, value)?;
                }
            }
            Echo::Experiment(text) => {
                let experiment = Json::parse(text).unwrap_or(Json::Null);
                let members = experiment.as_object().into_iter().flat_map(Object::iter);
                for (name, value) in members.filter(|(name, _)| *name != "key") {
                    map.serialize_entry(name, value)?;
                }
            }
            Echo::Rule { feature, index } => {
                let rule = rule_text(feature, *index).and_then(Json::parse);
                if let Some(rule) = rule.as_ref().and_then(Json::as_object) {
                    serialize_rule(map, rule, weights.is_some())?;
                }
            }
        }
        Ok(())
    }
}

/// Finds the text of a rule in the text of its feature.
fn rule_text(feature: &str, index: u32) -> Option<&str> {
    let rules = members(feature).ok()?.get("rules")?;
    items(rules)?.into_iter().nth(index.try_into().ok()?)
}

fn serialize_rule<M: SerializeMap>(
    map: &mut M,
    rule: &Object<'_>,
    has_weights: bool,
) -> Result<(), M::Error> {
    let variations = rule
        .get("contextualVariations")
        .filter(|variations| !matches!(variations, Json::Null))
        .or_else(|| rule.get("variations"));
    if let Some(variations) = variations {
        map.serialize_entry("variations", variations)?;
    }
    for (name, value) in rule.iter() {
        if name == "weights" && has_weights {
            continue;
        }
        if COPIED_IF_PRESENT.contains(&name)
            || COPIED_IF_TRUTHY.contains(&name) && value.is_truthy()
        {
            map.serialize_entry(name, value)?;
        }
    }
    Ok(())
}

/// Returns a setting as JSON.
pub(super) fn echo_json(value: &impl Serialize) -> Json<'static> {
    serde_json::to_value(value).map_or(Json::Null, |value| Json::from(&value))
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use serde_json::{Value, json};

    use crate::condition::Condition;
    use crate::experiment::Experiment;

    fn echo<T>(experiment: &Experiment<T>) -> Value {
        serde_json::to_value(experiment.definition()).unwrap()
    }

    /// The JavaScript SDK reports the experiment as it was given.
    #[test]
    fn experiment_from_json_is_reported_whole() {
        let text = json!({
            "key": "exp", "variations": ["a", "b"], "weights": [0.4, 0.6], "coverage": 0.5,
            "condition": {"country": "US"}, "meta": [{"key": "x"}, {"key": "y"}],
            "parentConditions": [{"id": "f", "condition": {"value": true}}],
            "urlPatterns": [{"type": "simple", "pattern": "/a", "include": true}], "other": 1,
        });
        assert_eq!(echo(&Experiment::from_json(&text.to_string()).unwrap()), text);
        let malformed = json!({"key": "exp", "variations": [0, 1], "seed": []});
        assert_eq!(echo(&Experiment::from_json(&malformed.to_string()).unwrap()), malformed);
    }

    #[test]
    fn prerequisites_declared_in_code_are_reported() {
        let is_on = || Condition::from_json(r#"{"value": true}"#).unwrap();
        let experiment = Experiment::new("exp", [0, 1])
            .parent_condition("a", is_on())
            .parent_condition(String::from("b"), is_on());
        let parent = |id| json!({"id": id, "condition": {"value": true}});
        assert_eq!(
            echo(&experiment),
            json!({"key": "exp", "parentConditions": [parent("a"), parent("b")]})
        );
    }
}
