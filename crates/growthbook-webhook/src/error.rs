//! Why a webhook is refused.

use core::fmt;

/// Why a webhook is refused. Contains neither the secret nor any part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookError {
    /// The secret is empty, so any sender could sign.
    EmptySecret,
    /// A header is missing.
    MissingHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// A header does not have the form that it must have.
    InvalidHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// The signature does not match the secret and the message.
    WrongSignature,
    /// The message is older than the tolerance.
    TooOld {
        /// Its age in seconds.
        seconds: u64,
    },
    /// The message is from a time after now, beyond the tolerance.
    InTheFuture {
        /// How long after now it is, in seconds.
        seconds: u64,
    },
    /// The sender has the secret, but the body has no known format.
    UnknownBody,
}

impl WebhookError {
    /// Returns the HTTP status of the response: 401 if the sender is not proved, 400 for a message
    /// that cannot be read, and 500 without a secret.
    pub fn status(&self) -> u16 {
        match self {
            WebhookError::EmptySecret => 500,
            WebhookError::InvalidHeader { .. } | WebhookError::UnknownBody => 400,
            WebhookError::MissingHeader { .. }
            | WebhookError::WrongSignature
            | WebhookError::TooOld { .. }
            | WebhookError::InTheFuture { .. } => 401,
        }
    }
}

impl fmt::Display for WebhookError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WebhookError::EmptySecret => formatter
                .write_str("the secret of the webhook is empty: set the key that GrowthBook shows"),
            WebhookError::MissingHeader { name } => {
                write!(
                    formatter,
                    "the webhook does not have the header `{name}`: pass all headers of the request"
                )
            }
            WebhookError::InvalidHeader { name } => {
                write!(
                    formatter,
                    "the header `{name}` of the webhook is malformed: pass it as it was received"
                )
            }
            WebhookError::WrongSignature => formatter.write_str(
                "the signature of the webhook is wrong: check that the secret is that of this \
                 webhook, and that the body is verified as it was received",
            ),
            WebhookError::TooOld { seconds } => {
                write!(
                    formatter,
                    "the webhook is {seconds} seconds old: check the clock, or it is a replay"
                )
            }
            WebhookError::InTheFuture { seconds } => {
                write!(
                    formatter,
                    "the webhook is from {seconds} seconds after now: check the clock"
                )
            }
            WebhookError::UnknownBody => formatter.write_str(
                "the body of the webhook has no known format: choose another in GrowthBook",
            ),
        }
    }
}

impl core::error::Error for WebhookError {}
