//! Webhooks: GrowthBook notifies a service that the payload has changed.
//!
//! [`verify_webhook`] and [`verify_proxy_push`] verify the signature in constant time, and return
//! the action to take. The time is an argument, and they do no IO. The crate needs `alloc`, not
//! `std`. The crate `growthbook` has it as its module `webhook`, with the Cargo feature `webhooks`.
//!
//! # Modules in reading order
//!
//! | module | subject |
//! |---|---|
//! | `signature` | the comparison of signatures |
//! | `body` | GrowthBook's seven formats |
//! | `error` | why a webhook is refused |

#![no_std]

extern crate alloc;

mod body;
mod error;
mod signature;

use alloc::borrow::Cow;
use core::fmt;
use core::time::Duration;

pub use error::WebhookError;
use signature::Signer;

/// The header with the id of a message. It is signed, and differs for each message.
pub const WEBHOOK_ID: &str = "webhook-id";
/// The header with the time of sending, in Unix seconds. It is signed.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signature: `v1,` and the Base64 of an HMAC-SHA256. There may be more than
/// one, with spaces between them.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";
/// The header with the client key of the SDK connection. It is **not** signed.
pub const WEBHOOK_SDK_KEY: &str = "webhook-sdk-key";
/// The header with the signature of a push to a proxy: the hexadecimal HMAC-SHA256 of the body.
pub const PROXY_SIGNATURE: &str = "x-growthbook-signature";

/// How much the time of a message may differ from the clock of the receiver, in both directions.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The action to take after a webhook.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookAction<'b> {
    /// Use this payload. It is the text of a JSON object, and its sections may be encrypted.
    SetPayload(Cow<'b, str>),
    /// Fetch the payload: it has changed, and the message does not contain it.
    Refresh,
    /// Do nothing: the message is of a type that this SDK does not know.
    Ignore,
}

/// Prints no part of the payload.
impl fmt::Debug for WebhookAction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WebhookAction::SetPayload(text) => {
                write!(formatter, "SetPayload({} bytes)", text.len())
            }
            WebhookAction::Refresh => formatter.write_str("Refresh"),
            WebhookAction::Ignore => formatter.write_str("Ignore"),
        }
    }
}

/// Verifies an SDK webhook, and returns the action to take. It accepts each of GrowthBook's body
/// formats, and an empty body.
///
/// `secret` is the signing key that GrowthBook shows for the webhook, as it is. It is not decoded.
/// `header` returns a header by its name in lower case. `body` must be the bytes as received. `now`
/// is the time in milliseconds since 1970.
///
/// An attacker who sees a message can repeat it within the tolerance, and so set an older payload.
/// To prevent that, remember each [`WEBHOOK_ID`] for that time.
///
/// ```
/// use growthbook_webhook::{DEFAULT_TOLERANCE, WebhookAction, verify_webhook};
///
/// let header = |name: &str| match name {
///     "webhook-id" => Some("msg_1"),
///     "webhook-timestamp" => Some("1767323045"),
///     "webhook-signature" => Some("v1,jRz6XlZRSGFLGPiOdyy0fcVKn7A2V6san0RGta99s5w="),
///     _ => None,
/// };
/// let body = br#"{"type":"payload.changed","timestamp":"2026-01-02T03:04:05.678Z"}"#;
/// let now = 1_767_323_046_000;
/// let action = verify_webhook("wk_secret", header, body, now, DEFAULT_TOLERANCE)?;
/// assert_eq!(action, WebhookAction::Refresh);
/// # Ok::<(), growthbook_webhook::WebhookError>(())
/// ```
///
/// # Errors
///
/// The message is not from a sender with this secret, is too old, or has an unknown body. See
/// [`WebhookError::status`] for the response.
pub fn verify_webhook<'h, 'b>(
    secret: impl AsRef<[u8]>,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &'b [u8],
    now: u64,
    tolerance: Duration,
) -> Result<WebhookAction<'b>, WebhookError> {
    let required = |name| header(name).ok_or(WebhookError::MissingHeader { name });
    let (id, timestamp) = (required(WEBHOOK_ID)?, required(WEBHOOK_TIMESTAMP)?);
    let signatures = required(WEBHOOK_SIGNATURE)?;
    let mut signer = Signer::new(secret.as_ref())?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        signer.update(part);
    }
    signer.verify_any(signatures)?;
    check_time(timestamp, now, tolerance)?;
    body::action(body)
}

/// Verifies a push of GrowthBook to its Proxy, `POST /proxy/features`, for a service that takes the
/// Proxy's place. The body is the payload.
///
/// `signing_key` is that of the SDK connection. `header` returns a header by its name in lower
/// case. A push does not have a time, so an attacker can repeat an older one. Use it on a trusted
/// network only.
///
/// # Errors
///
/// The push is not from a sender with this key, or its body is not a payload.
pub fn verify_proxy_push<'h, 'b>(
    signing_key: impl AsRef<[u8]>,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &'b [u8],
) -> Result<WebhookAction<'b>, WebhookError> {
    let name = PROXY_SIGNATURE;
    let signature = header(name).ok_or(WebhookError::MissingHeader { name })?;
    let mut signer = Signer::new(signing_key.as_ref())?;
    signer.update(body);
    signer.verify_hex(signature)?;
    match body::action(body)? {
        action @ WebhookAction::SetPayload(Cow::Borrowed(_)) => Ok(action),
        _ => Err(WebhookError::UnknownBody),
    }
}

fn check_time(timestamp: &str, now: u64, tolerance: Duration) -> Result<(), WebhookError> {
    // GrowthBook does not write a sign, which `parse` would accept.
    let seconds = timestamp.parse::<u64>().ok().filter(|_| !timestamp.starts_with('+'));
    let seconds = seconds.ok_or(WebhookError::InvalidHeader { name: WEBHOOK_TIMESTAMP })?;
    let now = now / 1_000;
    let tolerance = tolerance.as_secs();
    match (now.saturating_sub(seconds), seconds.saturating_sub(now)) {
        (seconds, _) if seconds > tolerance => Err(WebhookError::TooOld { seconds }),
        (_, seconds) if seconds > tolerance => Err(WebhookError::InTheFuture { seconds }),
        _ => Ok(()),
    }
}
