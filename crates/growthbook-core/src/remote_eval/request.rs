//! The request of a remote client.

use alloc::{boxed::Box, string::String, vec::Vec};

use serde_json::Value;

use super::RemoteEvalError;
use crate::attributes::Attributes;
use crate::json::{Json, RawMembers, items, members};
use crate::limits::{MAX_REMOTE_EVAL_BYTES, MAX_REMOTE_EVAL_KEYS};
use crate::user::UserContext;
use crate::wire::whole_number;

const ATTRIBUTES: &str = "attributes";
const FORCED_VARIATIONS: &str = "forcedVariations";
const FORCED_FEATURES: &str = "forcedFeatures";
const URL: &str = "url";

/// An index that no experiment has, for a forced variation that is not a whole number.
const NO_VARIATION: i64 = -1;

/// A request for remote evaluation: the body that a client posts to `/api/eval/{clientKey}`.
///
/// ```
/// use growthbook_core::remote_eval::RemoteEvalRequest;
///
/// let request = RemoteEvalRequest::from_json(br#"{
///     "attributes": {"id": "user-1", "country": "US"},
///     "forcedVariations": {"my-experiment": 1},
///     "forcedFeatures": [["my-feature", "blue"]],
///     "url": "https://example.com/pricing"
/// }"#)?;
/// assert_eq!(request.user().page_url(), "https://example.com/pricing");
/// # Ok::<(), growthbook_core::remote_eval::RemoteEvalError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RemoteEvalRequest {
    user: UserContext,
}

impl RemoteEvalRequest {
    /// Reads the body of a request. Each of the four fields may be missing. Unknown fields are
    /// ignored.
    ///
    /// A forced variation that is not a whole number is one that no experiment has.
    ///
    /// # Errors
    ///
    /// The body is not a JSON object, a field has another type, or it exceeds
    /// [`MAX_REMOTE_EVAL_BYTES`] or [`MAX_REMOTE_EVAL_KEYS`].
    pub fn from_json(body: impl AsRef<[u8]>) -> Result<Self, RemoteEvalError> {
        let body = body.as_ref();
        if body.len() > MAX_REMOTE_EVAL_BYTES {
            return Err(RemoteEvalError::TooLarge);
        }
        let text = core::str::from_utf8(body).map_err(|_| RemoteEvalError::NotUtf8)?;
        let fields = members(text).map_err(|error| {
            if error.is_data() {
                RemoteEvalError::NotAnObject
            } else {
                RemoteEvalError::Syntax { line: error.line(), column: error.column() }
            }
        })?;
        let mut user = match field(&fields, ATTRIBUTES) {
            Some(text) => UserContext::from_attributes(attributes(text)?),
            None => UserContext::default(),
        };
        if let Some(text) = field(&fields, FORCED_VARIATIONS) {
            user = user.forced_variations(forced_variations(text)?);
        }
        if let Some(text) = field(&fields, FORCED_FEATURES) {
            user = user.forced_features(forced_features(text)?);
        }
        if let Some(text) = field(&fields, URL) {
            user = user.url(&string(URL, "a string", text)?);
        }
        Ok(RemoteEvalRequest { user })
    }

    /// Returns the user that the request describes: attributes, URL and forced values.
    pub fn user(&self) -> &UserContext {
        &self.user
    }

    /// Returns the user that the request describes. A server may then add attributes that the
    /// client must not choose.
    pub fn into_user(self) -> UserContext {
        self.user
    }
}

fn field<'t>(fields: &RawMembers<'t>, name: &str) -> Option<&'t str> {
    fields.named.iter().find(|(field, _)| field == name).map(|(_, text)| *text)
}

fn attributes(text: &str) -> Result<Attributes, RemoteEvalError> {
    object(ATTRIBUTES, text)?;
    Attributes::from_json(text).map_err(|_| RemoteEvalError::Unreadable { field: ATTRIBUTES })
}

fn forced_variations(text: &str) -> Result<Vec<(Box<str>, i64)>, RemoteEvalError> {
    let variations = object(FORCED_VARIATIONS, text)?.named.into_iter().map(|(key, text)| {
        let expected = "an object of numbers";
        match Json::parse(text) {
            Some(number @ Json::Number(_)) => {
                Ok((key.into(), whole_number(&number).unwrap_or(NO_VARIATION)))
            }
            Some(_) => Err(RemoteEvalError::WrongType { field: FORCED_VARIATIONS, expected }),
            None => Err(RemoteEvalError::Unreadable { field: FORCED_VARIATIONS }),
        }
    });
    variations.collect()
}

/// Reads a list of pairs. Of pairs with the same key the last one counts.
fn forced_features(text: &str) -> Result<Vec<(Box<str>, Value)>, RemoteEvalError> {
    let expected = "a list of pairs of a key and a value";
    let wrong_type = RemoteEvalError::WrongType { field: FORCED_FEATURES, expected };
    let pairs = items(text).ok_or(wrong_type)?;
    if pairs.len() > MAX_REMOTE_EVAL_KEYS {
        return Err(RemoteEvalError::TooManyKeys { field: FORCED_FEATURES });
    }
    let values = pairs.into_iter().map(|pair| match items(pair).as_deref() {
        Some([key, value]) => {
            // `serde_json`'s own values accept other numbers with `arbitrary_precision`.
            let value =
                Json::parse(value).ok_or(RemoteEvalError::Unreadable { field: FORCED_FEATURES })?;
            Ok((string(FORCED_FEATURES, expected, key)?.into(), value.to_value()))
        }
        _ => Err(wrong_type),
    });
    values.collect()
}

/// Finds the members of a field, and checks their number.
fn object<'t>(field: &'static str, text: &'t str) -> Result<RawMembers<'t>, RemoteEvalError> {
    let found =
        members(text).map_err(|_| RemoteEvalError::WrongType { field, expected: "an object" })?;
    if found.named.len() > MAX_REMOTE_EVAL_KEYS {
        return Err(RemoteEvalError::TooManyKeys { field });
    }
    if found.unnamed.is_empty() { Ok(found) } else { Err(RemoteEvalError::Unreadable { field }) }
}

fn string(
    field: &'static str,
    expected: &'static str,
    text: &str,
) -> Result<String, RemoteEvalError> {
    match Json::parse(text) {
        Some(Json::String(text)) => Ok(String::from(&*text)),
        Some(_) => Err(RemoteEvalError::WrongType { field, expected }),
        None if text.starts_with('"') => Err(RemoteEvalError::Unreadable { field }),
        None => Err(RemoteEvalError::WrongType { field, expected }),
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn error(body: impl AsRef<[u8]>) -> RemoteEvalError {
        RemoteEvalRequest::from_json(body).unwrap_err()
    }

    /// Returns the text of this many members.
    fn many(count: usize, member: impl Fn(usize) -> String) -> String {
        (0..count).map(member).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn missing_and_unknown_fields_are_accepted() {
        for body in ["{}", r#"{"attributes":{},"other":null,"url":""}"#] {
            let request = RemoteEvalRequest::from_json(body).unwrap();
            assert_eq!(request.user().page_url(), "");
        }
    }

    #[test]
    fn last_of_equal_keys_counts() {
        let body = r#"{"attributes":{"id":1},"attributes":{"id":2},
            "forcedVariations":{"e":0,"e":1.0,"f":0.5},"forcedFeatures":[["f",1],["f",null]]}"#;
        let user = RemoteEvalRequest::from_json(body).unwrap().into_user();
        assert_eq!(user.attributes().get("id").unwrap().to_json(), 2);
        let mut variations: Vec<_> = user.iter_forced_variations().collect();
        variations.sort_unstable();
        assert_eq!(variations, [("e", 1), ("f", NO_VARIATION)]);
        assert_eq!(user.iter_forced_features().collect::<Vec<_>>(), [("f", &Value::Null)]);
    }

    #[test]
    fn fields_of_other_types_are_refused() {
        let bodies = [
            (ATTRIBUTES, r#"{"attributes":null}"#),
            (ATTRIBUTES, r#"{"attributes":[]}"#),
            (FORCED_VARIATIONS, r#"{"forcedVariations":null}"#),
            (FORCED_VARIATIONS, r#"{"forcedVariations":{"e":"1"}}"#),
            (FORCED_VARIATIONS, r#"{"forcedVariations":{"e":null}}"#),
            (FORCED_FEATURES, r#"{"forcedFeatures":{"f":1}}"#),
            (FORCED_FEATURES, r#"{"forcedFeatures":[["f"]]}"#),
            (FORCED_FEATURES, r#"{"forcedFeatures":[["f",1,2]]}"#),
            (FORCED_FEATURES, r#"{"forcedFeatures":[[1,1]]}"#),
            (URL, r#"{"url":null}"#),
            (URL, r#"{"url":["/"]}"#),
        ];
        for (expected, body) in bodies {
            let error = error(body);
            assert!(
                matches!(error, RemoteEvalError::WrongType { field, .. } if field == expected),
                "{body}: {error}"
            );
        }
    }

    #[test]
    fn unreadable_requests_are_refused() {
        let deep = format!(r#"{{"attributes":{{"a":{}1{}}}}}"#, "[".repeat(500), "]".repeat(500));
        for body in [
            r#"{"attributes":{"a":1e400}}"#,
            r#"{"attributes":{"a":"\ud800"}}"#,
            r#"{"attributes":{"\ud800":1}}"#,
            r#"{"forcedVariations":{"a":1e400}}"#,
            r#"{"forcedFeatures":[["a",1e400]]}"#,
            r#"{"url":"\ud800"}"#,
            &deep,
        ] {
            assert!(matches!(error(body), RemoteEvalError::Unreadable { .. }), "{body}");
        }
        assert_eq!(error("{\n]"), RemoteEvalError::Syntax { line: 2, column: 1 });
        assert_eq!(error(""), RemoteEvalError::Syntax { line: 1, column: 0 });
        assert_eq!(error("[]"), RemoteEvalError::NotAnObject);
        assert_eq!(error(b"\xff"), RemoteEvalError::NotUtf8);
    }

    #[test]
    fn limits_are_exact() {
        let bodies = |count| {
            [
                format!(r#"{{"attributes":{{{}}}}}"#, many(count, |key| format!(r#""{key}":0"#))),
                format!(
                    r#"{{"forcedVariations":{{{}}}}}"#,
                    many(count, |key| format!(r#""{key}":0"#))
                ),
                format!(r#"{{"forcedFeatures":[{}]}}"#, many(count, |_| r#"["f",0]"#.into())),
            ]
        };
        for body in bodies(MAX_REMOTE_EVAL_KEYS) {
            assert!(RemoteEvalRequest::from_json(body).is_ok());
        }
        for body in bodies(MAX_REMOTE_EVAL_KEYS + 1) {
            assert!(matches!(error(body), RemoteEvalError::TooManyKeys { .. }));
        }
        let mut body = format!("{{}}{}", " ".repeat(MAX_REMOTE_EVAL_BYTES - 2));
        assert!(RemoteEvalRequest::from_json(&body).is_ok());
        body.push(' ');
        assert_eq!((error(&body), error(&body).status()), (RemoteEvalError::TooLarge, 413));
    }
}
