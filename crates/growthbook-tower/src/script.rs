//! JSON inside a script of a page, and in a header.

use std::fmt::Write;

use serde::Serialize;

/// Writes a value as JSON that can be inside a `<script>` element. A value without a JSON form is
/// `null`.
///
/// ```
/// let json = growthbook_tower::script_json(&["</script>"]);
/// assert_eq!(json, r#"["\u003c/script\u003e"]"#);
/// ```
pub fn script_json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).map_or_else(|_| "null".into(), |json| for_script(&json))
}

/// Escapes JSON for a `<script>` element. `<`, `>` and `&` cannot end the script then. U+2028 and
/// U+2029 end a line in older versions of JavaScript.
///
/// In JSON these characters are only inside strings, so the value stays the same.
pub(crate) fn for_script(json: &str) -> String {
    escape(json, |it| matches!(it, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'))
}

/// Escapes JSON for the value of a header, which is plain ASCII.
pub(crate) fn for_header(json: &str) -> String {
    escape(json, |it| !it.is_ascii() || it.is_ascii_control())
}

fn escape(json: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_escaped(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn script_cannot_be_ended_by_a_value() {
        let json = json!({"</script>": "<!-- & \u{2028}\u{2029} ü"}).to_string();
        let script = for_script(&json);
        assert_eq!(script, r#"{"\u003c/script\u003e":"\u003c!-- \u0026 \u2028\u2029 ü"}"#);
    }

    proptest! {
        #[test]
        fn escaped_value_is_the_same(text in any::<String>()) {
            let value = json!({"a": [text]});
            let (script, header) = (for_script(&value.to_string()), for_header(&value.to_string()));
            prop_assert_eq!(&serde_json::from_str::<Value>(&script).unwrap(), &value);
            prop_assert_eq!(&serde_json::from_str::<Value>(&header).unwrap(), &value);
            let is_safe = !script.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
            prop_assert!(is_safe);
            prop_assert!(http::HeaderValue::from_str(&header).is_ok());
        }
    }
}
