//! An event as the ingestor receives it. The JavaScript SDK sends the same members.

use growthbook_core::event::CustomEvent;
use growthbook_core::{AttributeValue, Attributes};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The name of this SDK in events.
const SDK_LANGUAGE: &str = "rust";
const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The attributes that are members of the event. Its `context_json` has the others.
const OWN_MEMBERS: [&str; 12] = [
    "user_id",
    "device_id",
    "anonymous_id",
    "id",
    "page_id",
    "session_id",
    "utmCampaign",
    "utmContent",
    "utmMedium",
    "utmSource",
    "utmTerm",
    "pageTitle",
];

/// The attributes that may be the device's id. The first one that JavaScript treats as true counts.
const DEVICE_IDS: [&str; 3] = ["device_id", "anonymous_id", "id"];

#[derive(Serialize)]
struct EventWire<'a> {
    event_name: &'a str,
    properties_json: &'a Map<String, Value>,
    /// Ids are null unless they are strings.
    user_id: Option<&'a str>,
    device_id: Option<&'a str>,
    page_id: Option<&'a str>,
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm_campaign: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm_medium: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm_source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm_term: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_title: Option<&'a str>,
    sdk_language: &'static str,
    sdk_version: &'static str,
    url: &'a str,
    context_json: Context<'a>,
}

/// The attributes without a member of their own.
struct Context<'a>(&'a Attributes);

impl Serialize for Context<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(name, _)| !OWN_MEMBERS.contains(name)))
    }
}

/// Returns the JSON text of an event.
pub(crate) fn event_text(event: &CustomEvent<'_>) -> String {
    let attributes = event.user.attributes();
    let id = |name: &str| attributes.get(name).and_then(AttributeValue::as_str);
    let text = |name: &str| id(name).filter(|text| !text.is_empty());
    let device_id = DEVICE_IDS.into_iter().find_map(|name| attributes.get(name).filter(is_truthy));
    let wire = EventWire {
        event_name: event.name,
        properties_json: event.properties,
        user_id: id("user_id"),
        device_id: match device_id {
            Some(value) => value.as_str(),
            // JavaScript takes the last one if none is true.
            None => id("id"),
        },
        page_id: id("page_id"),
        session_id: id("session_id"),
        utm_campaign: text("utmCampaign"),
        utm_content: text("utmContent"),
        utm_medium: text("utmMedium"),
        utm_source: text("utmSource"),
        utm_term: text("utmTerm"),
        page_title: text("pageTitle"),
        sdk_language: SDK_LANGUAGE,
        sdk_version: SDK_VERSION,
        url: event.user.url(),
        context_json: Context(&attributes),
    };
    // Every key is a string, so this cannot fail.
    serde_json::to_string(&wire).unwrap_or_default()
}

/// Whether JavaScript treats the value as true.
fn is_truthy(value: &&AttributeValue) -> bool {
    !value.is_null()
        && value.as_bool() != Some(false)
        && value.as_f64() != Some(0.0)
        && value.as_str() != Some("")
}

#[cfg(test)]
mod tests {
    use growthbook_core::UserContext;
    use growthbook_core::event::EventUser;
    use serde_json::json;

    use super::*;

    fn wire(attributes: Value) -> Value {
        let user = UserContext::from_attributes(attributes).url("https://example.com/");
        let properties = Map::from_iter([("a".to_owned(), json!(1))]);
        let event = CustomEvent::new("Clicked", &properties, EventUser::new(&user), 0);
        serde_json::from_str(&event_text(&event)).unwrap()
    }

    #[test]
    fn attributes_become_members_or_context() {
        let event = wire(json!({
            "id": "u1", "user_id": "u2", "page_id": "p", "session_id": 5, "pageTitle": "Home",
            "utmSource": "mail", "utmTerm": "", "country": "US", "tags": ["a"],
        }));
        let expected = json!({
            "event_name": "Clicked", "properties_json": {"a": 1}, "sdk_language": "rust",
            "sdk_version": SDK_VERSION, "url": "https://example.com/",
            "user_id": "u2", "device_id": "u1", "page_id": "p", "session_id": null,
            "page_title": "Home", "utm_source": "mail",
            "context_json": {"country": "US", "tags": ["a"]},
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn first_true_id_is_the_device_id() {
        let cases = [
            (json!({"device_id": "d", "id": "i"}), json!("d")),
            (json!({"device_id": "", "anonymous_id": "a", "id": "i"}), json!("a")),
            (json!({"device_id": 0, "anonymous_id": null, "id": "i"}), json!("i")),
            (json!({"device_id": 12, "id": "i"}), json!(null)),
            (json!({"device_id": [], "id": "i"}), json!(null)),
            (json!({"id": 7}), json!(null)),
            (json!({"id": ""}), json!("")),
            (json!({"device_id": "", "id": 0}), json!(null)),
            (json!({}), json!(null)),
        ];
        for (attributes, expected) in cases {
            assert_eq!(wire(attributes.clone())["device_id"], expected, "{attributes}");
        }
    }
}
