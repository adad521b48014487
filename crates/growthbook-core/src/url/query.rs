//! The query string of a URL, read as `application/x-www-form-urlencoded`. The URL may be invalid
//! otherwise.

use alloc::{borrow::Cow, string::String, vec::Vec};

/// Returns the decoded pairs of a URL's query string.
pub(super) fn query_pairs(url: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let without_fragment = url.split_once('#').map_or(url, |(before, _)| before);
    let query = without_fragment.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// Decodes plus signs and percent signs. Bytes that are not UTF-8 are replaced, and a percent sign
/// without two digits stays.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return text.into();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            (other, _) => decoded.push(*other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned().into()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let cases: [(&str, &[(&str, &str)]); 8] = [
            ("/?a=1&b=2#?c=3", &[("a", "1"), ("b", "2")]),
            ("?a=b=c&&d", &[("a", "b=c"), ("d", "")]),
            ("?=1", &[("", "1")]),
            ("?a+b=%26%3d", &[("a b", "&=")]),
            ("?%=%4&%zz=%4g%41", &[("%", "%4"), ("%zz", "%4gA")]),
            ("?%c3%A9=\u{e9}", &[("\u{e9}", "\u{e9}")]),
            ("?a=%ff", &[("a", "\u{fffd}")]),
            ("a=1", &[]),
        ];
        for (url, expected) in cases {
            let pairs: Vec<_> = query_pairs(url).collect();
            let expected: Vec<(Cow<'_, str>, Cow<'_, str>)> =
                expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(pairs, expected, "{url}");
            // The `url` crate reads them in the same way.
            #[cfg(feature = "url")]
            if let Some((_, query)) = url.split('#').next().and_then(|url| url.split_once('?')) {
                assert!(url::form_urlencoded::parse(query.as_bytes()).eq(pairs), "{url}");
            }
        }
    }
}
