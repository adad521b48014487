//! The address of a request, as its browser shows it.

use http::header::{HOST, HeaderName};
use url::Url;

use crate::head::RequestHead;

/// The longest path and query, in bytes, that become attributes. A request with a longer one gets no
/// attributes of its address but the host.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;

/// The longest host: a domain name of 253 bytes, and a port.
const MAX_HOST_BYTES: usize = 253 + 6;
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The query parameters of campaigns, and their attributes.
pub(crate) const UTM: [(&str, &str); 5] = [
    ("utm_source", "utmSource"),
    ("utm_medium", "utmMedium"),
    ("utm_campaign", "utmCampaign"),
    ("utm_term", "utmTerm"),
    ("utm_content", "utmContent"),
];

/// The settings that decide which parts of an address are believed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trust {
    /// Whether the scheme is HTTPS if the request does not have one.
    pub(crate) https: bool,
    pub(crate) forwarded_host: bool,
    pub(crate) forwarded_proto: bool,
}

/// The address of a request. Its parts are those of `location` in a browser.
pub(crate) struct Address {
    /// With the host `localhost`, if the host is not known.
    url: Url,
    is_host_known: bool,
    is_target_known: bool,
}

impl Address {
    /// Reads the address of a request. Returns `None` if the address cannot be parsed.
    pub(crate) fn of(head: &impl RequestHead, trust: Trust) -> Option<Self> {
        let host = host(head, trust).filter(|host| is_host(host));
        let target = head.path_and_query();
        let is_target_known = target.starts_with('/') && target.len() <= MAX_TARGET_BYTES;
        let target = if is_target_known { target } else { "/" };
        let parse = |host| Url::parse(&[scheme(head, trust), "://", host, target].concat()).ok();
        let with_host = host.and_then(parse);
        let is_host_known = with_host.is_some();
        let url = with_host.or_else(|| parse("localhost"))?;
        Some(Address { url, is_host_known, is_target_known })
    }

    /// Returns the whole address.
    pub(crate) fn href(&self) -> Option<&str> {
        (self.is_host_known && self.is_target_known).then(|| self.url.as_str())
    }

    /// Returns the host, with its port unless that is the default of the scheme.
    pub(crate) fn host(&self) -> Option<String> {
        let host = self.url.host_str().filter(|_| self.is_host_known)?;
        Some(match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> Option<&str> {
        self.is_target_known.then(|| self.url.path())
    }

    /// Returns the query with its question mark. It is empty without a query.
    pub(crate) fn query(&self) -> Option<String> {
        self.is_target_known.then(|| match self.url.query() {
            None | Some("") => String::new(),
            Some(query) => ["?", query].concat(),
        })
    }

    /// Returns the attributes of the campaign that led to the page.
    pub(crate) fn utm(&self) -> impl Iterator<Item = (&'static str, String)> {
        UTM.into_iter().filter_map(|(parameter, attribute)| {
            let (_, value) = self.url.query_pairs().find(|(name, _)| name == parameter)?;
            Some((attribute, value.into_owned()))
        })
    }
}

fn scheme(head: &impl RequestHead, trust: Trust) -> &'static str {
    let forwarded = last_value(head, &X_FORWARDED_PROTO).filter(|_| trust.forwarded_proto);
    match forwarded.or_else(|| head.scheme()) {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        _ if trust.https => "https",
        _ => "http",
    }
}

fn host(head: &impl RequestHead, trust: Trust) -> Option<&str> {
    let forwarded = last_value(head, &X_FORWARDED_HOST).filter(|_| trust.forwarded_host);
    forwarded.or_else(|| head.authority()).or_else(|| head.header_text(&HOST))
}

/// Returns the last of the values that proxies have added to a header. The nearest proxy has written
/// it. A client can write the others.
fn last_value<'h>(head: &'h impl RequestHead, name: &HeaderName) -> Option<&'h str> {
    let header = str::from_utf8(head.header_values(name).last()?).ok()?;
    let value = header.rsplit(',').next()?.trim();
    (!value.is_empty()).then_some(value)
}

/// Whether this is a domain name or IP address, perhaps with a port. It cannot change another part
/// of the address.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= MAX_HOST_BYTES
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::head::tests::head;

    const NO_TRUST: Trust = Trust { https: false, forwarded_host: false, forwarded_proto: false };
    const FULL_TRUST: Trust = Trust { https: true, forwarded_host: true, forwarded_proto: true };

    fn href(target: &str, headers: &[(&str, &str)], trust: Trust) -> Option<String> {
        Some(Address::of(&head(target, headers), trust)?.href()?.to_owned())
    }

    #[test]
    fn parts_are_those_of_a_browser() {
        let headers = [("host", "Shop.Example:80")];
        let head = head("/a%20b/../c/?utm_source=x+y&b=%C3%BC&utm_source=z", &headers);
        let address = Address::of(&head, NO_TRUST).unwrap();
        assert_eq!(
            address.href(),
            Some("http://shop.example/c/?utm_source=x+y&b=%C3%BC&utm_source=z")
        );
        assert_eq!(address.host().as_deref(), Some("shop.example"));
        assert_eq!(address.path(), Some("/c/"));
        assert_eq!(address.query().as_deref(), Some("?utm_source=x+y&b=%C3%BC&utm_source=z"));
        assert_eq!(address.utm().collect::<Vec<_>>(), [("utmSource", "x y".to_owned())]);
    }

    #[test]
    fn forwarded_headers_need_trust() {
        let headers = [
            ("host", "inner:8080"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-host", "also.evil, shop.example"),
            ("x-forwarded-proto", "http, HTTPS"),
        ];
        assert_eq!(href("/a", &headers, NO_TRUST).unwrap(), "http://inner:8080/a");
        assert_eq!(href("/a", &headers, FULL_TRUST).unwrap(), "https://shop.example/a");
        let empty = [("host", "inner"), ("x-forwarded-host", " "), ("x-forwarded-proto", "ftp")];
        assert_eq!(href("/a", &empty, FULL_TRUST).unwrap(), "https://inner/a");
    }

    #[test]
    fn target_of_http2_has_scheme_and_host() {
        let headers = [("host", "other.example")];
        let target = "https://shop.example:443/a?b";
        assert_eq!(href(target, &headers, NO_TRUST).unwrap(), "https://shop.example/a?b");
    }

    #[test]
    fn hostile_hosts_are_not_believed() {
        let long = "a".repeat(MAX_HOST_BYTES + 1);
        // The last one passes the first check, and does not parse.
        for host in ["a.example/evil", "a@evil", "a?b", "a#b", "a\\b", "", "a b", &long, "a:b:c"] {
            let head = head("/a?b", &[("host", host)]);
            let address = Address::of(&head, NO_TRUST).unwrap();
            assert_eq!((address.href(), address.host()), (None, None), "{host}");
            assert_eq!(address.path(), Some("/a"));
            assert_eq!(address.query().as_deref(), Some("?b"));
        }
    }

    #[test]
    fn too_long_target_leaves_only_the_host() {
        let target = |length: usize| format!("/{}", "a".repeat(length - 1));
        let headers = [("host", "a.example")];
        assert!(href(&target(MAX_TARGET_BYTES), &headers, NO_TRUST).is_some());
        let head = head(&target(MAX_TARGET_BYTES + 1), &headers);
        let address = Address::of(&head, NO_TRUST).unwrap();
        assert_eq!((address.href(), address.path(), address.query()), (None, None, None));
        assert_eq!(address.host().as_deref(), Some("a.example"));
    }

    proptest! {
        #[test]
        fn any_host_and_target_is_read(host in "[ -~]{0,40}", target in "/[!-~]{0,40}") {
            let Ok(request) = http::Request::get(&target).header("host", &host).body(()) else {
                return Ok(());
            };
            let head = request.into_parts().0;
            if let Some(address) = Address::of(&head, FULL_TRUST) {
                let href = address.href().unwrap_or("https://");
                prop_assert!(href.starts_with("https://"));
                let _ = (address.host(), address.path(), address.query(), address.utm().count());
            }
        }
    }
}
