//! The tag of a document that came without one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha1::{Digest, Sha1};

/// Returns the `ETag` that GrowthBook's servers give to a reply with this body.
///
/// They use Express, whose weak tag is the body's length in hex and its SHA-1 in base64. A server
/// with other tags does not know this one, and sends the whole document.
pub(crate) fn likely_tag(body: &str) -> Box<str> {
    let hash = STANDARD_NO_PAD.encode(Sha1::digest(body));
    format!("W/\"{:x}-{hash}\"", body.len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tags are those of the npm package `etag` 1.8.1, which Express uses.
    #[test]
    fn tag_is_that_of_express() {
        let cases = [
            (r#"{"features":{}}"#, "W/\"f-hesMjIexP9F2O6U06pjW+YPm8C0\""),
            (
                r#"{"features":{"flag":{"defaultValue":"größer 😀"}}}"#,
                "W/\"36-fH5sgBRTLuLCa2dTnEo0Z9V8ge4\"",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(&*likely_tag(body), expected, "{body}");
        }
    }
}
