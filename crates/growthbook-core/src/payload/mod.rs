//! The payload as the GrowthBook API sends it: sections found, and opened where encrypted.

mod change;
#[cfg(feature = "encryption")]
mod decrypt;
mod document;
mod raw;

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use serde_json::Value;

pub use change::PayloadChange;
#[cfg(feature = "encryption")]
pub use decrypt::{DecryptError, DecryptionKey, decrypt};
pub(crate) use document::{Sections, object_text};
pub(crate) use raw::{items, members};

use crate::condition::PatternCompiler;
use crate::json::{Json, TextReader};
use crate::limits::MAX_JSON_DEPTH;
use crate::warning::{Location, Warning, WarningKind};
use crate::{Snapshot, compile};
use document::{Member, SectionName};

/// A payload of feature definitions: what the API's features endpoint answers, decrypted.
///
/// Reading one finds its sections and checks that it is a payload at all; the definitions inside
/// are read by [`compile`](Payload::compile), where a broken one costs a [`Warning`], never the
/// payload.
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
    /// The text of an object. Snapshots keep it, to show experiments as they were written.
    features: Arc<str>,
    experiments: Section,
    saved_groups: Section,
    contextual_bandits: Section,
    layout: Vec<Member>,
    date_updated: Option<Box<str>>,
    warnings: Vec<Warning>,
}

/// A section that may be missing.
#[derive(Clone)]
pub(crate) enum Section {
    Absent,
    /// JSON text.
    Present(Box<str>),
    /// It is there, but nobody can read it.
    Unreadable,
}

impl Payload {
    /// Reads a payload without encrypted features. Other sections that are encrypted are left
    /// out with a warning.
    ///
    /// # Errors
    ///
    /// When the bytes are no JSON object, have no `features`, or have only encrypted ones.
    pub fn from_json(bytes: impl AsRef<[u8]>) -> Result<Self, PayloadError> {
        Payload::read(bytes.as_ref(), |_| Err(SectionError::MissingKey))
    }

    /// Reads a payload whose sections may be encrypted. Where a section stands in both forms,
    /// the encrypted one alone counts.
    ///
    /// # Errors
    ///
    /// When the bytes are no JSON object, have no `features`, or the key does not open them. A
    /// different section that it does not open is left out with a warning.
    #[cfg(feature = "encryption")]
    pub fn from_encrypted_json(
        bytes: impl AsRef<[u8]>,
        key: &DecryptionKey,
    ) -> Result<Self, PayloadError> {
        Payload::read(bytes.as_ref(), |text| decrypt(text, key).map_err(SectionError::Decrypt))
    }

    fn read(
        bytes: &[u8],
        open: impl Fn(&str) -> Result<String, SectionError>,
    ) -> Result<Self, PayloadError> {
        let text = core::str::from_utf8(bytes).map_err(|_| PayloadError::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let members = raw::members(text).ok_or_else(|| PayloadError::no_object(text))?;
        let section = |name: SectionName| -> Result<Option<Cow<'_, str>>, SectionError> {
            match members.get(name.encrypted()).filter(|text| *text != r#""""#) {
                Some(encrypted) => {
                    let encrypted: String =
                        serde_json::from_str(encrypted).map_err(|_| SectionError::NotText)?;
                    let text = open(&encrypted)?;
                    let mut reader = TextReader::new(&text);
                    let section = reader.skip().filter(|_| reader.end().is_some());
                    let section = section.map(|text| Some(Cow::Owned(text.into())));
                    section.ok_or(SectionError::NotJson)
                }
                None => Ok(members.get(name.plain()).map(Cow::Borrowed)),
            }
        };

        let features = section(SectionName::Features)
            .map_err(PayloadError::from)?
            .ok_or(PayloadError::MissingFeatures)?;
        if !features.starts_with('{') {
            return Err(PayloadError::FeaturesNotAnObject);
        }
        let mut warnings = Vec::new();
        let mut optional = |name: SectionName| match section(name) {
            Ok(None) => Section::Absent,
            Ok(Some(text)) => Section::Present(text.into()),
            Err(error) => {
                let location = Location::Section(name.plain());
                warnings.push(Warning { location, kind: error.into() });
                Section::Unreadable
            }
        };
        let experiments = optional(SectionName::Experiments);
        let saved_groups = optional(SectionName::SavedGroups);
        let contextual_bandits = optional(SectionName::ContextualBandits);
        let layout = document::layout(&members, |name| {
            let section = match name {
                SectionName::Features => return false,
                SectionName::Experiments => &experiments,
                SectionName::SavedGroups => &saved_groups,
                SectionName::ContextualBandits => &contextual_bandits,
            };
            matches!(section, Section::Unreadable)
        });
        let date_updated = members
            .get("dateUpdated")
            .and_then(|text| serde_json::from_str::<String>(text).ok())
            .map(String::into_boxed_str);
        Ok(Payload {
            features: features.into(),
            experiments,
            saved_groups,
            contextual_bandits,
            layout,
            date_updated,
            warnings,
        })
    }

    /// Compiles the definitions for evaluation. What makes no sense is left out, with a
    /// [`Warning`] in [`Snapshot::warnings`].
    pub fn compile(&self) -> Snapshot {
        compile::compile(self, PatternCompiler::default())
    }

    /// Compiles as [`compile`](Payload::compile) does, for use in place of an older snapshot:
    /// regular expressions that both have are taken over with what was built of them, so that the
    /// first evaluations do not build them anew.
    pub fn compile_after(&self, before: &Snapshot) -> Snapshot {
        compile::compile(self, PatternCompiler::after(&before.patterns))
    }

    /// When the definitions last changed, as the API wrote it (ISO 8601); `None` when it did not.
    pub fn date_updated(&self) -> Option<&str> {
        self.date_updated.as_deref()
    }

    /// The feature definitions by key, as JSON. Made anew on every call: for inspection, not for
    /// evaluation. A definition that is no valid JSON by itself is left out.
    pub fn features(&self) -> serde_json::Map<String, Value> {
        let Some(members) = raw::members(&self.features) else {
            return serde_json::Map::new();
        };
        members
            .named
            .iter()
            .filter_map(|(key, text)| {
                Some((key.clone().into_owned(), serde_json::from_str(text).ok()?))
            })
            .collect()
    }

    pub(crate) fn features_text(&self) -> &Arc<str> {
        &self.features
    }

    pub(crate) fn saved_groups_section(&self) -> &Section {
        &self.saved_groups
    }

    pub(crate) fn contextual_bandits_section(&self) -> &Section {
        &self.contextual_bandits
    }

    pub(crate) fn experiments_section(&self) -> &Section {
        &self.experiments
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
            .field("features_bytes", &self.features.len())
            .finish_non_exhaustive()
    }
}

/// Why a section cannot be read.
enum SectionError {
    /// It is encrypted, and there is no key.
    MissingKey,
    /// What should be encrypted text is no string.
    NotText,
    /// Decrypted, but no JSON.
    NotJson,
    #[cfg(feature = "encryption")]
    Decrypt(DecryptError),
}

impl From<SectionError> for WarningKind {
    fn from(error: SectionError) -> Self {
        match error {
            SectionError::MissingKey => WarningKind::MissingDecryptionKey,
            SectionError::NotText => WarningKind::WrongType { field: "", expected: "a string" },
            SectionError::NotJson => WarningKind::InvalidJson,
            #[cfg(feature = "encryption")]
            SectionError::Decrypt(_) => WarningKind::Undecipherable,
        }
    }
}

impl From<SectionError> for PayloadError {
    fn from(error: SectionError) -> Self {
        match error {
            SectionError::MissingKey => PayloadError::MissingDecryptionKey,
            SectionError::NotText | SectionError::NotJson => PayloadError::EncryptedFeaturesInvalid,
            #[cfg(feature = "encryption")]
            SectionError::Decrypt(error) => PayloadError::Decrypt(error),
        }
    }
}

/// Why bytes are no payload. Whoever holds an older one keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// The bytes are no UTF-8.
    NotUtf8,
    /// The text is no JSON.
    Syntax {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// JSON, but no object.
    NotAnObject,
    /// There is neither `features` nor `encryptedFeatures`.
    MissingFeatures,
    /// `features` is no object.
    FeaturesNotAnObject,
    /// The features are encrypted, and there is no key.
    MissingDecryptionKey,
    /// What the key opened is no JSON, or `encryptedFeatures` is no string.
    EncryptedFeaturesInvalid,
    /// The key does not open the features.
    #[cfg(feature = "encryption")]
    Decrypt(DecryptError),
}

impl PayloadError {
    fn no_object(text: &str) -> Self {
        match raw::object_error(text) {
            Some(error) if !error.is_data() => {
                PayloadError::Syntax { line: error.line(), column: error.column() }
            }
            _ => PayloadError::NotAnObject,
        }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            PayloadError::NotUtf8 => "the payload is not UTF-8",
            PayloadError::Syntax { line, column } => {
                return write!(
                    formatter,
                    "the payload is not valid JSON (line {line}, column {column})"
                );
            }
            PayloadError::NotAnObject => "the payload is not a JSON object",
            PayloadError::MissingFeatures => {
                "the payload has no features: neither `features` nor `encryptedFeatures`"
            }
            PayloadError::FeaturesNotAnObject => "the payload's features are not an object",
            PayloadError::MissingDecryptionKey => {
                "the payload's features are encrypted, and no decryption key is set"
            }
            PayloadError::EncryptedFeaturesInvalid => {
                "the payload's encrypted features are not valid JSON"
            }
            #[cfg(feature = "encryption")]
            PayloadError::Decrypt(_) => "the payload's features cannot be decrypted",
        };
        formatter.write_str(text)
    }
}

impl core::error::Error for PayloadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            #[cfg(feature = "encryption")]
            PayloadError::Decrypt(error) => Some(error),
            _ => None,
        }
    }
}

/// Payloads composed from sections at hand instead of a document.
impl Payload {
    /// A payload without features.
    pub fn empty() -> Self {
        Payload {
            features: "{}".into(),
            experiments: Section::Absent,
            saved_groups: Section::Absent,
            contextual_bandits: Section::Absent,
            layout: document::features_only(),
            date_updated: None,
            warnings: Vec::new(),
        }
    }

    /// A payload of these feature definitions and saved groups, each an object by key or id.
    ///
    /// # Errors
    ///
    /// When `features` is no object.
    pub fn from_parts(
        features: &Value,
        saved_groups: Option<&Value>,
    ) -> Result<Self, PayloadError> {
        if !features.is_object() {
            return Err(PayloadError::FeaturesNotAnObject);
        }
        Ok(Payload::empty().with_sections(Sections {
            features: json_text(features),
            experiments: Section::Absent,
            saved_groups: saved_groups
                .map_or(Section::Absent, |groups| Section::Present(json_text(groups).into())),
            contextual_bandits: Section::Absent,
        }))
    }

    /// The same payload with other feature definitions.
    ///
    /// # Errors
    ///
    /// When `features` is no object.
    pub fn with_features(&self, features: &Value) -> Result<Self, PayloadError> {
        if !features.is_object() {
            return Err(PayloadError::FeaturesNotAnObject);
        }
        Ok(Payload { features: json_text(features).into(), ..self.clone() })
    }
}

/// Cut, so that writing it takes a bounded stack, and so deep that reading it refuses what was cut.
fn json_text(value: &Value) -> String {
    Json::from_value(value, 2 * MAX_JSON_DEPTH).to_text()
}
