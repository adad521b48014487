//! Documents in a browser's cookies.

use std::{borrow::Cow, error::Error, fmt, fmt::Write, time::Duration};

use growthbook_core::sticky::{StickyBucketDocument, StickyBuckets};

use crate::json;

/// What the names of all cookies with documents start with.
pub const COOKIE_PREFIX: &str = "gbStickyBuckets__";

/// How long a cookie is kept by default: 180 days, as by the other SDKs.
pub const DEFAULT_COOKIE_MAX_AGE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// How long a `Set-Cookie` value may be, in bytes. Browsers may drop longer ones in silence.
pub const MAX_COOKIE_BYTES: usize = 4096;

/// The documents in a request's `Cookie` headers, of which there may be several.
///
/// Reads what every GrowthBook SDK writes: a name with `||` or with `%7C%7C`, a value encoded
/// once or twice. A cookie that is corrupt, or whose name is not that of its document, is none.
/// Where two are of one key, the assignments of the first count.
///
/// What cookies say is the browser's word: whoever holds them may choose their variations.
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
    // What is merged last counts.
    documents.reverse();
    let mut buckets = StickyBuckets::new();
    buckets.merge(documents);
    buckets
}

/// The attributes of the cookies that are set. `Path` is `/`, always: the SDK in the browser has
/// to find them. For the same reason they are not `HttpOnly`.
#[derive(Clone, Debug)]
pub struct CookieOptions {
    max_age: Duration,
    secure: bool,
    same_site: Option<SameSite>,
    domain: Option<Box<str>>,
}

impl CookieOptions {
    /// `Max-Age` of [`DEFAULT_COOKIE_MAX_AGE`], `Path=/` and nothing else.
    pub fn new() -> Self {
        CookieOptions {
            max_age: DEFAULT_COOKIE_MAX_AGE,
            secure: false,
            same_site: None,
            domain: None,
        }
    }

    /// How long the browser keeps the cookie, in whole seconds. Default:
    /// [`DEFAULT_COOKIE_MAX_AGE`].
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Whether the cookie is sent over HTTPS only. Default: no.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Which requests of other sites carry the cookie. Default: not said, which browsers take for
    /// [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// The domain whose hosts all get the cookie. Default: only the host that sets it.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<Box<str>>) -> Self {
        self.domain = Some(domain.into());
        self
    }
}

/// As [`CookieOptions::new`].
impl Default for CookieOptions {
    fn default() -> Self {
        CookieOptions::new()
    }
}

/// Which requests of other sites carry a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Those that lead the user to the site.
    Lax,
    /// All; the cookie is made [`secure`](CookieOptions::secure) as well, or browsers refuse it.
    None,
}

/// The value of the `Set-Cookie` header that keeps a document: one for each document that an
/// evaluation [changed](StickyBuckets::take_changed).
///
/// It is in the one form that the JavaScript SDK reads both in browsers and in Node.js: the name
/// with a plain `||`, and what a cookie's name cannot hold as `%XX`; the JSON as
/// `encodeURIComponent` writes it.
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
/// When it would be longer than [`MAX_COOKIE_BYTES`], or the domain is none.
pub fn set_cookie(
    document: &StickyBucketDocument,
    options: &CookieOptions,
) -> Result<String, CookieError> {
    let mut cookie = String::from(COOKIE_PREFIX);
    let name = [&*document.attribute_name, "||", &*document.attribute_value];
    name.iter().for_each(|part| encode(&mut cookie, part, is_plain_in_name));
    cookie.push('=');
    encode(&mut cookie, &json::encode(document), is_plain_in_component);

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

/// Why a document cannot be put into a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The cookie would be longer than [`MAX_COOKIE_BYTES`]. What the browser has stays.
    TooLong,
    /// [`CookieOptions::domain`] is not the name of a domain.
    Domain,
}

impl fmt::Display for CookieError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            CookieError::TooLong => "the sticky bucket document is too long for a cookie",
            CookieError::Domain => "the cookies' domain is not the name of a domain",
        })
    }
}

impl Error for CookieError {}

fn read(name: &str, value: &str) -> Option<StickyBucketDocument> {
    // Most cookies are not ours.
    if !name.starts_with(COOKIE_PREFIX) && !name.contains('%') {
        return None;
    }
    // RFC 6265 allows quotation marks around a value.
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let mut text = Cow::Borrowed(value);
    // Encoded once, it starts with `%7B`; twice, with `%257B`.
    for _ in 0..2 {
        if text.starts_with('%') {
            text = Cow::Owned(decode(&text)?);
        }
    }
    let document: StickyBucketDocument = serde_json::from_str(&text).ok()?;
    let is_name = |name: &str| {
        let key = name.strip_prefix(COOKIE_PREFIX);
        let value = key
            .and_then(|key| key.strip_prefix(&*document.attribute_name))
            .and_then(|rest| rest.strip_prefix("||"));
        value == Some(&*document.attribute_value)
    };
    let is_its_own = is_name(name) || decode(name).is_some_and(|name| is_name(&name));
    is_its_own.then_some(document)
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

/// The opposite of `encodeURIComponent`, which leaves a `%` alone that encodes nothing; none when
/// the result is not UTF-8.
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

/// RFC 6265's characters of a name, without the one that starts an encoded one.
fn is_plain_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte)
}

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
    use crate::testing::document;

    const ONCE: &str = "%7B%22attributeName%22%3A%22id%22%2C%22attributeValue%22%3A%22u1%22%2C\
                        %22assignments%22%3A%7B%22exp__0%22%3A%221%22%7D%7D";

    #[test]
    fn every_form_of_every_sdk_is_read() {
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
            for value in [ONCE, &twice, raw, &format!("\"{ONCE}\"")] {
                let header = format!("a=b; {name}={value};c; d=%7B");
                let buckets = read_cookies([header.as_str()]);
                assert_eq!(buckets.get("id", "u1"), Some(&expected), "{header}");
                assert_eq!(buckets.iter().len(), 1);
            }
        }
    }

    #[test]
    fn what_is_no_document_of_its_name_is_none() {
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
    fn of_two_cookies_of_one_key_the_first_counts() {
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
    fn names_are_written_as_cookies_can_hold_them() {
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
    fn the_attributes_are_as_asked() {
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
    fn what_browsers_would_drop_is_an_error() {
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
        fn every_document_comes_back(
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
        fn no_header_is_too_strange(header in any::<String>(), cookie in any::<String>()) {
            read_cookies([header.as_str()]);
            read_cookies([format!("{COOKIE_PREFIX}{cookie}={header}").as_str()]);
        }
    }
}
