//! The facts about a document that the cache needs, and its digest.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The members that the facts depend on, as JSON text.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Members<'a> {
    #[serde(borrow)]
    date_updated: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_features: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_experiments: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_saved_groups: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_contextual_bandits: Option<&'a RawValue>,
}

/// The facts about a document.
pub(crate) struct Facts {
    /// Whether a section is encrypted.
    pub(crate) is_encrypted: bool,
    /// The `dateUpdated` of the document; empty if it has none.
    pub(crate) date_updated: String,
}

impl Facts {
    /// Reads the facts. An unreadable document has none.
    pub(crate) fn of(document: &str) -> Self {
        let members: Members<'_> = serde_json::from_str(document).unwrap_or_default();
        let date = members.date_updated.and_then(|text| serde_json::from_str(text.get()).ok());
        let is_encrypted = [
            members.encrypted_features,
            members.encrypted_experiments,
            members.encrypted_saved_groups,
            members.encrypted_contextual_bandits,
        ]
        .into_iter()
        .flatten()
        .any(|section| !matches!(section.get(), "null" | r#""""#));
        Facts { is_encrypted, date_updated: date.unwrap_or_default() }
    }
}

/// Returns 128 bits of the document's SHA-256, in hexadecimal.
pub(crate) fn digest(document: &str) -> String {
    Sha256::digest(document.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the latest plausible `dateUpdated`: an hour from now, since clocks differ. It is written
/// like GrowthBook's dates, so that their texts can be compared. Empty if the clock is out of range.
pub(crate) fn latest_date() -> String {
    const LARGEST_SKEW: Duration = Duration::from_secs(3600);
    let latest = Timestamp::now().checked_add(LARGEST_SKEW);
    latest.map_or_else(|_| String::new(), |latest| format!("{latest:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_date_is_written_like_other_dates() {
        let (date, example) = (latest_date(), "2026-01-01T00:00:00.000Z");
        let shape = |date: &str| date.replace(|it: char| it.is_ascii_digit(), "0");
        assert_eq!(shape(&date), shape(example));
        assert!(*date > *example);
    }

    #[test]
    fn encrypted_sections_are_recognized() {
        let cases = [
            (r#"{"features":{},"encryptedFeatures":"a.b"}"#, true),
            (r#"{"features":{},"encryptedSavedGroups":"a.b"}"#, true),
            (r#"{"features":{},"encryptedFeatures":""}"#, false),
            (r#"{"features":{},"encryptedFeatures":null}"#, false),
            (r#"{"features":{"encryptedFeatures":{}}}"#, false),
            ("garbage", false),
        ];
        for (document, expected) in cases {
            assert_eq!(Facts::of(document).is_encrypted, expected, "{document}");
        }
    }

    #[test]
    fn date_is_read_if_it_is_a_string() {
        let dated = Facts::of(r#"{"dateUpdated":"2026-01-01T00:00:00.000Z"}"#);
        assert_eq!(dated.date_updated, "2026-01-01T00:00:00.000Z");
        assert_eq!(Facts::of(r#"{"dateUpdated":5}"#).date_updated, "");
    }
}
