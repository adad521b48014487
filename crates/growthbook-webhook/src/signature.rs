//! The comparison of signatures, in constant time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{PROXY_SIGNATURE, WEBHOOK_SIGNATURE, WebhookError};

/// The length of an HMAC-SHA256, in bytes.
const LENGTH: usize = 32;
/// The room that Base64 wants for decoding 32 bytes.
const DECODING_LENGTH: usize = 33;
/// The prefix of the signatures that this SDK knows.
const VERSION: &str = "v1,";

/// Computes the signature of a message.
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(crate) fn new(secret: &[u8]) -> Result<Self, WebhookError> {
        if secret.is_empty() {
            return Err(WebhookError::EmptySecret);
        }
        // A key may have any length.
        Hmac::new_from_slice(secret).map(Signer).map_err(|_| WebhookError::EmptySecret)
    }

    /// Adds a part of the message.
    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// Verifies that one of several signatures is right. A sender that changes its secret signs
    /// with both. Signatures of other versions are ignored.
    pub(crate) fn verify_any(&self, signatures: &str) -> Result<(), WebhookError> {
        let mut error = WebhookError::InvalidHeader { name: WEBHOOK_SIGNATURE };
        for signature in signatures.split(' ').filter_map(|it| it.strip_prefix(VERSION)) {
            let mut bytes = [0; DECODING_LENGTH];
            match STANDARD.decode_slice(signature, &mut bytes).ok().and_then(|it| bytes.get(..it)) {
                Some(bytes) if self.is(bytes) => return Ok(()),
                Some(_) => error = WebhookError::WrongSignature,
                None => {}
            }
        }
        Err(error)
    }

    /// Verifies one signature in hexadecimal.
    pub(crate) fn verify_hex(&self, signature: &str) -> Result<(), WebhookError> {
        let bytes = of_hex(signature);
        let bytes = bytes.ok_or(WebhookError::InvalidHeader { name: PROXY_SIGNATURE })?;
        if self.is(&bytes) { Ok(()) } else { Err(WebhookError::WrongSignature) }
    }

    /// Compares in constant time.
    fn is(&self, signature: &[u8]) -> bool {
        self.0.clone().verify_slice(signature).is_ok()
    }
}

fn of_hex(text: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    if text.len() != 2 * LENGTH {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |byte, digit| {
            Some(byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?)
        })?;
    }
    Some(bytes)
}
