//! The errors of reading a payload and its sections.

use core::fmt;

#[cfg(feature = "encryption")]
use super::DecryptError;
use crate::warning::WarningKind;

/// Why an encrypted section cannot be read.
pub(super) enum SectionError {
    /// There is no key.
    MissingKey,
    /// The encrypted section is not a string.
    NotText,
    /// The decrypted text is not JSON.
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

/// Why bytes are not a payload. On this error, keep using the older payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not JSON.
    Syntax {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// The text is JSON, but not an object.
    NotAnObject,
    /// The payload has neither `features` nor `encryptedFeatures`.
    MissingFeatures,
    /// `features` is not an object.
    FeaturesNotAnObject,
    /// The features are encrypted, and there is no key.
    MissingDecryptionKey,
    /// The decrypted features are not JSON, or `encryptedFeatures` is not a string.
    EncryptedFeaturesInvalid,
    /// The key does not decrypt the features.
    #[cfg(feature = "encryption")]
    Decrypt(DecryptError),
}

impl PayloadError {
    /// Returns the error for text that is not an object.
    pub(super) fn of_syntax(error: &serde_json::Error) -> Self {
        if error.is_data() {
            PayloadError::NotAnObject
        } else {
            PayloadError::Syntax { line: error.line(), column: error.column() }
        }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            PayloadError::NotUtf8 => {
                "the payload is not UTF-8: pass the reply of the SDK endpoint as it is"
            }
            PayloadError::Syntax { line, column } => {
                return write!(
                    formatter,
                    "the payload is not valid JSON (line {line}, column {column}): pass the reply of the \
                     SDK endpoint as it is"
                );
            }
            PayloadError::NotAnObject => {
                "the payload is not a JSON object: pass the whole reply of the SDK endpoint"
            }
            PayloadError::MissingFeatures => {
                "the payload has neither `features` nor `encryptedFeatures`: check that the address is \
                 an SDK endpoint"
            }
            PayloadError::FeaturesNotAnObject => {
                "the payload's features are not an object: write them as {\"key\": {...}}"
            }
            PayloadError::MissingDecryptionKey if cfg!(not(feature = "encryption")) => {
                "the payload's features are encrypted: switch on the Cargo feature `encryption`"
            }
            PayloadError::MissingDecryptionKey => {
                "the payload's features are encrypted, and no decryption key is set: take it from the \
                 SDK connection"
            }
            PayloadError::EncryptedFeaturesInvalid => {
                "the payload's encrypted features are not valid JSON: check that the decryption key is \
                 that of the SDK connection"
            }
            #[cfg(feature = "encryption")]
            PayloadError::Decrypt(error) => {
                return write!(formatter, "the payload's features cannot be decrypted: {error}");
            }
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
