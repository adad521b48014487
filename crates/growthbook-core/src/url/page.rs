//! An address, taken apart once for all the experiments that look at it.

use alloc::{borrow::Cow, boxed::Box, string::String};

use url::Url;
use url::form_urlencoded;

/// What a relative address is resolved against, so that a path alone can be targeted.
pub(super) const BASE: &str = "https://_";

/// The address of the page or request a user is on.
#[derive(Clone)]
pub(crate) struct PageUrl {
    text: Box<str>,
    query: Box<[(Box<str>, Box<str>)]>,
    parsed: Option<Parsed>,
}

/// The parts URL targeting looks at, as the WHATWG URL standard takes them apart.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) href: String,
    /// The address behind its origin: path, query and fragment.
    pub(super) behind_origin: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) fragment: String,
    pub(super) query: Box<[(String, String)]>,
}

/// The length of what JavaScript calls the address's origin: scheme, host and port, or "null"
/// for schemes without one. Counted here instead of asked of `Url::origin`, which follows
/// addresses inside addresses (`blob:blob:...`) as deep as they go.
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
        PageUrl {
            text: text.into(),
            query: query_pairs(text).map(|(key, value)| (key.into(), value.into())).collect(),
            parsed: parse(text, BASE).map(|url| Parsed::new(&url)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The variation the query string forces for the experiment `key`.
    pub(crate) fn query_override(&self, key: &str, variations: usize) -> Option<usize> {
        let (_, value) = self.query.iter().find(|(name, _)| name.as_ref() == key)?;
        variation_index(value, variations)
    }

    pub(super) fn parsed(&self) -> Option<&Parsed> {
        self.parsed.as_ref()
    }
}

/// Parses an address as `new URL(text, base)` does.
pub(super) fn parse(text: &str, base: &str) -> Option<Url> {
    let base = Url::parse(base).ok()?;
    // However many slashes an address starts with, a host follows two or more of them.
    let behind_slashes = text.trim_start_matches(['/', '\\']);
    if text.len() - behind_slashes.len() > 2 {
        return base.join(&["//", behind_slashes].concat()).ok();
    }
    base.join(text).ok()
}

/// Host and port; the default port of the scheme is left out.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => alloc::format!("{host}:{port}"),
        None => host.into(),
    }
}

/// The fragment with its number sign; empty when there is none, or an empty one.
pub(super) fn fragment(url: &Url) -> String {
    match url.fragment() {
        None | Some("") => String::new(),
        Some(fragment) => alloc::format!("#{fragment}"),
    }
}

impl Parsed {
    fn new(url: &Url) -> Self {
        let href = url.as_str();
        let behind_origin = href.chars().skip(origin_length(url)).collect();
        Parsed {
            href: href.into(),
            behind_origin,
            host: host(url),
            path: url.path().into(),
            fragment: fragment(url),
            query: url.query_pairs().into_owned().collect(),
        }
    }
}

/// The variation that the query string of `url` forces for the experiment `key`:
/// `?my-experiment=1`.
///
/// The first value of the key counts, when it is an integer of ASCII digits below `variations`.
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

/// The decoded pairs of an address's query string, also of an address that is otherwise invalid.
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
    fn an_address_inside_an_address_is_not_followed_far() {
        assert!(PageUrl::new(&"blob:".repeat(100_000)).parsed().is_some());
        let behind = |url| PageUrl::new(url).parsed().unwrap().behind_origin.clone();
        assert_eq!(behind("https://a.org:8080/x?y"), "/x?y");
        assert_eq!(behind("https://user:pw@a.org/x"), "pw@a.org/x");
        assert_eq!(behind("mailto:someone"), "to:someone");
    }

    #[test]
    fn the_query_string_is_read_properly() {
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
