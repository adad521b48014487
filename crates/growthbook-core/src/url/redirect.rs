//! Redirects: adds the page's query string to a target, and compares origins.

use alloc::{borrow::Cow, string::String, vec::Vec};

use hashbrown::HashSet;
use url::Url;

use super::parsed::host;

/// Returns `redirect` with those query parameters of `current` that it does not have. Returns it
/// unchanged when either URL is not absolute.
pub(crate) fn merge_query_strings(current: &str, redirect: &str) -> String {
    let (Ok(current), Ok(mut url)) = (Url::parse(current), Url::parse(redirect)) else {
        return redirect.into();
    };
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for (key, value) in url.query_pairs() {
        pairs.push((key.into_owned().into(), value.into_owned().into()));
    }
    let own = pairs.len();
    let mut names: HashSet<Cow<'_, str>> = pairs.iter().map(|(name, _)| name.clone()).collect();
    for (key, value) in current.query_pairs() {
        if names.insert(key.clone()) {
            pairs.push((key, value));
        }
    }
    if pairs.len() > own {
        url.query_pairs_mut().clear().extend_pairs(&pairs);
    }
    url.into()
}

/// Whether a page may redirect to all of these URLs. All must be absolute, and with `same_origin`
/// have the page's host and protocol.
pub(crate) fn may_redirect<'a>(
    current: &str,
    redirects: impl Iterator<Item = &'a str>,
    same_origin: bool,
) -> bool {
    let Ok(current) = Url::parse(current) else {
        return false;
    };
    redirects.into_iter().all(|redirect| {
        Url::parse(redirect).is_ok_and(|url| {
            !same_origin || url.scheme() == current.scheme() && host(&url) == host(&current)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results of `mergeQueryStrings` of the JavaScript SDK 1.8.0.
    #[test]
    fn query_strings_are_merged() {
        let cases = [
            ("http://a.org/?x=1&y=2", "http://b.org/?y=3", "http://b.org/?y=3&x=1"),
            ("http://a.org/?x=1&x=2", "http://b.org/", "http://b.org/?x=1"),
            ("http://a.org/?x=a%20b", "http://b.org/?q=c%20d#top", "http://b.org/?q=c+d&x=a+b#top"),
            ("http://a.org/", "http://b.org/?q=c%20d", "http://b.org/?q=c%20d"),
            ("/relative?x=1", "http://b.org/new", "http://b.org/new"),
            ("http://a.org/?x=1", "/new", "/new"),
        ];
        for (current, redirect, expected) in cases {
            assert_eq!(merge_query_strings(current, redirect), expected, "{current} {redirect}");
        }
    }

    #[test]
    fn redirects_may_be_limited_to_the_origin() {
        let may = |redirect, same| may_redirect("http://a.org/x", [redirect].into_iter(), same);
        assert!(may("http://a.org/y", true) && may("http://a.org:80/y", true));
        assert!(may("https://a.org/y", false) && !may("https://a.org/y", true));
        assert!(!may("http://b.org/y", true) && !may("http://a.org:81/y", true));
        assert!(!may("/y", false));
        assert!(!may_redirect("/x", [].into_iter(), false));
    }
}
