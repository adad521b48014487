//! An assignment, owned.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::bandit::ContextualBandit;
use crate::hash_value::HashValue;
use crate::json::Number;
use crate::result::Assignment;

/// An owned copy of an [`Assignment`]. Serializes like it.
#[derive(Clone)]
#[non_exhaustive]
pub struct AssignmentRecord {
    /// The assigned variation's key.
    pub key: String,
    /// The assigned variation's name.
    pub name: Option<String>,
    /// The feature whose rule ran the experiment.
    pub feature_id: Option<String>,
    /// Whether the user takes part.
    pub in_experiment: bool,
    /// Whether hashing the user's attribute decided.
    pub hash_used: bool,
    /// The index of the assigned variation.
    pub variation_id: usize,
    /// The attribute that was hashed.
    pub hash_attribute: String,
    /// The attribute's value: a string or a number; "" if it is missing.
    pub hash_value: Value,
    /// The user's bucket in [0, 1), when hashing decided.
    pub bucket: Option<f64>,
    /// Whether the variation lets the feature's next rules decide.
    pub passthrough: bool,
    /// Whether a stored assignment decided.
    pub sticky_bucket_used: bool,
    /// The contextual bandit that set the weights.
    pub contextual_bandit: Option<ContextualBanditRecord>,
}

/// An owned copy of a [`ContextualBandit`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ContextualBanditRecord {
    /// The leaf that matched the user. -1 when no leaf matched.
    pub leaf_id: i64,
    /// The weights that bucketing used.
    pub variation_weights: Vec<f64>,
    /// The version of the bandit's model.
    pub bandit_version: Option<i64>,
}

impl From<ContextualBandit<'_>> for ContextualBanditRecord {
    fn from(bandit: ContextualBandit<'_>) -> Self {
        ContextualBanditRecord {
            leaf_id: bandit.leaf_id,
            variation_weights: bandit.variation_weights.into(),
            bandit_version: bandit.bandit_version,
        }
    }
}

impl<'a> From<&'a ContextualBanditRecord> for ContextualBandit<'a> {
    fn from(bandit: &'a ContextualBanditRecord) -> Self {
        ContextualBandit {
            leaf_id: bandit.leaf_id,
            variation_weights: &bandit.variation_weights,
            bandit_version: bandit.bandit_version,
        }
    }
}

impl AssignmentRecord {
    /// Returns the hash attribute's value as text: JavaScript's `String(value)`.
    pub fn hash_value_text(&self) -> String {
        self.hash_value().to_text().into_owned()
    }

    /// Returns the borrowed form. It does not have an exclusion, which records do not keep.
    pub fn as_assignment(&self) -> Assignment<'_> {
        let bandit = self.contextual_bandit.as_ref();
        Assignment {
            key: &self.key,
            name: self.name.as_deref(),
            feature_id: self.feature_id.as_deref(),
            in_experiment: self.in_experiment,
            exclusion: None,
            hash_used: self.hash_used,
            variation_id: self.variation_id,
            hash_attribute: &self.hash_attribute,
            hash_value: self.hash_value(),
            bucket: self.bucket,
            passthrough: self.passthrough,
            sticky_bucket_used: self.sticky_bucket_used,
            contextual_bandit: bandit.map(Into::into),
        }
    }

    fn hash_value(&self) -> HashValue<'_> {
        match &self.hash_value {
            Value::String(text) if !text.is_empty() => HashValue::String(text),
            Value::Number(number) => {
                Number::from_serde(number).map_or(HashValue::Missing, HashValue::Number)
            }
            _ => HashValue::Missing,
        }
    }
}

impl From<&Assignment<'_>> for AssignmentRecord {
    fn from(assignment: &Assignment<'_>) -> Self {
        AssignmentRecord {
            key: assignment.key.into(),
            name: assignment.name.map(Into::into),
            feature_id: assignment.feature_id.map(Into::into),
            in_experiment: assignment.in_experiment,
            hash_used: assignment.hash_used,
            variation_id: assignment.variation_id,
            hash_attribute: assignment.hash_attribute.into(),
            hash_value: assignment.hash_value.to_json(),
            bucket: assignment.bucket,
            passthrough: assignment.passthrough,
            sticky_bucket_used: assignment.sticky_bucket_used,
            contextual_bandit: assignment.contextual_bandit.map(Into::into),
        }
    }
}

impl Serialize for AssignmentRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_assignment().serialize(serializer)
    }
}

/// Prints everything but the attribute's value.
impl fmt::Debug for AssignmentRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_assignment().fmt(formatter)
    }
}
