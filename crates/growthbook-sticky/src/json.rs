//! A document's JSON.

use growthbook_core::sticky::StickyBucketDocument;
#[cfg(any(feature = "embedded", feature = "redis"))]
use growthbook_core::sticky::StickyBucketKey;

/// The document as the other SDKs write it.
pub(crate) fn encode(document: &StickyBucketDocument) -> String {
    // It is all strings, which always have a JSON.
    serde_json::to_string(document).unwrap_or_default()
}

/// The document under this key; none when it is corrupt, or belongs to another key.
#[cfg(any(feature = "embedded", feature = "redis"))]
pub(crate) fn decode(key: &StickyBucketKey, json: &[u8]) -> Option<StickyBucketDocument> {
    let document: StickyBucketDocument = serde_json::from_slice(json).ok()?;
    let is_its_own = document.attribute_name == key.attribute_name
        && document.attribute_value == key.attribute_value;
    is_its_own.then_some(document)
}

#[cfg(all(test, any(feature = "embedded", feature = "redis")))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{document, key};

    #[test]
    fn a_document_is_found_under_its_own_key_only() {
        let cases: [(&str, &str, bool); 8] = [
            (r#"{"attributeName":"id","attributeValue":"42","assignments":{}}"#, "42", true),
            (r#"{"attributeName":"id","attributeValue":42,"assignments":{}}"#, "42", true),
            (r#"{"attributeName":"id","attributeValue":1e21}"#, "1e+21", true),
            (r#"{"attributeName":"id","attributeValue":0.1,"extra":[]}"#, "0.1", true),
            (r#"{"attributeName":"id","attributeValue":"43","assignments":{}}"#, "42", false),
            (r#"{"attributeName":"ID","attributeValue":"42","assignments":{}}"#, "42", false),
            (r#"{"attributeName":"id","attributeValue":"42","assignments":[]}"#, "42", false),
            ("garbage", "42", false),
        ];
        for (json, value, is_found) in cases {
            assert_eq!(decode(&key("id", value), json.as_bytes()).is_some(), is_found, "{json}");
        }
    }

    #[test]
    fn the_text_is_the_one_other_sdks_write() {
        let document = document("id", "ü\"1", &[("exp__0", "1")]);
        let expected =
            r#"{"attributeName":"id","attributeValue":"ü\"1","assignments":{"exp__0":"1"}}"#;
        assert_eq!(encode(&document), expected);
    }

    proptest! {
        #[test]
        fn every_document_comes_back(
            name in any::<String>(),
            value in any::<String>(),
            assignments in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..5),
        ) {
            let pairs: Vec<(&str, &str)> =
                assignments.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let document = document(&name, &value, &pairs);
            let json = encode(&document);
            prop_assert_eq!(decode(&document.key(), json.as_bytes()), Some(document));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&key("id", "1"), &bytes), None);
        }
    }
}
