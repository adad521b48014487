//! Keys and documents for the unit tests.

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey};

pub(crate) fn key(name: &str, value: &str) -> StickyBucketKey {
    StickyBucketKey { attribute_name: name.into(), attribute_value: value.into() }
}

pub(crate) fn document(
    name: &str,
    value: &str,
    assignments: &[(&str, &str)],
) -> StickyBucketDocument {
    let mut document = StickyBucketDocument::new(key(name, value));
    document.assignments = assignments
        .iter()
        .map(|(experiment, variation)| ((*experiment).into(), (*variation).into()))
        .collect();
    document
}
