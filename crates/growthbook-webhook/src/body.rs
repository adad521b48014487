//! The body of a webhook: GrowthBook's seven formats.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use crate::{WebhookAction, WebhookError};

/// The members of a JSON object, by name. The last one of equal names counts.
type Object<'a> = BTreeMap<String, &'a RawValue>;

/// The type of the messages about a payload.
const PAYLOAD_CHANGED: &str = "payload.changed";
/// The members that only a payload has.
const PAYLOAD_MEMBERS: [&str; 2] = ["features", "encryptedFeatures"];

/// Returns the action that a body asks for.
///
/// | format | body |
/// |---|---|
/// | `standard` | `{"type", "timestamp", "data": {"payload": text}}` |
/// | `standard-no-payload` | `{"type", "timestamp"}` |
/// | `sdkPayload` | the payload |
/// | `edgeConfig`, `edgeConfigUnescaped` | `{"items": [{"operation", "key", "value": text or payload}]}` |
/// | `vercelNativeIntegration` | `{"data": {key: payload}}`, with a key that the user chose |
/// | `none` | empty |
pub(crate) fn action(body: &[u8]) -> Result<WebhookAction<'_>, WebhookError> {
    let text = core::str::from_utf8(body).map_err(|_| WebhookError::UnknownBody)?;
    if text.trim_ascii().is_empty() {
        return Ok(WebhookAction::Refresh);
    }
    let body = object(text).ok_or(WebhookError::UnknownBody)?;
    if is_payload(&body) {
        return Ok(WebhookAction::SetPayload(text.into()));
    }
    if let Some(kind) = body.get("type") {
        if string(kind.get()).as_deref() != Some(PAYLOAD_CHANGED) {
            return Ok(WebhookAction::Ignore);
        }
        // The payload has changed in any case.
        let found =
            body.get("data").and_then(|data| payload(object(data.get())?.get("payload")?.get()));
        return Ok(found.map_or(WebhookAction::Refresh, WebhookAction::SetPayload));
    }
    let found = if let Some(list) = body.get("items") {
        let items: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
        items.into_iter().find_map(|item| payload(object(item.get())?.get("value")?.get()))
    } else {
        let data = body.get("data").and_then(|data| object(data.get()));
        data.and_then(|data| data.into_values().find_map(|value| payload(value.get())))
    };
    found.map(WebhookAction::SetPayload).ok_or(WebhookError::UnknownBody)
}

/// Returns the payload in a value: an object, or its text as a string.
fn payload(value: &str) -> Option<Cow<'_, str>> {
    let text = match string(value) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(value),
    };
    is_payload(&object(&text)?).then_some(text)
}

fn is_payload(object: &Object<'_>) -> bool {
    PAYLOAD_MEMBERS.iter().any(|name| object.contains_key(*name))
}

fn object(text: &str) -> Option<Object<'_>> {
    serde_json::from_str(text).ok()
}

fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}
