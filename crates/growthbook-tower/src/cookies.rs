//! The cookies of a request.

use http::header::COOKIE;

use crate::head::RequestHead;

/// The most bytes of `Cookie` headers that are read. Later cookies are ignored. Browsers send less:
/// they keep at most 4 KiB for each cookie, and servers limit all headers.
pub const MAX_REQUEST_COOKIE_BYTES: usize = 32 * 1024;

/// The cookies of a request, each as `name=value`.
pub(crate) struct Cookies<'r>(Vec<&'r str>);

impl<'r> Cookies<'r> {
    /// Splits the `Cookie` headers. A cookie that is not text is left out.
    pub(crate) fn of(head: &'r impl RequestHead) -> Self {
        let mut left = MAX_REQUEST_COOKIE_BYTES;
        let pairs = head.header_values(&COOKIE).flat_map(|header| header.split(|it| *it == b';'));
        let readable = pairs.map_while(|pair| {
            left = left.checked_sub(pair.len() + 1)?;
            Some(pair)
        });
        Cookies(readable.filter_map(|pair| str::from_utf8(pair).ok()).collect())
    }

    /// Returns the value of the first cookie with this name, as the browser sent it.
    pub(crate) fn get(&self, name: &str) -> Option<&'r str> {
        self.0.iter().find_map(|pair| {
            let (found, value) = pair.split_once('=')?;
            (found.trim() == name).then(|| unquoted(value.trim()))
        })
    }

    /// Returns each cookie as `name=value`.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &'r str> {
        self.0.iter().copied()
    }
}

/// RFC 6265 allows quotation marks around a value.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::head::tests::head;

    #[test]
    fn first_cookie_with_the_name_is_found() {
        let head = head("/", &[("cookie", "a=1; b= \"2\" ;;=; a=3"), ("cookie", "c=x=y")]);
        let cookies = Cookies::of(&head);
        for (name, value) in [("a", Some("1")), ("b", Some("2")), ("c", Some("x=y")), ("d", None)] {
            assert_eq!(cookies.get(name), value, "{name}");
        }
    }

    #[test]
    fn cookie_that_is_not_text_is_left_out() {
        let mut head = head("/", &[]);
        let value = HeaderValue::from_bytes(b"a=\xff; b=\xc3\xbc").unwrap();
        head.headers.insert(COOKIE, value);
        let cookies = Cookies::of(&head);
        assert_eq!((cookies.get("a"), cookies.get("b")), (None, Some("ü")));
    }

    #[test]
    fn cookies_after_the_bound_are_ignored() {
        let filling = "x".repeat(MAX_REQUEST_COOKIE_BYTES - 8);
        let head = head("/", &[("cookie", &format!("a=1; b={filling}; c=3")), ("cookie", "d=4")]);
        let cookies = Cookies::of(&head);
        assert_eq!((cookies.get("a"), cookies.get("b")), (Some("1"), Some(filling.as_str())));
        assert_eq!((cookies.get("c"), cookies.get("d")), (None, None));
    }
}
