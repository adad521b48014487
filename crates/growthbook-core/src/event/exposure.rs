//! Exposures: a user saw a variation of an experiment.

use alloc::{borrow::Cow, string::String};
use core::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value, json};

use super::assignment::AssignmentRecord;
use super::read::Track;
use super::user::{EventUser, EventUserRecord};
use crate::cache::UnixMillis;
use crate::experiment::ExperimentDefinition;
use crate::observe::Exposure;
use crate::result::Assignment;

/// The name of an exposure in GrowthBook's events.
pub const EXPERIMENT_VIEWED: &str = "Experiment Viewed";

/// A user saw a variation of an experiment.
///
/// In results of experiments, see [`Plugin::result`](crate::plugin::Plugin::result), the user may
/// also be excluded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExperimentViewed<'a> {
    /// The experiment.
    pub experiment: &'a ExperimentDefinition,
    /// How the user was assigned: variation, hash attribute and value, bucket, bandit.
    pub result: &'a Assignment<'a>,
    /// The assigned variation's value; `None` for an inline experiment.
    pub value: Option<&'a Value>,
    /// The user, with the attributes that the evaluation used.
    pub user: EventUser<'a>,
    /// The time, by the clock of the client; 0 if it is unknown.
    pub timestamp: UnixMillis,
}

impl<'a> ExperimentViewed<'a> {
    /// Makes the event of an exposure.
    pub fn new(exposure: &Exposure<'a>, user: EventUser<'a>, timestamp: UnixMillis) -> Self {
        let Exposure { experiment, result, value } = *exposure;
        ExperimentViewed { experiment, result, value, user, timestamp }
    }

    /// Returns the user's attribute `id` as text.
    pub fn user_id(&self) -> Option<Cow<'a, str>> {
        self.user.id()
    }

    /// Returns the hash attribute's value as text: JavaScript's `String(value)`.
    pub fn hash_value_text(&self) -> Cow<'a, str> {
        self.result.hash_value.to_text()
    }

    /// Returns the properties of GrowthBook's event [`EXPERIMENT_VIEWED`].
    pub fn properties(&self) -> Map<String, Value> {
        object(json!({
            "experimentId": self.experiment.key(),
            "variationId": self.result.key,
            "hashAttribute": self.result.hash_attribute,
            "hashValue": self.result.hash_value.to_json(),
        }))
    }

    /// Returns an owned copy.
    pub fn to_record(&self) -> ExperimentViewedRecord {
        ExperimentViewedRecord {
            experiment: self.experiment.clone(),
            result: self.result.into(),
            value: self.value.cloned(),
            user: self.user.to_record(),
            timestamp: self.timestamp,
        }
    }
}

/// An owned copy of an [`ExperimentViewed`], for a queue or for a browser.
///
/// Serializes to a deferred tracking call of the JavaScript SDK, `{"experiment", "result", "user"}`,
/// with a `timestamp`. Deserializes from the tracking calls of all SDKs.
///
/// `Debug` prints keys, never attribute values.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExperimentViewedRecord {
    /// The experiment.
    pub experiment: ExperimentDefinition,
    /// How the user was assigned.
    pub result: AssignmentRecord,
    /// The assigned variation's value; `None` for an inline experiment.
    pub value: Option<Value>,
    /// The user, with the attributes that the evaluation used.
    pub user: EventUserRecord,
    /// The time, by the clock of the client; 0 if it is unknown.
    pub timestamp: UnixMillis,
}

impl ExperimentViewedRecord {
    /// Returns the user's attribute `id` as text.
    pub fn user_id(&self) -> Option<String> {
        EventUser::new(&self.user.to_context()).id().map(Cow::into_owned)
    }

    /// Returns the hash attribute's value as text: JavaScript's `String(value)`.
    pub fn hash_value_text(&self) -> String {
        self.result.hash_value_text()
    }

    /// Calls `read` with the borrowed form.
    pub fn with_view<R>(&self, read: impl FnOnce(&ExperimentViewed<'_>) -> R) -> R {
        let user = self.user.to_context();
        read(&ExperimentViewed {
            experiment: &self.experiment,
            result: &self.result.as_assignment(),
            value: self.value.as_ref(),
            user: EventUser::new(&user),
            timestamp: self.timestamp,
        })
    }
}

impl Serialize for ExperimentViewedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let result = self.result.as_assignment();
        let exposure = Exposure::new(&self.experiment, &result, self.value.as_ref());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("experiment", &exposure.reported_experiment())?;
        let result = ResultWithValue { value: exposure.value, result: &result };
        map.serialize_entry("result", &result)?;
        map.serialize_entry("user", &self.user)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        map.end()
    }
}

/// GrowthBook's ExperimentResult. An inline experiment has no value here.
pub(crate) struct ResultWithValue<'a> {
    pub(crate) value: Option<&'a Value>,
    pub(crate) result: &'a Assignment<'a>,
}

impl Serialize for ResultWithValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(value) = self.value {
            map.serialize_entry("value", value)?;
        }
        self.result.serialize_entries(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for ExperimentViewedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Call {
            experiment: Value,
            result: Value,
            #[serde(default)]
            user: Option<EventUserRecord>,
            #[serde(default)]
            timestamp: Option<UnixMillis>,
        }
        let call = Call::deserialize(deserializer)?;
        let track =
            Track::from_values(&call.experiment, &call.result).map_err(de::Error::custom)?;
        Ok(ExperimentViewedRecord {
            experiment: track.experiment,
            result: track.result,
            value: track.value.map(|value| value.value().clone()),
            user: call.user.unwrap_or_default(),
            timestamp: call.timestamp.unwrap_or_default(),
        })
    }
}

impl fmt::Debug for ExperimentViewedRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ExperimentViewedRecord")
            .field("experiment", &self.experiment)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}

/// Returns the members of an object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
