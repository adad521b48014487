//! Where a redirect leads.

use url::Url;

use crate::error::{FetchError, FetchErrorKind};

/// How many redirects are followed.
pub(super) const MAX_REDIRECTS: usize = 5;

/// Whether a reply of this status names another address to ask.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The address a redirect names. What was asked over TLS is not asked without.
pub(super) fn follow(from: &Url, location: Option<&str>) -> Result<Url, FetchError> {
    let nowhere = || FetchError::new(FetchErrorKind::Redirect);
    let to = from.join(location.ok_or_else(nowhere)?).map_err(|_| nowhere())?;
    match (from.scheme(), to.scheme()) {
        ("http" | "https", "https") | ("http", "http") => Ok(to),
        _ => Err(nowhere()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_to_equally_secure_places() {
        let cases = [
            ("https://a.example/x", Some("/y"), Some("https://a.example/y")),
            ("https://a.example/x", Some("https://b.example/x"), Some("https://b.example/x")),
            ("https://a.example/x", Some("//b.example/x"), Some("https://b.example/x")),
            ("http://a.example/x", Some("https://a.example/x"), Some("https://a.example/x")),
            ("http://a.example/x", Some("http://b.example/x"), Some("http://b.example/x")),
            ("https://a.example/x", Some("http://a.example/x"), None),
            ("https://a.example/x", Some("file:///etc/passwd"), None),
            ("https://a.example/x", Some("https://"), None),
            ("https://a.example/x", None, None),
        ];
        for (from, location, expected) in cases {
            let to = follow(&Url::parse(from).unwrap(), location).ok().map(String::from);
            assert_eq!(to.as_deref(), expected, "{from} {location:?}");
        }
    }
}
