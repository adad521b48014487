//! The URL of a page, parsed once for all experiments.

use alloc::{boxed::Box, vec::Vec};

#[cfg(feature = "url")]
use super::parsed::Parsed;
use super::query::query_pairs;
use crate::sorting::sort_by;

/// The base of a relative URL, so that a path alone can be targeted.
pub(super) const BASE: &str = "https://_";

/// The URL of the user's page or request.
#[derive(Clone)]
pub(crate) struct PageUrl {
    text: Box<str>,
    /// The first value of each name, sorted by name.
    query: Box<[(Box<str>, Box<str>)]>,
    #[cfg(feature = "url")]
    parsed: Option<Parsed>,
}

impl PageUrl {
    pub(crate) fn new(text: &str) -> Self {
        let mut query: Vec<(Box<str>, Box<str>)> =
            query_pairs(text).map(|(key, value)| (key.into(), value.into())).collect();
        // The sort is stable, so the first value of a name stays first.
        sort_by(&mut query, |(a, _), (b, _)| a.cmp(b));
        query.dedup_by(|(later, _), (earlier, _)| later == earlier);
        PageUrl {
            text: text.into(),
            query: query.into(),
            #[cfg(feature = "url")]
            parsed: Parsed::parse(text, BASE),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the variation that the query string forces for the experiment `key`.
    pub(crate) fn query_override(&self, key: &str, variations: usize) -> Option<usize> {
        let place = self.query.binary_search_by(|(name, _)| name.as_ref().cmp(key)).ok()?;
        let (_, value) = self.query.get(place)?;
        variation_index(value, variations)
    }

    #[cfg(feature = "url")]
    pub(super) fn parsed(&self) -> Option<&Parsed> {
        self.parsed.as_ref()
    }
}

/// Returns the variation that the query string of `url` forces for the experiment `key`, as in
/// `?my-experiment=1`.
///
/// The first value of the key is used. It must be an integer of ASCII digits below `variations`.
///
/// ```
/// use growthbook_core::url::query_string_override;
///
/// assert_eq!(query_string_override("exp", "https://example.com/?exp=1#top", 2), Some(1));
/// assert_eq!(query_string_override("exp", "https://example.com/?exp=2", 2), None);
/// ```
pub fn query_string_override(key: &str, url: &str, variations: usize) -> Option<usize> {
    let (_, value) = query_pairs(url).find(|(name, _)| name == key)?;
    variation_index(&value, variations)
}

fn variation_index(value: &str, variations: usize) -> Option<usize> {
    let is_integer = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_integer {
        return None;
    }
    value.parse().ok().filter(|&index| index < variations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "url")]
    #[test]
    fn nested_urls_do_not_overflow_the_stack() {
        assert!(PageUrl::new(&"blob:".repeat(100_000)).parsed().is_some());
        let after_origin = |url: &str| PageUrl::new(url).parsed().unwrap().after_origin.clone();
        assert_eq!(after_origin("https://a.org:8080/x?y"), "/x?y");
        assert_eq!(after_origin("https://user:pw@a.org/x"), "pw@a.org/x");
        assert_eq!(after_origin("mailto:someone"), "to:someone");
    }

    #[test]
    fn query_string_overrides_are_read() {
        let cases = [
            ("https://example.com/?my%20exp=1", Some(1)),
            ("/path?my+exp=1", Some(1)),
            ("?my exp=1&my exp=0", Some(1)),
            ("https://example.com/#?my%20exp=1", None),
            ("?my exp=&my exp=1", None),
            ("?my exp=+1", None),
            ("?my exp=01", Some(1)),
            ("?my exp=\u{661}", None),
            ("?my exp=1.0", None),
            ("?my exp=99999999999999999999999", None),
            ("http://[::1/?my exp=1", Some(1)),
            ("?my exp", None),
        ];
        for (url, expected) in cases {
            assert_eq!(query_string_override("my exp", url, 2), expected, "{url}");
            assert_eq!(PageUrl::new(url).query_override("my exp", 2), expected, "{url}");
        }
    }
}
