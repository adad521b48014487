//! The JSON text of a document.

use growthbook_core::sticky::StickyBucketDocument;
#[cfg(any(feature = "embedded", feature = "redis"))]
use growthbook_core::sticky::StickyBucketKey;

/// Returns the JSON that the other SDKs write.
pub(crate) fn encode(document: &StickyBucketDocument) -> String {
    // A document consists of strings, and every string can be written as JSON.
    serde_json::to_string(document).unwrap_or_default()
}

/// Reads the document that is stored under this key. Returns `None` if it is corrupt or belongs to
/// another key.
#[cfg(any(feature = "embedded", feature = "redis"))]
pub(crate) fn decode(key: &StickyBucketKey, json: &[u8]) -> Option<StickyBucketDocument> {
    let document: StickyBucketDocument = serde_json::from_slice(json).ok()?;
    let has_this_key = document.attribute_name == key.attribute_name
        && document.attribute_value == key.attribute_value;
    has_this_key.then_some(document)
}

#[cfg(all(test, any(feature = "embedded", feature = "redis")))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_documents::{document, key};

    #[test]
    fn decode_checks_the_key() {
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
    fn encode_writes_the_json_of_other_sdks() {
        let document = document("id", "ü\"1", &[("exp__0", "1")]);
        let expected =
            r#"{"attributeName":"id","attributeValue":"ü\"1","assignments":{"exp__0":"1"}}"#;
        assert_eq!(encode(&document), expected);
    }

    proptest! {
        #[test]
        fn every_document_is_read_back(
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
        fn random_bytes_are_not_a_document(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&key("id", "1"), &bytes), None);
        }
    }
}
