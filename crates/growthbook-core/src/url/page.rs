//! The URL of a page, parsed once for all experiments.

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};

use url::Url;
use url::form_urlencoded;

/// The base of a relative URL, so that a path alone can be targeted.
pub(super) const BASE: &str = "https://_";

/// The URL of the user's page or request.
#[derive(Clone)]
pub(crate) struct PageUrl {
    text: Box<str>,
    /// The first value of each name, sorted by name.
    query: Box<[(Box<str>, Box<str>)]>,
    parsed: Option<Parsed>,
}

/// The parts that URL targeting tests, parsed as in the WHATWG URL standard.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) href: String,
    /// The URL without its origin: path, query and fragment.
    pub(super) after_origin: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) fragment: String,
    pub(super) query: Box<[(String, String)]>,
}

/// Returns the length of the URL's origin in JavaScript: scheme, host and port, or "null" for
/// schemes without one. `Url::origin` is not used, since it recurses into nested URLs
/// (`blob:blob:...`) without a limit.
fn origin_length(url: &Url) -> usize {
    match url.scheme() {
        "http" | "https" | "ws" | "wss" | "ftp" => {
            url.scheme().len() + "://".len() + host(url).encode_utf16().count()
        }
        "blob" => match Url::parse(url.path()) {
            Ok(inner) if matches!(inner.scheme(), "http" | "https") => origin_length(&inner),
            _ => "null".len(),
        },
        _ => "null".len(),
    }
}

impl PageUrl {
    pub(crate) fn new(text: &str) -> Self {
        let mut query: Vec<(Box<str>, Box<str>)> =
            query_pairs(text).map(|(key, value)| (key.into(), value.into())).collect();
        // The sort is stable, so the first value of a name stays first.
        query.sort_by(|(a, _), (b, _)| a.cmp(b));
        query.dedup_by(|(later, _), (earlier, _)| later == earlier);
        PageUrl {
            text: text.into(),
            query: query.into(),
            parsed: parse(text, BASE).map(|url| Parsed::new(&url)),
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

    pub(super) fn parsed(&self) -> Option<&Parsed> {
        self.parsed.as_ref()
    }
}

/// Parses a URL as `new URL(text, base)` does.
pub(super) fn parse(text: &str, base: &str) -> Option<Url> {
    let base = Url::parse(base).ok()?;
    // A host follows two or more slashes. More of them mean the same as two.
    let after_slashes = text.trim_start_matches(['/', '\\']);
    if text.len() - after_slashes.len() > 2 {
        return base.join(&["//", after_slashes].concat()).ok();
    }
    base.join(text).ok()
}

/// Returns host and port, without the default port of the scheme.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => alloc::format!("{host}:{port}"),
        None => host.into(),
    }
}

/// Returns the fragment with its number sign. It is empty when the URL has no fragment, or an empty
/// one.
pub(super) fn fragment(url: &Url) -> String {
    match url.fragment() {
        None | Some("") => String::new(),
        Some(fragment) => alloc::format!("#{fragment}"),
    }
}

impl Parsed {
    fn new(url: &Url) -> Self {
        let href = url.as_str();
        let after_origin = href.chars().skip(origin_length(url)).collect();
        Parsed {
            href: href.into(),
            after_origin,
            host: host(url),
            path: url.path().into(),
            fragment: fragment(url),
            query: url.query_pairs().into_owned().collect(),
        }
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

/// Returns the decoded pairs of a query string. The rest of the URL may be invalid.
fn query_pairs(url: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let without_fragment = url.split_once('#').map_or(url, |(before, _)| before);
    let query = without_fragment.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes())
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
