//! The parts of a request that attributes and cookies are made of, in any framework.

use http::header::HeaderName;
use http::request::Parts;

/// The parts of a request that attributes and cookies are made of.
pub(crate) trait RequestHead {
    /// Returns the scheme of the request's target. HTTP/2 has one, HTTP/1 usually does not.
    fn scheme(&self) -> Option<&str>;

    /// Returns the host and port of the request's target, if it has them.
    fn authority(&self) -> Option<&str>;

    /// Returns the path and the query, as the client sent them.
    fn path_and_query(&self) -> &str;

    /// Returns the values of all headers with this name, in their order.
    fn header_values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]>;

    /// Returns the value of the first header with this name, if it is text.
    fn header_text(&self, name: &HeaderName) -> Option<&str> {
        str::from_utf8(self.header_values(name).next()?).ok()
    }
}

impl RequestHead for Parts {
    fn scheme(&self) -> Option<&str> {
        self.uri.scheme_str()
    }

    fn authority(&self) -> Option<&str> {
        self.uri.authority().map(|authority| authority.as_str())
    }

    fn path_and_query(&self) -> &str {
        self.uri.path_and_query().map_or("", |target| target.as_str())
    }

    fn header_values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.headers.get_all(name).iter().map(|value| value.as_bytes())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use http::Request;

    use super::*;

    /// Returns a request for this target with these headers.
    pub(crate) fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn head_of_both_kinds_of_targets_is_read() {
        let of_http1 = head("/a?b=c", &[("host", "a.example")]);
        assert_eq!((of_http1.scheme(), of_http1.authority()), (None, None));
        assert_eq!(of_http1.path_and_query(), "/a?b=c");
        assert_eq!(of_http1.header_text(&http::header::HOST), Some("a.example"));
        let of_http2 = head("https://a.example:8443/a", &[]);
        assert_eq!(of_http2.scheme(), Some("https"));
        assert_eq!(of_http2.authority(), Some("a.example:8443"));
        assert_eq!(of_http2.path_and_query(), "/a");
    }
}
