//! Feature usage: a feature was evaluated.

use alloc::string::String;
use core::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::exposure::object;
use super::user::{EventUser, EventUserRecord};
use crate::cache::UnixMillis;
use crate::result::{FeatureResult, FeatureResultSource};

/// The name of feature usage in GrowthBook's events.
pub const FEATURE_EVALUATED: &str = "Feature Evaluated";
/// The rule id that GrowthBook's events have for the default value.
const DEFAULT_RULE_ID: &str = "$default";

/// A feature was evaluated.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FeatureUsage<'a> {
    /// The feature's key.
    pub key: &'a str,
    /// The result.
    pub result: &'a FeatureResult<'a>,
    /// The user, with the attributes that the evaluation used.
    pub user: EventUser<'a>,
    /// The time, by the clock of the client; 0 if it is unknown.
    pub timestamp: UnixMillis,
    /// When the payload was last changed, as the API wrote it (ISO 8601).
    pub date_updated: Option<&'a str>,
}

impl<'a> FeatureUsage<'a> {
    /// Makes the event of an evaluation.
    pub fn new(
        key: &'a str,
        result: &'a FeatureResult<'a>,
        user: EventUser<'a>,
        timestamp: UnixMillis,
    ) -> Self {
        FeatureUsage { key, result, user, timestamp, date_updated: None }
    }

    /// Sets when the payload was last changed.
    #[must_use]
    pub fn with_date_updated(self, date_updated: Option<&'a str>) -> Self {
        FeatureUsage { date_updated, ..self }
    }

    /// Returns the properties of GrowthBook's event [`FEATURE_EVALUATED`].
    pub fn properties(&self) -> Map<String, Value> {
        object(json!({
            "feature": self.key,
            "source": self.result.source,
            "value": self.result.value(),
            "ruleId": self.event_rule_id(),
            "variationId": self.variation_key().unwrap_or_default(),
        }))
    }

    /// Returns the id of the rule that decided, as GrowthBook's events have it: `$default` for the
    /// default value.
    pub fn event_rule_id(&self) -> &'a str {
        match self.result.source {
            FeatureResultSource::DefaultValue => DEFAULT_RULE_ID,
            _ => self.result.rule_id,
        }
    }

    /// Returns the key of the variation that decided, if an experiment did.
    pub fn variation_key(&self) -> Option<&'a str> {
        self.result.experiment_result.as_ref().map(|result| result.assignment.key)
    }

    /// Returns an owned copy.
    pub fn to_record(&self) -> FeatureUsageRecord {
        FeatureUsageRecord {
            feature: self.key.into(),
            source: self.result.source,
            value: self.result.value().clone(),
            rule_id: self.event_rule_id().into(),
            variation_key: self.variation_key().unwrap_or_default().into(),
            user: self.user.to_record(),
            timestamp: self.timestamp,
        }
    }
}

/// An owned copy of a [`FeatureUsage`], for a queue.
///
/// Serializes with the properties of GrowthBook's event [`FEATURE_EVALUATED`], the user and the
/// timestamp. `Debug` prints keys, never attribute values.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FeatureUsageRecord {
    /// The feature's key.
    pub feature: String,
    /// Where the value comes from.
    pub source: FeatureResultSource,
    /// The value.
    pub value: Value,
    /// The id of the rule that decided: `$default` for the default value; empty without a rule.
    pub rule_id: String,
    /// The key of the variation that decided; empty without an experiment.
    #[serde(rename = "variationId")]
    pub variation_key: String,
    /// The user, with the attributes that the evaluation used.
    pub user: EventUserRecord,
    /// The time, by the clock of the client; 0 if it is unknown.
    pub timestamp: UnixMillis,
}

impl fmt::Debug for FeatureUsageRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FeatureUsageRecord")
            .field("feature", &self.feature)
            .field("source", &self.source)
            .field("rule_id", &self.rule_id)
            .finish_non_exhaustive()
    }
}
