//! Decryption of sections. GrowthBook encrypts with AES-128-CBC and PKCS#7 padding.

use alloc::{string::String, vec::Vec};
use core::fmt;

use aes::Aes128;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};

/// Base64 as JavaScript's `atob` reads it, except that padding is required.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// The size of an AES-128 key and of an initialization vector, in bytes.
const BLOCK: usize = 16;

/// The key of encrypted payloads: 16 bytes, which GrowthBook shows in base64.
///
/// `Debug` does not print the key.
#[derive(Clone)]
pub struct DecryptionKey([u8; BLOCK]);

impl DecryptionKey {
    /// Reads a key as GrowthBook shows it.
    ///
    /// # Errors
    ///
    /// The text is not base64 of 16 bytes.
    pub fn from_base64(text: &str) -> Result<Self, DecryptError> {
        let bytes = decode(text).ok_or(DecryptError::InvalidKey)?;
        bytes.try_into().map(DecryptionKey).map_err(|_| DecryptError::InvalidKey)
    }
}

impl core::str::FromStr for DecryptionKey {
    type Err = DecryptError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DecryptionKey::from_base64(text)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DecryptionKey(..)")
    }
}

/// Decrypts `base64(iv) + "." + base64(ciphertext)`. White space in the base64 is ignored.
///
/// # Errors
///
/// The text does not have that form, the key does not decrypt it, or the decrypted text is not
/// UTF-8. Only the padding shows a wrong key, so about one wrong key in 256 is not found here. The
/// decrypted text is then almost never JSON.
pub fn decrypt(encrypted: &str, key: &DecryptionKey) -> Result<String, DecryptError> {
    let (iv, ciphertext) = encrypted.split_once('.').ok_or(DecryptError::Malformed)?;
    let iv: [u8; BLOCK] =
        decode(iv).and_then(|iv| iv.try_into().ok()).ok_or(DecryptError::Malformed)?;
    let ciphertext = decode(ciphertext).ok_or(DecryptError::Malformed)?;
    let plaintext = Decryptor::<Aes128>::new(&key.0.into(), &iv.into())
        .decrypt_padded_vec::<Pkcs7>(&ciphertext)
        .map_err(|_| DecryptError::WrongKey)?;
    String::from_utf8(plaintext).map_err(|_| DecryptError::WrongKey)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(compact).ok()
}

/// Why encrypted text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The key is not base64 of 16 bytes.
    InvalidKey,
    /// The text is not a pair of base64 parts, or its first part does not have 16 bytes.
    Malformed,
    /// The key does not decrypt the text, or the text was truncated or changed.
    WrongKey,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            DecryptError::InvalidKey => {
                "the decryption key is not base64 of 16 bytes: take it from the SDK connection"
            }
            DecryptError::Malformed => {
                "the encrypted text is malformed: check that it arrived whole"
            }
            DecryptError::WrongKey => {
                "the decryption key does not decrypt the text: take the one of the same SDK \
                 connection"
            }
        })
    }
}

impl core::error::Error for DecryptError {}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const KEY: &str = "Zvwv/+uhpFDznZ6SX28Yjg==";
    const TEXT: &str =
        "m5ylFM6ndyOJA2OPadubkw==.Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj";

    #[test]
    fn white_space_is_ignored() {
        let key = DecryptionKey::from_base64(&format!(" {KEY}\n")).unwrap();
        let plain = r#"{"feature":{"defaultValue":true}}"#;
        assert_eq!(decrypt(&TEXT.replace('U', "\nU "), &key).unwrap(), plain);
        assert_eq!(decrypt(&format!("{TEXT}."), &key), Err(DecryptError::Malformed));
        assert_eq!(decrypt(&TEXT.replace("==", ""), &key), Err(DecryptError::Malformed));
    }

    #[test]
    fn truncated_text_is_an_error() {
        let key = DecryptionKey::from_base64(KEY).unwrap();
        for length in 0..TEXT.len() {
            assert!(decrypt(&TEXT[..length], &key).is_err(), "{length}");
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let key = DecryptionKey::from_base64(KEY).unwrap();
        assert_eq!(format!("{key:?}"), "DecryptionKey(..)");
    }
}
