//! Rules of a feature, and the variations of an experiment.

use serde_json::{Map, Value, json};

/// The users to whom a rule applies. Made by [`when`] and [`everyone`].
#[derive(Clone, Debug)]
pub struct When(Option<Value>);

/// A rule of a feature: see [`Flags::rule`](crate::Flags::rule).
#[derive(Clone, Debug)]
pub struct Rule(Map<String, Value>);

/// The variations of an experiment, and how users are assigned. Made by [`variations`].
#[derive(Clone, Debug)]
pub struct Variations {
    values: Vec<Value>,
    members: Map<String, Value>,
}

/// The users who pass a condition, such as `json!({"country": "US"})`.
pub fn when(condition: impl Into<Value>) -> When {
    When(Some(condition.into()))
}

/// All users.
pub fn everyone() -> When {
    When(None)
}

impl When {
    /// Gives them this value.
    pub fn force(self, value: impl Into<Value>) -> Rule {
        self.rule(json!({"force": value.into()}))
    }

    /// Gives this value to a share of them, from 0 to 1, by the attribute `id`.
    pub fn rollout(self, share: f64, value: impl Into<Value>) -> Rule {
        self.rule(json!({
            "force": value.into(), "coverage": share, "hashAttribute": "id", "hashVersion": 2,
        }))
    }

    /// Runs an experiment with them.
    pub fn experiment(self, variations: impl Into<Variations>) -> Rule {
        self.rule(Value::Object(variations.into().into_members()))
    }

    fn rule(self, members: Value) -> Rule {
        let mut rule = match members {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        if let Some(condition) = self.0 {
            rule.insert("condition".into(), condition);
        }
        Rule(rule)
    }
}

impl Rule {
    /// Sets the id of the rule.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.member("id", id)
    }

    /// Sets a member of the rule's JSON, for all that has no method here.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

/// Makes the variations of an experiment. The first one is the control.
///
/// If all values are different strings, they are also the keys of the variations, which exposures
/// have. Otherwise the keys are `0`, `1` and so on. Every variation gets the same share, and the
/// attribute `id` is hashed.
pub fn variations<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Variations {
    let values = values.into_iter().map(Into::into).collect();
    let mut members = Map::new();
    members.insert("hashVersion".into(), json!(2));
    Variations { values, members }
}

impl Variations {
    /// Sets the key under which exposures are reported. Default: the key of the feature.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.member("key", key)
    }

    /// Sets the share of each variation. The sum must be 1.
    #[must_use]
    pub fn weights(self, weights: impl IntoIterator<Item = f64>) -> Self {
        let weights: Vec<f64> = weights.into_iter().collect();
        self.member("weights", weights)
    }

    /// Sets the share of users who take part, from 0 to 1. Default: 1.
    #[must_use]
    pub fn coverage(self, coverage: f64) -> Self {
        self.member("coverage", coverage)
    }

    /// Sets the attribute to hash. Default: `id`.
    #[must_use]
    pub fn hash_attribute(self, name: &str) -> Self {
        self.member("hashAttribute", name)
    }

    /// Sets a member of the rule's JSON, for all that has no method here.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    fn into_members(self) -> Map<String, Value> {
        let Variations { values, mut members } = self;
        let keys: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let mut distinct = keys.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() == values.len() && !members.contains_key("meta") {
            let meta: Vec<Value> = keys.iter().map(|key| json!({"key": key})).collect();
            members.insert("meta".into(), Value::Array(meta));
        }
        members.insert("variations".into(), Value::Array(values));
        members
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Variations {
    fn from(values: [T; N]) -> Self {
        variations(values)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Variations {
    fn from(values: Vec<T>) -> Self {
        variations(values)
    }
}
