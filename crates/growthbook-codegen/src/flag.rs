//! What the generator knows of a flag.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// A flag, as a payload or the REST API describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    pub(crate) key: String,
    pub(crate) description: String,
    /// `None` if it is missing or null.
    pub(crate) default_value: Option<Value>,
    /// The values of rules and variations. Null is left out.
    pub(crate) rule_values: Vec<Value>,
    pub(crate) rules: usize,
    /// Whether a rule is an experiment with several values.
    pub(crate) has_variations: bool,
}

impl Flag {
    /// Returns the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the description. It is empty for most payloads, which do not have descriptions.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the value that users get if no rule applies. `None` if it is missing or null.
    pub fn default_value(&self) -> Option<&Value> {
        self.default_value.as_ref()
    }

    /// Returns the number of rules.
    pub fn rules(&self) -> usize {
        self.rules
    }

    /// Returns every value that the flag can have: its default, and those of rules and variations.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.default_value.iter().chain(&self.rule_values)
    }
}

/// Flags by key, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags {
    pub(crate) flags: BTreeMap<String, Flag>,
    pub(crate) warnings: Vec<Warning>,
}

impl Flags {
    /// Returns the flags in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Flag> {
        self.flags.values()
    }

    /// Returns the flag with this key.
    pub fn get(&self, key: &str) -> Option<&Flag> {
        self.flags.get(key)
    }

    /// Returns what is missing, because it could not be read.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(crate) fn insert(&mut self, flag: Flag) {
        self.flags.insert(flag.key.clone(), flag);
    }
}

/// A flag whose function is less precise than it could be, or is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The definition is not valid. The flag has no function.
    Unreadable {
        /// The flag's key.
        key: String,
    },
    /// The values have different types. The function returns `serde_json::Value`.
    MixedTypes {
        /// The flag's key.
        key: String,
    },
    /// There is no value to take a type from. The function returns `serde_json::Value`.
    NoValue {
        /// The flag's key.
        key: String,
    },
    /// The API does not send the values, because they come from a config. The function returns
    /// `serde_json::Value`.
    UnknownConfig {
        /// The flag's key.
        key: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Unreadable { key } => write!(
                formatter,
                "flag {key:?}: its definition is not valid, so it has no function"
            ),
            Warning::MixedTypes { key } => write!(
                formatter,
                "flag {key:?}: its values have different types, so its function returns JSON"
            ),
            Warning::NoValue { key } => {
                write!(formatter, "flag {key:?}: it has no value, so its function returns JSON")
            }
            Warning::UnknownConfig { key } => write!(
                formatter,
                "flag {key:?}: the API does not send the values of its config, so its function \
                 returns JSON"
            ),
        }
    }
}
