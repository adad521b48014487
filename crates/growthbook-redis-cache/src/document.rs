//! What the cache has to know of a document.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The members that matter, unread.
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

/// What the cache has to know of a document.
pub(crate) struct Facts {
    /// Some part of it is encrypted.
    pub(crate) is_encrypted: bool,
    /// When it was last changed, as the API writes it; empty when it does not say.
    pub(crate) date_updated: String,
}

impl Facts {
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

/// Tells documents apart: 128 bits of SHA-256.
pub(crate) fn digest(document: &str) -> String {
    Sha256::digest(document.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_documents_are_known_by_their_members() {
        let cases = [
            (r#"{"features":{},"encryptedFeatures":"a.b"}"#, true),
            (r#"{"features":{},"encryptedSavedGroups":"a.b"}"#, true),
            (r#"{"features":{},"encryptedFeatures":""}"#, false),
            (r#"{"features":{},"encryptedFeatures":null}"#, false),
            (r#"{"features":{"encryptedFeatures":{}}}"#, false),
            ("rubbish", false),
        ];
        for (document, expected) in cases {
            assert_eq!(Facts::of(document).is_encrypted, expected, "{document}");
        }
        let dated = Facts::of(r#"{"dateUpdated":"2026-01-01T00:00:00.000Z"}"#);
        assert_eq!(dated.date_updated, "2026-01-01T00:00:00.000Z");
        assert_eq!(Facts::of(r#"{"dateUpdated":5}"#).date_updated, "");
    }
}
