//! Keys in files that are not parsed.

use std::collections::BTreeSet;

/// Returns the keys that are between two equal quotes on one line.
pub(super) fn quoted_keys(text: &str, keys: &BTreeSet<&str>) -> BTreeSet<String> {
    let longest = keys.iter().map(|key| key.len()).max().unwrap_or_default();
    let mut found = BTreeSet::new();
    for line in text.lines() {
        // A quote may also be an apostrophe. So each one is tried as the first of a pair.
        for (start, quote) in line.match_indices(['"', '\'', '`']) {
            let rest = line.get(start + quote.len()..).unwrap_or_default();
            // A longer text is not a key, and need not be searched to its end.
            let bytes = rest.as_bytes();
            let bytes = bytes.get(..=longest).unwrap_or(bytes);
            let end = bytes.iter().position(|byte| Some(byte) == quote.as_bytes().first());
            if let Some(quoted) = end.and_then(|end| rest.get(..end))
                && keys.contains(quoted)
            {
                found.insert(quoted.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_key_is_found() {
        let keys = BTreeSet::from(["new-checkout", "größe", "flag"]);
        let cases: [(&str, &[&str]); 7] = [
            (r#"gb.isOn("new-checkout")"#, &["new-checkout"]),
            ("gb.isOn('größe') || `flag`", &["flag", "größe"]),
            ("it's a flag, isn't it? gb.isOn('flag')", &["flag"]),
            ("new-checkout", &[]),
            (r#""new-checkout'"#, &[]),
            (r#""new-checkout-2""#, &[]),
            ("\"new\n-checkout\"", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<String> = quoted_keys(text, &keys).into_iter().collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
