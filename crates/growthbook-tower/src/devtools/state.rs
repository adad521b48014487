//! The values that a developer has chosen in the browser.

use std::borrow::Cow;

use growthbook::UserScope;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::cookies::Cookies;
use crate::head::RequestHead;

/// The longest encoded text of the chosen values, in bytes. A longer one is ignored.
pub const MAX_DEVTOOLS_STATE_BYTES: usize = 8 * 1024;

/// The name of the query parameter and of the cookie.
const NAME: &str = "_gbdebug";

/// The values that a developer has chosen in the browser.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct DevtoolsState {
    attributes: Map<String, Value>,
    features: Map<String, Value>,
    variations: Vec<(String, i64)>,
}

impl DevtoolsState {
    /// Reads the state from the query, otherwise from the cookie. An unreadable state is empty.
    pub(crate) fn of(head: &impl RequestHead, cookies: &Cookies<'_>) -> Self {
        let text = in_query(head.path_and_query()).or_else(|| in_cookie(cookies));
        text.map(|text| DevtoolsState::parse(&text)).unwrap_or_default()
    }

    /// Returns the scope with the chosen values on top.
    pub(crate) fn apply(&self, scope: &UserScope<'static>) -> UserScope<'static> {
        scope
            .with_attributes(self.attributes.clone())
            .with_forced_features(self.features.clone())
            .with_forced_variations(self.variations.iter().cloned())
    }

    fn parse(text: &str) -> Self {
        let Ok(Value::Object(mut state)) = serde_json::from_str(text) else {
            return DevtoolsState::default();
        };
        let mut part = |name| match state.remove(name) {
            Some(Value::Object(part)) => part,
            _ => Map::new(),
        };
        let (attributes, features) = (part("attributes"), part("features"));
        let variations = part("experiments").into_iter();
        let variations =
            variations.filter_map(|(key, value)| Some((key, index(&value)?))).collect();
        DevtoolsState { attributes, features, variations }
    }
}

/// Returns the index of a variation. JavaScript may write `1` as `1.0`.
fn index(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
    // A larger number is not the index of a variation.
    (number.abs() <= f64::from(i32::MAX)).then_some(number as i64)
}

fn in_query(target: &str) -> Option<Cow<'_, str>> {
    let (_, query) = target.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    // Parameters of other owners may be longer.
    let parameters = query.split('&').filter(|it| it.len() <= MAX_DEVTOOLS_STATE_BYTES);
    let mut parsed = parameters.flat_map(|it| form_urlencoded::parse(it.as_bytes()));
    parsed.find_map(|(name, value)| (name == NAME && !value.is_empty()).then_some(value))
}

fn in_cookie<'r>(cookies: &Cookies<'r>) -> Option<Cow<'r, str>> {
    let value = cookies.get(NAME).filter(|it| it.len() <= MAX_DEVTOOLS_STATE_BYTES)?;
    percent_decode_str(value).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use growthbook::{Client, UserContext};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::head::tests::head;

    /// The text `{"attributes":{"a b":"+ü"},"features":{"f":[1]},"experiments":{"e":1}}`, encoded as
    /// `encodeURIComponent` does.
    const STATE: &str = "%7B%22attributes%22%3A%7B%22a%20b%22%3A%22%2B%C3%BC%22%7D%2C%22features%22\
                         %3A%7B%22f%22%3A%5B1%5D%7D%2C%22experiments%22%3A%7B%22e%22%3A1%7D%7D";

    fn state(target: &str, cookie: &str) -> DevtoolsState {
        let head = head(target, &[("cookie", cookie)]);
        DevtoolsState::of(&head, &Cookies::of(&head))
    }

    #[test]
    fn state_is_in_the_query_or_the_cookie() {
        let client = Client::from_json(r#"{"features": {}}"#).unwrap();
        let from_query = state(&format!("/?a=1&_gbdebug={STATE}&b"), "");
        let from_cookie = state("/?_gbdebug=", &format!("a=b; _gbdebug={STATE}"));
        for state in [from_query, from_cookie] {
            let scope = client.for_user(UserContext::new("u").attribute("a b", 1));
            let scope = state.apply(&scope);
            let user = scope.user();
            assert_eq!(user.attributes().get("a b").unwrap().to_json(), "+ü");
            assert_eq!(user.attributes().get("id").unwrap().to_json(), "u");
            assert_eq!(user.iter_forced_features().next(), Some(("f", &json!([1]))));
            assert_eq!(user.iter_forced_variations().collect::<Vec<_>>(), [("e", 1)]);
        }
    }

    #[test]
    fn query_comes_before_the_cookie() {
        let state =
            state("/?_gbdebug=%7B%22features%22:%7B%22f%22:2%7D%7D", &format!("_gbdebug={STATE}"));
        assert_eq!(state.features["f"], 2);
        assert!(state.attributes.is_empty());
    }

    #[test]
    fn unreadable_state_is_empty() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_DEVTOOLS_STATE_BYTES));
        let deep = "[".repeat(5_000);
        let wrong =
            r#"{"attributes":[1],"features":"f","experiments":{"a":"1","b":1.5,"c":1e300}}"#;
        for text in ["x", "null", "[]", "%FF", &long, &deep, wrong] {
            assert_eq!(state("/", &format!("_gbdebug={text}")), DevtoolsState::default(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_state_is_read(text in "[ -~]{0,60}") {
            let text = text.replace(';', "");
            if http::Uri::try_from(format!("/?_gbdebug={text}")).is_ok() {
                state(&format!("/?_gbdebug={text}"), &format!("_gbdebug={text}"));
            }
        }
    }
}
