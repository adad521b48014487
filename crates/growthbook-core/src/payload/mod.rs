//! The payload that the GrowthBook API sends. Its sections are found, and decrypted if necessary.

mod change;
#[cfg(feature = "encryption")]
mod decrypt;
mod document;
mod error;
mod read;
mod section;

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use serde_json::Value;

pub use change::PayloadChange;
#[cfg(feature = "encryption")]
pub use decrypt::{DecryptError, DecryptionKey, decrypt};
pub(crate) use document::Sections;
pub use error::PayloadError;
pub(crate) use section::{Entries, Entry, Section};

use crate::json::Json;
use crate::limits::MAX_JSON_DEPTH;
use crate::warning::Warning;
use document::Member;
use error::SectionError;

/// A payload of feature definitions: the response of the API's features endpoint, decrypted.
///
/// Reading a payload finds its sections, and fails if it is not a payload.
/// [`compile`](Payload::compile) reads the definitions inside. A malformed definition is left out
/// with a [`Warning`].
///
/// ```
/// use growthbook_core::{Payload, UserContext};
///
/// let payload = Payload::from_json(br#"{"features": {"dark-mode": {"defaultValue": true}}}"#)?;
/// let snapshot = payload.compile();
/// let user = UserContext::new("user-1");
/// assert!(snapshot.for_user(&user).is_on("dark-mode"));
/// # Ok::<(), growthbook_core::PayloadError>(())
/// ```
#[derive(Clone)]
pub struct Payload {
    features: Entries,
    /// JSON text of any type.
    experiments: Section<Arc<str>>,
    saved_groups: Section<Entries>,
    contextual_bandits: Section<Entries>,
    layout: Vec<Member>,
    date_updated: Option<Box<str>>,
    warnings: Vec<Warning>,
}

impl Payload {
    /// Reads a payload without encrypted features. Other sections that are encrypted are left
    /// out with a warning.
    ///
    /// # Errors
    ///
    /// The bytes are not a JSON object, or do not have `features` that can be read without a key.
    pub fn from_json(bytes: impl AsRef<[u8]>) -> Result<Self, PayloadError> {
        Payload::read(bytes.as_ref(), |_| Err(SectionError::MissingKey))
    }

    /// Reads a payload whose sections may be encrypted. If a section is present in both forms, the
    /// encrypted form counts.
    ///
    /// # Errors
    ///
    /// The bytes are not a JSON object, do not have `features`, or the key does not decrypt the
    /// features. Another section that the key does not decrypt is left out with a warning.
    #[cfg(feature = "encryption")]
    pub fn from_encrypted_json(
        bytes: impl AsRef<[u8]>,
        key: &DecryptionKey,
    ) -> Result<Self, PayloadError> {
        Payload::read(bytes.as_ref(), |text| decrypt(text, key).map_err(SectionError::Decrypt))
    }

    /// Returns the time of the last change of the definitions, as the API wrote it (ISO 8601).
    /// `None` if the payload does not have it.
    pub fn date_updated(&self) -> Option<&str> {
        self.date_updated.as_deref()
    }

    /// Returns the feature definitions by key, as JSON. Every call reads them again, so use this
    /// for inspection, not for evaluation. A definition that is not valid JSON is left out.
    pub fn features(&self) -> serde_json::Map<String, Value> {
        let readable = |entry: &Entry| {
            Some((String::from(&*entry.key), serde_json::from_str(&entry.text).ok()?))
        };
        self.features.iter().filter_map(readable).collect()
    }

    pub(crate) fn feature_entries(&self) -> &Entries {
        &self.features
    }

    pub(crate) fn experiments_section(&self) -> &Section<Arc<str>> {
        &self.experiments
    }

    pub(crate) fn saved_groups_section(&self) -> &Section<Entries> {
        &self.saved_groups
    }

    pub(crate) fn contextual_bandits_section(&self) -> &Section<Entries> {
        &self.contextual_bandits
    }

    /// Returns the length of the text of all definitions.
    pub(crate) fn text_length(&self) -> usize {
        let of_entries = |section: &Section<Entries>| match section {
            Section::Present(entries) => entries.text_length(),
            _ => 0,
        };
        let experiments = match &self.experiments {
            Section::Present(text) => text.len(),
            _ => 0,
        };
        self.features.text_length()
            + experiments
            + of_entries(&self.saved_groups)
            + of_entries(&self.contextual_bandits)
    }

    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Payload")
            .field("date_updated", &self.date_updated)
            .field("features", &self.features.iter().len())
            .finish_non_exhaustive()
    }
}

/// Payloads that are made from sections instead of a document.
impl Payload {
    /// Makes a payload without features.
    pub fn empty() -> Self {
        Payload {
            features: Entries::default(),
            experiments: Section::Absent,
            saved_groups: Section::Absent,
            contextual_bandits: Section::Absent,
            layout: document::features_only(),
            date_updated: None,
            warnings: Vec::new(),
        }
    }

    /// Makes a payload of feature definitions and saved groups, each an object by key or id.
    ///
    /// # Errors
    ///
    /// `features` is not an object.
    pub fn from_parts(
        features: &Value,
        saved_groups: Option<&Value>,
    ) -> Result<Self, PayloadError> {
        Ok(Payload::empty().with_sections(Sections {
            features: feature_entries(features)?,
            experiments: Section::Absent,
            saved_groups: saved_groups.map_or(Section::Absent, |groups| {
                let groups = bounded(groups);
                match groups.as_object() {
                    Some(groups) => Section::Present(Entries::of_object(groups)),
                    None => Section::Malformed(groups.to_text().into()),
                }
            }),
            contextual_bandits: Section::Absent,
        }))
    }

    /// Copies the payload with other feature definitions.
    ///
    /// # Errors
    ///
    /// `features` is not an object.
    pub fn with_features(&self, features: &Value) -> Result<Self, PayloadError> {
        Ok(Payload { features: feature_entries(features)?, ..self.clone() })
    }
}

fn feature_entries(features: &Value) -> Result<Entries, PayloadError> {
    let features = bounded(features);
    features.as_object().map(Entries::of_object).ok_or(PayloadError::FeaturesNotAnObject)
}

/// Bounds the depth of a value, so that writing it takes a bounded stack. A value that was cut is
/// still too deep to be read.
fn bounded(value: &Value) -> Json<'static> {
    Json::from_value(value, 2 * MAX_JSON_DEPTH)
}
