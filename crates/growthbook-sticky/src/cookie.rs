//! Documents in the cookies of a browser.

use std::{borrow::Cow, error::Error, fmt, fmt::Write, time::Duration};

use growthbook_core::sticky::{StickyBucketDocument, StickyBuckets};

use crate::document_json;

/// The prefix of the name of each cookie that holds a document.
pub const COOKIE_PREFIX: &str = "gbStickyBuckets__";

/// The default lifetime of a cookie: 180 days, as in the other SDKs.
pub const DEFAULT_COOKIE_MAX_AGE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// The longest `Set-Cookie` value, in bytes. Browsers may drop a longer one silently.
pub const MAX_COOKIE_BYTES: usize = 4096;

/// Reads the documents from the `Cookie` headers of a request, which may have several.
///
/// It reads the forms that all GrowthBook SDKs write: a name with `||` or with `%7C%7C`, and a value
/// that is encoded once, twice or in part. It ignores a cookie that is corrupt, or whose name does
/// not match its document. If two cookies have the same key, the assignments of the first one win.
///
/// Cookies come from the browser: users can edit them and so choose their own variations.
///
/// ```
/// let header = "theme=dark; gbStickyBuckets__id%7C%7Cu1=%7B%22attributeName%22%3A%22id%22%2C\
///     %22attributeValue%22%3A%22u1%22%2C%22assignments%22%3A%7B%22exp__0%22%3A%221%22%7D%7D";
/// let buckets = growthbook_sticky::read_cookies([header]);
/// assert_eq!(&*buckets.get("id", "u1").unwrap().assignments["exp__0"], "1");
/// ```
pub fn read_cookies<'a>(headers: impl IntoIterator<Item = &'a str>) -> StickyBuckets {
    let mut documents: Vec<StickyBucketDocument> = headers
        .into_iter()
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter_map(|(name, value)| read(name.trim_end(), value.trim_start()))
        .collect();
    // `merge` lets the last document win, and the first cookie has to win.
    documents.reverse();
    let mut buckets = StickyBuckets::new();
    buckets.merge(documents);
    buckets
}

/// The attributes of the cookies that [`set_cookie`] writes.
///
/// `Path` is always `/`, and `HttpOnly` is never set. Otherwise the SDK in the browser would not find
/// the cookies.
#[derive(Clone, Debug)]
pub struct CookieOptions {
    max_age: Duration,
    secure: bool,
    same_site: Option<SameSite>,
    domain: Option<Box<str>>,
}

impl CookieOptions {
    /// Creates the default attributes: `Max-Age` of [`DEFAULT_COOKIE_MAX_AGE`], and `Path=/`.
    pub fn new() -> Self {
        CookieOptions {
            max_age: DEFAULT_COOKIE_MAX_AGE,
            secure: false,
            same_site: None,
            domain: None,
        }
    }

    /// Sets how long the browser keeps the cookie, in whole seconds. Default:
    /// [`DEFAULT_COOKIE_MAX_AGE`].
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets whether the browser sends the cookie over HTTPS only. Default: `false`.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Sets which requests from other sites carry the cookie. By default the attribute is left out,
    /// and browsers use [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// Sets a domain: the browser sends the cookie to all its hosts. By default it sends the cookie
    /// only to the host that set it.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<Box<str>>) -> Self {
        self.domain = Some(domain.into());
        self
    }
}

/// The same as [`CookieOptions::new`].
impl Default for CookieOptions {
    fn default() -> Self {
        CookieOptions::new()
    }
}

/// The requests from other sites that carry a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// No request from another site.
    Strict,
    /// Requests that navigate the user to this site.
    Lax,
    /// All requests. The cookie is then also [`secure`](CookieOptions::secure): browsers require it.
    None,
}

/// Returns the value of the `Set-Cookie` header that stores a document. Send one for each document
/// that an evaluation changed. A user scope of the crate `growthbook` returns these documents with
/// `take_changed_sticky_buckets`, and the core with [`StickyBuckets::take_changed`].
///
/// This is the only form that the JavaScript SDK reads both in browsers and in Node.js. The name
/// has a plain `||`, and `%XX` for characters that a cookie name cannot hold. The JSON is encoded as
/// `encodeURIComponent` does.
///
/// ```
/// use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey};
/// use growthbook_sticky::{CookieOptions, set_cookie};
///
/// let key = StickyBucketKey { attribute_name: "id".into(), attribute_value: "u1".into() };
/// let header = set_cookie(&StickyBucketDocument::new(key), &CookieOptions::new().secure(true))?;
/// assert!(header.starts_with("gbStickyBuckets__id||u1=%7B%22attributeName%22"));
/// assert!(header.ends_with("; Max-Age=15552000; Path=/; Secure"));
/// # Ok::<(), growthbook_sticky::CookieError>(())
/// ```
///
/// # Errors
///
/// When the value would be longer than [`MAX_COOKIE_BYTES`], or when the domain is not valid.
pub fn set_cookie(
    document: &StickyBucketDocument,
    options: &CookieOptions,
) -> Result<String, CookieError> {
    let mut cookie = String::from(COOKIE_PREFIX);
    let name = [&*document.attribute_name, "||", &*document.attribute_value];
    name.iter().for_each(|part| encode(&mut cookie, part, is_plain_in_name));
    cookie.push('=');
    encode(&mut cookie, &document_json::encode(document), is_plain_in_component);

    let max_age = options.max_age.as_secs();
    // Writing to a string cannot fail.
    let _ = write!(cookie, "; Max-Age={max_age}; Path=/");
    if let Some(domain) = &options.domain {
        if !is_domain(domain) {
            return Err(CookieError::Domain);
        }
        let _ = write!(cookie, "; Domain={domain}");
    }
    if options.secure || options.same_site == Some(SameSite::None) {
        cookie.push_str("; Secure");
    }
    cookie.push_str(match options.same_site {
        Some(SameSite::Strict) => "; SameSite=Strict",
        Some(SameSite::Lax) => "; SameSite=Lax",
        Some(SameSite::None) => "; SameSite=None",
        None => "",
    });
    if cookie.len() > MAX_COOKIE_BYTES { Err(CookieError::TooLong) } else { Ok(cookie) }
}

/// The reason why a document cannot be stored in a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The cookie would be longer than [`MAX_COOKIE_BYTES`]. The browser keeps its old cookie.
    TooLong,
    /// [`CookieOptions::domain`] is not a domain name.
    Domain,
}

impl fmt::Display for CookieError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CookieError::TooLong => write!(
                formatter,
                "the cookie for the sticky bucket document is longer than {MAX_COOKIE_BYTES} bytes: \
                 keep it in a store on the server",
            ),
            CookieError::Domain => formatter.write_str(
                "the domain of sticky bucket cookies may have only letters, digits, `-` and `.`",
            ),
        }
    }
}

impl Error for CookieError {}

fn read(name: &str, value: &str) -> Option<StickyBucketDocument> {
    // Most cookies belong to others. This rejects them without decoding.
    if !name.starts_with(COOKIE_PREFIX) && !name.contains('%') {
        return None;
    }
    // RFC 6265 allows quotation marks around a value.
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let document = read_value(value)?;
    let is_name = |name: &str| {
        let key = name.strip_prefix(COOKIE_PREFIX);
        let value = key
            .and_then(|key| key.strip_prefix(&*document.attribute_name))
            .and_then(|rest| rest.strip_prefix("||"));
        value == Some(&*document.attribute_value)
    };
    let has_its_name = is_name(name) || decode(name).is_some_and(|name| is_name(&name));
    has_its_name.then_some(document)
}

/// Reads a document that is not encoded, or encoded once or twice.
fn read_value(value: &str) -> Option<StickyBucketDocument> {
    let mut text = Cow::Borrowed(value);
    // Every encoding changes the quotation marks, so an encoded document is not JSON. Other
    // characters may stay: `js-cookie` keeps braces.
    for _ in 0..2 {
        if let Ok(document) = serde_json::from_str(&text) {
            return Some(document);
        }
        text = Cow::Owned(decode(&text)?);
    }
    serde_json::from_str(&text).ok()
}

fn encode(into: &mut String, text: &str, is_plain: fn(u8) -> bool) {
    for byte in text.bytes() {
        if is_plain(byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// Decodes `%XX` sequences, and keeps a `%` that does not start one. Returns `None` if the result is
/// not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        match (byte, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => {
                decoded.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

/// Returns whether RFC 6265 allows this byte in a cookie name. `%` is not plain: it starts an encoded
/// byte.
fn is_plain_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte)
}

/// Returns whether `encodeURIComponent` keeps this byte.
fn is_plain_in_component(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

fn is_domain(domain: &str) -> bool {
    !domain.is_empty()
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_documents::document;

    const ONCE: &str = "%7B%22attributeName%22%3A%22id%22%2C%22attributeValue%22%3A%22u1%22%2C\
                        %22assignments%22%3A%7B%22exp__0%22%3A%221%22%7D%7D";

    /// The same as the package `js-cookie` writes it, which the JavaScript SDK uses in browsers.
    const JS_COOKIE: &str = "{%22attributeName%22:%22id%22%2C%22attributeValue%22:%22u1%22%2C\
                             %22assignments%22:{%22exp__0%22:%221%22}}";

    #[test]
    fn cookies_of_all_sdks_are_read() {
        let twice = ONCE.replace('%', "%25");
        let raw = r#"{"attributeName":"id","attributeValue":"u1","assignments":{"exp__0":"1"}}"#;
        let expected = document("id", "u1", &[("exp__0", "1")]);
        let names = [
            "gbStickyBuckets__id||u1",
            "gbStickyBuckets__id%7C%7Cu1",
            "gbStickyBuckets__id%7c%7cu1",
            "gbStickyBuckets__%69d||u1",
        ];
        for name in names {
            for value in [ONCE, &twice, JS_COOKIE, raw, &format!("\"{ONCE}\"")] {
                let header = format!("a=b; {name}={value};c; d=%7B");
                let buckets = read_cookies([header.as_str()]);
                assert_eq!(buckets.get("id", "u1"), Some(&expected), "{header}");
                assert_eq!(buckets.iter().len(), 1);
            }
        }
    }

    #[test]
    fn cookies_with_a_wrong_name_or_value_are_ignored() {
        let cookies = [
            "gbStickyBuckets__id||u2=",
            "gbStickyBuckets__idu1=",
            "gbStickyBuckets__id||u1%=",
            "stickyBuckets__id||u1=",
            "gbStickyBuckets__id||u1=%",
            "gbStickyBuckets__id||u1=%FF",
            "gbStickyBuckets__id||u1=%25",
            "gbStickyBuckets__id||u1=x",
        ];
        for cookie in cookies {
            assert_eq!(
                read_cookies([format!("{cookie}{ONCE}").as_str()]).iter().len(),
                0,
                "{cookie}"
            );
        }
        assert_eq!(read_cookies(["", ";", "=", "=;=", "gbStickyBuckets__"]).iter().len(), 0);
    }

    #[test]
    fn first_of_two_cookies_with_one_key_wins() {
        let options = CookieOptions::new();
        let cookie = |assignments| {
            let cookie = set_cookie(&document("id", "u1", assignments), &options).unwrap();
            cookie.split(';').next().unwrap().to_owned()
        };
        let first = cookie(&[("a__0", "0"), ("b__0", "0")]);
        let second = cookie(&[("b__0", "1"), ("c__0", "1")]);
        let expected = document("id", "u1", &[("a__0", "0"), ("b__0", "0"), ("c__0", "1")]);
        for headers in [vec![format!("{first}; {second}")], vec![first, second]] {
            let buckets = read_cookies(headers.iter().map(String::as_str));
            assert_eq!(buckets.get("id", "u1"), Some(&expected));
        }
    }

    #[test]
    fn names_are_encoded_for_cookies() {
        let cases = [
            ("u1", "id||u1"),
            ("50%", "id||50%25"),
            ("a@b.c", "id||a%40b.c"),
            ("a b;c=d", "id||a%20b%3Bc%3Dd"),
            ("ü", "id||%C3%BC"),
            ("\"(x)\"/", "id||%22%28x%29%22%2F"),
            ("a||b", "id||a||b"),
        ];
        for (value, name) in cases {
            let cookie = set_cookie(&document("id", value, &[]), &CookieOptions::new()).unwrap();
            let (found, _) = cookie.split_once('=').unwrap();
            assert_eq!(found, format!("gbStickyBuckets__{name}"));
        }
    }

    #[test]
    fn options_become_cookie_attributes() {
        let document = document("id", "u1", &[("exp__0", "1")]);
        let start = format!("gbStickyBuckets__id||u1={ONCE}; Max-Age=");
        let cases = [
            (CookieOptions::default(), "15552000; Path=/"),
            (CookieOptions::new().max_age(Duration::from_millis(60_900)), "60; Path=/"),
            (CookieOptions::new().domain("a.example"), "15552000; Path=/; Domain=a.example"),
            (
                CookieOptions::new().secure(true).same_site(SameSite::Strict),
                "15552000; Path=/; Secure; SameSite=Strict",
            ),
            (CookieOptions::new().same_site(SameSite::Lax), "15552000; Path=/; SameSite=Lax"),
            (
                CookieOptions::new().same_site(SameSite::None),
                "15552000; Path=/; Secure; SameSite=None",
            ),
        ];
        for (options, end) in cases {
            assert_eq!(set_cookie(&document, &options).unwrap(), format!("{start}{end}"));
        }
        for domain in ["", "a; Secure", "a\r\nb"] {
            let options = CookieOptions::new().domain(domain);
            assert_eq!(set_cookie(&document, &options), Err(CookieError::Domain));
        }
    }

    #[test]
    fn too_long_cookie_is_an_error() {
        let with = |length: usize| {
            let variation = "x".repeat(length);
            set_cookie(&document("id", "u1", &[("exp__0", &variation)]), &CookieOptions::new())
        };
        let room = MAX_COOKIE_BYTES - with(0).unwrap().len();
        assert_eq!(with(room).unwrap().len(), MAX_COOKIE_BYTES);
        assert_eq!(with(room + 1), Err(CookieError::TooLong));
    }

    proptest! {
        #[test]
        fn every_document_is_read_back(
            name in "[a-z%|=; ü]{1,8}",
            value in any::<String>(),
            assignments in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3),
        ) {
            let pairs: Vec<(&str, &str)> =
                assignments.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let document = document(&name, &value, &pairs);
            if let Ok(cookie) = set_cookie(&document, &CookieOptions::new()) {
                prop_assert!(cookie.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
                let (pair, _) = cookie.split_once(';').unwrap();
                let buckets = read_cookies([pair]);
                prop_assert_eq!(buckets.get(&name, &value), Some(&document));
            }
        }

        #[test]
        fn random_headers_do_not_panic(header in any::<String>(), cookie in any::<String>()) {
            read_cookies([header.as_str()]);
            read_cookies([format!("{COOKIE_PREFIX}{cookie}={header}").as_str()]);
        }
    }
}
