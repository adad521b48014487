//! The request for one user's answer: its body, and the key of the answer.

use std::collections::BTreeMap;
use std::fmt;

use growthbook_core::limits::{MAX_REMOTE_EVAL_BYTES, MAX_REMOTE_EVAL_KEYS};
use growthbook_core::remote_eval::RemoteEvalError;
use growthbook_core::{Attributes, GlobalContext, UserContext};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A request for one user's answer.
///
/// It has the user's attributes, forced variations, forced features and URL, and those of the global
/// context that the user lacks. Other settings, such as QA mode, are not a part of the protocol.
///
/// `Debug` shows nothing of the user.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RemoteRequest {
    body: Box<str>,
    key: AnswerKey,
}

/// The identity of an answer: a SHA-256 of the parts of a request that it depends on.
pub(super) type AnswerKey = [u8; 32];

impl RemoteRequest {
    /// Makes the request for a user. The answer is kept for users who have the same values of
    /// `key_attributes`, of all attributes if it is `None`, and the same URL and forced values.
    ///
    /// # Errors
    ///
    /// When the request exceeds a limit of the servers: [`MAX_REMOTE_EVAL_KEYS`] in one field, or
    /// [`MAX_REMOTE_EVAL_BYTES`].
    pub(super) fn new(
        user: &UserContext,
        globals: &GlobalContext,
        key_attributes: Option<&[String]>,
    ) -> Result<Self, RemoteEvalError> {
        let attributes = attributes(user, globals);
        let variations = forced_variations(user, globals);
        let features = forced_features(user, globals);
        for (field, count) in [
            ("attributes", attributes.len()),
            ("forcedVariations", variations.len()),
            ("forcedFeatures", features.len()),
        ] {
            if count > MAX_REMOTE_EVAL_KEYS {
                return Err(RemoteEvalError::TooManyKeys { field });
            }
        }
        let url = if user.page_url().is_empty() { globals.page_url() } else { user.page_url() };
        let (variations, features, url) =
            (Value::from(variations), Value::from(features), json!(url));
        let all = text(&attributes);
        let body = format!(
            r#"{{"attributes":{all},"forcedVariations":{variations},"forcedFeatures":{features},"url":{url}}}"#
        );
        if body.len() > MAX_REMOTE_EVAL_BYTES {
            return Err(RemoteEvalError::TooLarge);
        }
        let chosen = match key_attributes {
            None => all,
            Some(names) => {
                text(&names.iter().filter_map(|name| Some((name, attributes.get(name)?))).collect())
            }
        };
        let key = Sha256::digest(format!("[{chosen},{variations},{features},{url}]")).into();
        Ok(RemoteRequest { body: body.into(), key })
    }

    /// Returns the body to post: JSON.
    pub(super) fn body(&self) -> &str {
        &self.body
    }

    pub(super) fn key(&self) -> AnswerKey {
        self.key
    }
}

impl fmt::Debug for RemoteRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RemoteRequest").field("bytes", &self.body.len()).finish()
    }
}

/// Returns the attributes of the user, and the global ones that the user lacks.
fn attributes(user: &UserContext, globals: &GlobalContext) -> Attributes {
    let mut attributes = globals.global_attributes().clone();
    attributes.extend(user.attributes().iter());
    attributes
}

/// Returns the forced variations, sorted by the keys of experiments.
fn forced_variations(user: &UserContext, globals: &GlobalContext) -> Map<String, Value> {
    let all = globals.iter_forced_variations().chain(user.iter_forced_variations());
    let sorted: BTreeMap<&str, i64> = all.collect();
    sorted.into_iter().map(|(key, index)| (key.to_owned(), index.into())).collect()
}

/// Returns the forced features as pairs, sorted by their keys.
fn forced_features(user: &UserContext, globals: &GlobalContext) -> Vec<Value> {
    let all = globals.iter_forced_features().chain(user.iter_forced_features());
    let sorted: BTreeMap<&str, &Value> = all.collect();
    sorted.into_iter().map(|(key, value)| json!([key, value])).collect()
}

/// Returns attributes as JSON text, sorted by name. Objects among the values keep the order of their
/// members, since GrowthBook compares them with it.
fn text(attributes: &Attributes) -> String {
    // Attributes always have a JSON form.
    serde_json::to_string(attributes).unwrap_or_else(|_| "{}".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> UserContext {
        UserContext::new("u").attribute("plan", "pro").attribute("z", 1.5)
    }

    fn request(user: &UserContext) -> RemoteRequest {
        RemoteRequest::new(user, &GlobalContext::new(), None).unwrap()
    }

    #[test]
    fn body_has_the_four_fields() {
        let user = user()
            .forced_variation("b", 1)
            .forced_variation("a", 0)
            .forced_feature("g", json!({"x": [1]}))
            .forced_feature("f", Value::Null)
            .url("https://example.com/?q=\"1\"");
        assert_eq!(
            request(&user).body(),
            r#"{"attributes":{"id":"u","plan":"pro","z":1.5},"forcedVariations":{"a":0,"b":1},"forcedFeatures":[["f",null],["g",{"x":[1]}]],"url":"https://example.com/?q=\"1\""}"#
        );
        assert_eq!(
            request(&UserContext::default()).body(),
            r#"{"attributes":{},"forcedVariations":{},"forcedFeatures":[],"url":""}"#
        );
    }

    #[test]
    fn values_of_the_user_come_before_global_ones() {
        let globals = GlobalContext::new()
            .attributes(json!({"plan": "free", "region": "eu"}))
            .forced_variations([("a", 7), ("b", 8)])
            .forced_features([("f", json!(1)), ("g", json!(2))])
            .url("https://global.example/");
        let user = user().forced_variation("a", 0).forced_feature("f", false);
        let merged = RemoteRequest::new(&user, &globals, None).unwrap();
        assert_eq!(
            merged.body(),
            r#"{"attributes":{"id":"u","plan":"pro","region":"eu","z":1.5},"forcedVariations":{"a":0,"b":8},"forcedFeatures":[["f",false],["g",2]],"url":"https://global.example/"}"#
        );
        let with_url = RemoteRequest::new(&user.url("https://own.example/"), &globals, None);
        assert!(with_url.unwrap().body().ends_with(r#""url":"https://own.example/"}"#));
    }

    #[test]
    fn key_depends_on_each_part() {
        let users = [
            user(),
            user().attribute("plan", "free"),
            user().url("/a"),
            user().forced_variation("a", 0),
            user().forced_variation("a", 1),
            user().forced_feature("f", 1),
            user().forced_feature("f", "1"),
        ];
        let keys = users.each_ref().map(|user| request(user).key());
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        let reordered = UserContext::default().attribute("z", 1.5).attribute("plan", "pro");
        assert_eq!(request(&reordered.attribute("id", "u")).key(), keys[0]);
    }

    #[test]
    fn key_has_the_chosen_attributes_only() {
        let chosen = ["id".to_owned(), "missing".to_owned()];
        let key = |user: &UserContext| {
            RemoteRequest::new(user, &GlobalContext::new(), Some(&chosen)).unwrap().key()
        };
        assert_eq!(key(&user()), key(&user().attribute("plan", "free")));
        assert_ne!(key(&user()), key(&UserContext::new("v")));
        assert_ne!(key(&user()), key(&user().url("/a")));
        assert_ne!(key(&user()), key(&user().attribute("missing", 1)));
    }

    #[test]
    fn request_over_a_limit_is_refused() {
        let many = |count| (0..count).map(|index| (format!("a{index}"), 0)).collect::<Attributes>();
        let request = |attributes: Attributes| {
            RemoteRequest::new(&attributes.into(), &GlobalContext::new(), None)
        };
        assert!(request(many(MAX_REMOTE_EVAL_KEYS)).is_ok());
        let error = request(many(MAX_REMOTE_EVAL_KEYS + 1)).unwrap_err();
        assert_eq!(error, RemoteEvalError::TooManyKeys { field: "attributes" });
        let large = [("a", "x".repeat(MAX_REMOTE_EVAL_BYTES))].into_iter().collect();
        assert_eq!(request(large).unwrap_err(), RemoteEvalError::TooLarge);
    }
}
