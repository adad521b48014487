//! Redirects.

use url::Url;

use crate::error::{FetchError, FetchErrorKind};

/// The number of redirects that are followed.
pub(super) const MAX_REDIRECTS: usize = 5;

/// Whether a reply of this status is a redirect.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether a redirect of this status repeats the request with the same method. After another one a
/// POST request becomes a GET request, which is not what was asked.
pub(super) fn keeps_method(status: u16) -> bool {
    matches!(status, 307 | 308)
}

/// Returns the address of a redirect. A redirect from `https` to `http` is an error,
/// and one to an address with user info, which would reach ureq's log records.
pub(super) fn follow(from: &Url, location: Option<&str>) -> Result<Url, FetchError> {
    let nowhere = || FetchError::new(FetchErrorKind::Redirect);
    let to = from.join(location.ok_or_else(nowhere)?).map_err(|_| nowhere())?;
    match (from.scheme(), to.scheme()) {
        _ if has_user_info(&to) => Err(nowhere()),
        ("http" | "https", "https") | ("http", "http") => Ok(to),
        _ => Err(nowhere()),
    }
}

/// Whether an address has a user or a password.
pub(super) fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_keeps_tls() {
        let cases = [
            ("https://a.example/x", Some("/y"), Some("https://a.example/y")),
            ("https://a.example/x", Some("https://b.example/x"), Some("https://b.example/x")),
            ("https://a.example/x", Some("//b.example/x"), Some("https://b.example/x")),
            ("http://a.example/x", Some("https://a.example/x"), Some("https://a.example/x")),
            ("http://a.example/x", Some("http://b.example/x"), Some("http://b.example/x")),
            ("https://a.example/x", Some("http://a.example/x"), None),
            ("https://a.example/x", Some("file:///etc/passwd"), None),
            ("https://a.example/x", Some("https://"), None),
            ("https://a.example/x", Some("https://user:password@a.example/x"), None),
            ("https://a.example/x", Some("//user@b.example/x"), None),
            ("https://a.example/x", None, None),
        ];
        for (from, location, expected) in cases {
            let to = follow(&Url::parse(from).unwrap(), location).ok().map(String::from);
            assert_eq!(to.as_deref(), expected, "{from} {location:?}");
        }
    }
}
