//! URLs that are parsed as in the WHATWG URL standard.

use alloc::{boxed::Box, string::String};

use url::Url;

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

impl Parsed {
    /// Parses a URL as `new URL(text, base)` does.
    pub(super) fn parse(text: &str, base: &str) -> Option<Self> {
        parse(text, base).map(|url| Parsed::new(&url))
    }

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
