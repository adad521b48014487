//! Webhooks as GrowthBook sends them. `webhook.json` has one message of each format, signed by Node
//! with GrowthBook's algorithm. The secret is also valid Base64, and must not be decoded.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use growthbook_webhook::{
    DEFAULT_TOLERANCE, PROXY_SIGNATURE, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
    WebhookAction, WebhookError, verify_proxy_push, verify_webhook,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

#[derive(Deserialize)]
struct Recorded {
    secret: String,
    timestamp: String,
    payload: String,
    messages: Vec<Message>,
    push: String,
}

#[derive(Deserialize)]
struct Message {
    format: String,
    body: String,
    signature: String,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("webhook.json")).unwrap()
}

/// The headers of a message: id, timestamp, signature.
type Headers<'h> = [Option<&'h str>; 3];

const NOW: u64 = 1_767_323_045_678;

fn verify<'b>(
    secret: &str,
    headers: Headers<'_>,
    body: &'b [u8],
    now: u64,
) -> Result<WebhookAction<'b>, WebhookError> {
    let [id, timestamp, signature] = headers;
    let header = |name: &str| match name {
        WEBHOOK_ID => id,
        WEBHOOK_TIMESTAMP => timestamp,
        WEBHOOK_SIGNATURE => signature,
        _ => None,
    };
    verify_webhook(secret, header, body, now, DEFAULT_TOLERANCE)
}

fn hmac(secret: &str, message: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).unwrap().chain_update(message)
}

/// Verifies a body that is signed correctly.
fn act(body: &[u8]) -> Result<WebhookAction<'_>, WebhookError> {
    use base64::Engine;
    let signature = hmac("key", &[b"1.1767323045.", body].concat()).finalize().into_bytes();
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    let signature = format!("v1,{signature}");
    verify("key", [Some("1"), Some("1767323045"), Some(&signature)], body, NOW)
}

#[test]
fn every_format_is_read() {
    let recorded = recorded();
    assert_eq!(recorded.messages.len(), 7);
    for Message { format, body, signature } in &recorded.messages {
        let id = format!("msg_{format}");
        let headers = [Some(&*id), Some(&*recorded.timestamp), Some(&**signature)];
        let action = verify(&recorded.secret, headers, body.as_bytes(), NOW);
        let expected = match &**format {
            "standard-no-payload" | "none" => WebhookAction::Refresh,
            _ => WebhookAction::SetPayload((&*recorded.payload).into()),
        };
        assert_eq!(action, Ok(expected), "{format}");
    }
}

#[test]
fn changed_messages_are_refused() {
    let recorded = recorded();
    let Message { format, body, signature } = &recorded.messages[0];
    let (secret, id, timestamp) =
        (&*recorded.secret, format!("msg_{format}"), &*recorded.timestamp);
    let is_refused = |secret: &str, id: &str, timestamp: &str, body: &[u8]| {
        let headers = [Some(id), Some(timestamp), Some(&**signature)];
        verify(secret, headers, body, NOW) == Err(WebhookError::WrongSignature)
    };
    for place in 0..body.len() {
        let mut body = body.clone().into_bytes();
        body[place] ^= 1;
        assert!(is_refused(secret, &id, timestamp, &body), "{place}");
    }
    assert!(is_refused(secret, &id, timestamp, b""));
    assert!(is_refused(secret, "msg_other", timestamp, body.as_bytes()));
    assert!(is_refused(secret, &id, "1767323046", body.as_bytes()));
    assert!(is_refused(&secret[1..], &id, timestamp, body.as_bytes()));
    // A period in the id does not move a part of the body into the header.
    assert!(is_refused(secret, &format!("{id}.{timestamp}"), "", body.as_bytes()));
}

#[test]
fn one_of_several_signatures_is_enough() {
    let recorded = recorded();
    let Message { format, body, signature } = &recorded.messages[0];
    let id = format!("msg_{format}");
    let verify = |signatures: &str| {
        let headers = [Some(&*id), Some(&*recorded.timestamp), Some(signatures)];
        verify(&recorded.secret, headers, body.as_bytes(), NOW).map(|_| ())
    };
    let other = &recorded.messages[1].signature;
    assert_eq!(verify(&format!("v2,x {other} {signature}")), Ok(()));
    assert_eq!(verify(other), Err(WebhookError::WrongSignature));
    // Half of a signature, or more than one, is not a signature.
    assert_eq!(verify(&signature[..23]), Err(WebhookError::WrongSignature));
    let malformed = WebhookError::InvalidHeader { name: WEBHOOK_SIGNATURE };
    let without_version = signature.trim_start_matches("v1,");
    let doubled = format!("{}{}", signature.trim_end_matches('='), without_version);
    for signatures in ["", "v1,", "v1,%", "v2,x", without_version, &doubled] {
        let error = verify(signatures).unwrap_err();
        assert!([malformed, WebhookError::WrongSignature].contains(&error), "{signatures}");
    }
}

#[test]
fn missing_headers_are_named() {
    let recorded = recorded();
    let Message { body, signature, .. } = &recorded.messages[0];
    let all = [Some("msg_standard"), Some(&*recorded.timestamp), Some(&**signature)];
    let names = [WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE];
    for (place, name) in names.into_iter().enumerate() {
        let mut headers = all;
        headers[place] = None;
        let error = verify(&recorded.secret, headers, body.as_bytes(), NOW).unwrap_err();
        assert_eq!((error, error.status()), (WebhookError::MissingHeader { name }, 401));
    }
    assert_eq!(verify("", all, body.as_bytes(), NOW), Err(WebhookError::EmptySecret));
}

#[test]
fn tolerance_is_exact_in_both_directions() {
    let recorded = recorded();
    let Message { body, signature, .. } = &recorded.messages[0];
    let headers = [Some("msg_standard"), Some(&*recorded.timestamp), Some(&**signature)];
    let at = |now: u64| verify(&recorded.secret, headers, body.as_bytes(), now * 1_000).map(|_| ());
    let sent = NOW / 1_000;
    assert_eq!((at(sent - 300), at(sent + 300)), (Ok(()), Ok(())));
    assert_eq!(at(sent + 301), Err(WebhookError::TooOld { seconds: 301 }));
    assert_eq!(at(sent - 301), Err(WebhookError::InTheFuture { seconds: 301 }));
    assert_eq!(at(0), Err(WebhookError::InTheFuture { seconds: sent }));
}

#[test]
fn signed_time_must_be_a_number() {
    for timestamp in ["", "+1767323045", "-1", "1767323045.5", "2026-01-02T03:04:05Z"] {
        use base64::Engine;
        let signature = hmac("key", format!("1.{timestamp}.").as_bytes()).finalize().into_bytes();
        let signature =
            format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(signature));
        let error = verify("key", [Some("1"), Some(timestamp), Some(&signature)], b"", NOW);
        assert_eq!(error, Err(WebhookError::InvalidHeader { name: WEBHOOK_TIMESTAMP }));
    }
}

#[test]
fn unknown_bodies_do_not_set_a_payload() {
    assert_eq!(act(br#"{"type":"payload.deleted"}"#), Ok(WebhookAction::Ignore));
    for refresh in [
        &b" \n"[..],
        br#"{"type":"payload.changed","data":{}}"#,
        br#"{"type":"payload.changed","data":{"payload":"[]"}}"#,
        br#"{"type":"payload.changed","data":{"payload":"{\"error\":1}"}}"#,
    ] {
        assert_eq!(act(refresh), Ok(WebhookAction::Refresh));
    }
    let deep = "[".repeat(100_000);
    for unknown in [
        &b"\xff"[..],
        b"{}",
        b"[]",
        b"{\"features\":",
        br#"{"items":[]}"#,
        br#"{"items":[{"key":"gb_payload","value":7}]}"#,
        br#"{"data":{"gb_payload":"text"}}"#,
        deep.as_bytes(),
    ] {
        assert_eq!(act(unknown), Err(WebhookError::UnknownBody));
    }
    let encrypted = br#"{"encryptedFeatures":"YQ==.YQ==","features":{}}"#;
    let text = str::from_utf8(encrypted).unwrap();
    assert_eq!(act(encrypted), Ok(WebhookAction::SetPayload(text.into())));
}

#[test]
fn proxy_push_is_verified() {
    let Recorded { secret, payload, push, messages, .. } = recorded();
    let verify = |key: &str, signature: Option<&'static str>, body: &'static [u8]| {
        verify_proxy_push(key, |name| signature.filter(|_| name == PROXY_SIGNATURE), body)
    };
    let (push, body): (&str, &[u8]) = (push.leak(), payload.clone().leak().as_bytes());
    let set = WebhookAction::SetPayload((&*payload).into());
    assert_eq!(verify(&secret, Some(push), body), Ok(set.clone()));
    assert_eq!(verify(&secret, Some(push.to_uppercase().leak()), body), Ok(set));
    assert_eq!(verify("other", Some(push), body), Err(WebhookError::WrongSignature));
    assert_eq!(verify(&secret, Some(push), &body[1..]), Err(WebhookError::WrongSignature));
    assert_eq!(verify("", Some(push), body), Err(WebhookError::EmptySecret));
    let name = PROXY_SIGNATURE;
    assert_eq!(verify(&secret, None, body), Err(WebhookError::MissingHeader { name }));
    for malformed in ["", "00", &push[2..], "é"] {
        let error = Err(WebhookError::InvalidHeader { name });
        assert_eq!(verify(&secret, Some(malformed), body), error);
    }
    // A proxy receives the bare payload only.
    let standard: &[u8] = messages[0].body.clone().leak().as_bytes();
    let signature = hmac(&secret, standard).finalize().into_bytes();
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let error = verify(&secret, Some(signature.leak()), standard);
    assert_eq!(error, Err(WebhookError::UnknownBody));
}

#[test]
fn output_reveals_neither_secret_nor_payload() {
    let recorded = recorded();
    let Message { body, signature, .. } = &recorded.messages[0];
    let headers = [Some("msg_other"), Some(&*recorded.timestamp), Some(&**signature)];
    let error = verify(&recorded.secret, headers, body.as_bytes(), NOW).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(&recorded.secret) && !text.contains(&**signature), "{text}");
    let action = WebhookAction::SetPayload("{\"features\":{}}".into());
    assert_eq!(format!("{action:?}"), "SetPayload(15 bytes)");
}

#[test]
fn longer_tolerance_accepts_older_messages() {
    let recorded = recorded();
    let Message { body, signature, .. } = &recorded.messages[0];
    let header = |name: &str| match name {
        WEBHOOK_ID => Some("msg_standard"),
        WEBHOOK_TIMESTAMP => Some(&*recorded.timestamp),
        WEBHOOK_SIGNATURE => Some(&**signature),
        _ => None,
    };
    let day = Duration::from_secs(24 * 60 * 60);
    let verify = |tolerance| {
        let now = NOW + 3_600_000;
        verify_webhook(&recorded.secret, header, body.as_bytes(), now, tolerance).is_ok()
    };
    assert!(verify(day) && !verify(DEFAULT_TOLERANCE));
}
