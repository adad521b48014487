//! Events that the application logs.

use alloc::string::String;
use core::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::user::{EventUser, EventUserRecord};
use crate::cache::UnixMillis;

/// An event that the application logged.
///
/// `Debug` prints the name, never properties or attribute values.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct CustomEvent<'a> {
    /// The name.
    pub name: &'a str,
    /// The properties.
    pub properties: &'a Map<String, Value>,
    /// The user. An event of the client has the global attributes only.
    pub user: EventUser<'a>,
    /// The time, by the clock of the client; 0 if it is unknown.
    pub timestamp: UnixMillis,
}

impl<'a> CustomEvent<'a> {
    /// Makes an event.
    pub fn new(
        name: &'a str,
        properties: &'a Map<String, Value>,
        user: EventUser<'a>,
        timestamp: UnixMillis,
    ) -> Self {
        CustomEvent { name, properties, user, timestamp }
    }

    /// Returns an owned copy.
    pub fn to_record(&self) -> CustomEventRecord {
        CustomEventRecord {
            name: self.name.into(),
            properties: self.properties.clone(),
            user: self.user.to_record(),
            timestamp: self.timestamp,
        }
    }
}

impl fmt::Debug for CustomEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CustomEvent").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An owned copy of a [`CustomEvent`], for a queue.
///
/// `Debug` prints the name, never properties or attribute values.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct CustomEventRecord {
    /// The name.
    #[serde(rename = "eventName")]
    pub name: String,
    /// The properties.
    pub properties: Map<String, Value>,
    /// The user.
    pub user: EventUserRecord,
    /// The time, by the clock of the client; 0 if it is unknown.
    pub timestamp: UnixMillis,
}

impl fmt::Debug for CustomEventRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CustomEventRecord")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
