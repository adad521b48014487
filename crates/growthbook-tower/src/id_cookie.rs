//! The cookie with the id of a user who is not logged in.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use growthbook::sticky::SameSite;

use crate::cookies::Cookies;

/// The default name of the cookie, as in the JavaScript SDK.
pub const DEFAULT_ID_COOKIE: &str = "gbuuid";
/// The default lifetime of the cookie: 400 days, as in the JavaScript SDK. Browsers keep no cookie
/// for longer.
pub const DEFAULT_ID_COOKIE_MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The longest id that is read from the cookie, in bytes. A longer one counts as missing.
pub const MAX_ID_BYTES: usize = 256;

/// The attribute that has the id, unless another is set.
const DEFAULT_ATTRIBUTE: &str = "id";

/// The cookie with the id of a user who is not logged in.
///
/// A request without the cookie gets a new random id (UUID version 4). The response sets the cookie,
/// if there is [consent](crate::Options::consent). The JavaScript SDK reads and writes the same
/// cookie. So it is never `HttpOnly`.
#[derive(Clone, Debug)]
pub struct IdCookie {
    name: Box<str>,
    attribute: Box<str>,
    max_age: Duration,
    domain: Option<Box<str>>,
    path: Box<str>,
    secure: bool,
    same_site: SameSite,
}

impl IdCookie {
    /// Creates the default cookie: [`DEFAULT_ID_COOKIE`] for [`DEFAULT_ID_COOKIE_MAX_AGE`], with
    /// `Path=/` and `SameSite=Lax`.
    pub fn new() -> Self {
        IdCookie {
            name: DEFAULT_ID_COOKIE.into(),
            attribute: DEFAULT_ATTRIBUTE.into(),
            max_age: DEFAULT_ID_COOKIE_MAX_AGE,
            domain: None,
            path: "/".into(),
            secure: false,
            same_site: SameSite::Lax,
        }
    }

    /// Sets the name. Default: [`DEFAULT_ID_COOKIE`].
    ///
    /// # Errors
    ///
    /// When the name is empty, or has a byte that RFC 6265 does not allow in a name.
    pub fn name(mut self, name: &str) -> Result<Self, InvalidIdCookie> {
        let is_valid = !name.is_empty() && name.bytes().all(is_token);
        self.name = is_valid.then(|| name.into()).ok_or(InvalidIdCookie::Name)?;
        Ok(self)
    }

    /// Sets the attribute that has the id. Default: `id`.
    #[must_use]
    pub fn attribute(mut self, attribute: &str) -> Self {
        self.attribute = attribute.into();
        self
    }

    /// Sets how long the browser keeps the cookie, in whole seconds. Default:
    /// [`DEFAULT_ID_COOKIE_MAX_AGE`].
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets a domain: the browser sends the cookie to all its hosts. By default it sends the cookie
    /// only to the host that set it.
    ///
    /// # Errors
    ///
    /// When it has other characters than letters, digits, `-` and `.`.
    pub fn domain(mut self, domain: &str) -> Result<Self, InvalidIdCookie> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if domain.is_empty() || !domain.bytes().all(is_valid) {
            return Err(InvalidIdCookie::Domain);
        }
        self.domain = Some(domain.into());
        Ok(self)
    }

    /// Sets the paths that the browser sends the cookie to. Default: `/`.
    ///
    /// # Errors
    ///
    /// When it does not start with `/`, or has a `;`, a space or a character outside ASCII.
    pub fn path(mut self, path: &str) -> Result<Self, InvalidIdCookie> {
        if !path.starts_with('/') || !path.bytes().all(|it| it.is_ascii_graphic() && it != b';') {
            return Err(InvalidIdCookie::Path);
        }
        self.path = path.into();
        Ok(self)
    }

    /// Sets whether the browser sends the cookie over HTTPS only. Default: false.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Sets which requests from other sites carry the cookie. Default: [`SameSite::Lax`]. With
    /// [`SameSite::None`] the cookie is also [`secure`](IdCookie::secure), because browsers require
    /// it.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    pub(crate) fn attribute_name(&self) -> &str {
        &self.attribute
    }

    pub(crate) fn cookie_name(&self) -> &str {
        &self.name
    }

    pub(crate) fn cookie_domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Returns the id in the cookies of a request, or a new one. Returns `None` if the system has no
    /// randomness.
    pub(crate) fn id(&self, cookies: &Cookies<'_>) -> Option<Id> {
        match cookies.get(&self.name).filter(|id| is_id(id)) {
            Some(id) => Some(Id { text: id.into(), is_new: false }),
            None => Some(Id { text: random_uuid()?.into(), is_new: true }),
        }
    }

    /// Returns the value of the `Set-Cookie` header that stores an id.
    pub(crate) fn set_cookie(&self, id: &str) -> String {
        let IdCookie { name, path, same_site, .. } = self;
        let max_age = self.max_age.as_secs();
        let mut cookie = format!("{name}={id}; Max-Age={max_age}; Path={path}");
        if let Some(domain) = &self.domain {
            cookie.push_str("; Domain=");
            cookie.push_str(domain);
        }
        if self.secure || *same_site == SameSite::None {
            cookie.push_str("; Secure");
        }
        cookie.push_str(match same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        cookie
    }
}

/// The same as [`IdCookie::new`].
impl Default for IdCookie {
    fn default() -> Self {
        IdCookie::new()
    }
}

/// The part of an [`IdCookie`] that is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidIdCookie {
    /// The name.
    Name,
    /// The domain.
    Domain,
    /// The path.
    Path,
}

impl fmt::Display for InvalidIdCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            InvalidIdCookie::Name => {
                "the name of the id cookie must not be empty, and RFC 6265 must allow its characters"
            }
            InvalidIdCookie::Domain => {
                "the domain of the id cookie may have only letters, digits, `-` and `.`"
            }
            InvalidIdCookie::Path => {
                "the path of the id cookie must start with `/`, and have no `;` and no spaces"
            }
        })
    }
}

impl Error for InvalidIdCookie {}

/// The id of a user.
pub(crate) struct Id {
    pub(crate) text: Box<str>,
    /// Whether the request did not have it.
    pub(crate) is_new: bool,
}

/// Whether a text from a cookie can be an id, and can be sent back in a cookie.
fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(is_plain)
}

/// Whether RFC 6265 allows this byte in a cookie's name.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Makes a random UUID (version 4). Returns `None` if the system has no randomness.
fn random_uuid() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    let bits = u128::from_be_bytes(bytes);
    let version_and_variant = (0x4 << 76) | (0b10 << 62);
    let bits = bits & !((0xf << 76) | (0b11 << 62)) | version_and_variant;
    let digits = format!("{bits:032x}");
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    Some([group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::head::tests::head;

    fn id(cookie: &IdCookie, header: &str) -> Id {
        cookie.id(&Cookies::of(&head("/", &[("cookie", header)]))).unwrap()
    }

    #[test]
    fn id_in_the_cookie_is_used() {
        let found = id(&IdCookie::new(), "a=b; gbuuid=0b5c-1; gbuuid=other");
        assert_eq!((&*found.text, found.is_new), ("0b5c-1", false));
        let other = IdCookie::new().name("visitor").unwrap();
        assert_eq!(&*id(&other, "gbuuid=1; visitor=2").text, "2");
    }

    #[test]
    fn hostile_id_is_replaced() {
        let longest = "x".repeat(MAX_ID_BYTES);
        assert!(!id(&IdCookie::new(), &format!("gbuuid={longest}")).is_new);
        for value in ["", "\"\"", "a b", "a,b", "ü", "a\\b", &format!("{longest}x")] {
            assert!(id(&IdCookie::new(), &format!("gbuuid={value}")).is_new, "{value}");
        }
    }

    #[test]
    fn new_ids_are_different_uuids() {
        let ids: HashSet<String> = (0..100).filter_map(|_| random_uuid()).collect();
        assert_eq!(ids.len(), 100);
        for id in ids {
            let groups: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn options_become_cookie_attributes() {
        let cookie = |it: IdCookie| it.set_cookie("u1");
        assert_eq!(
            cookie(IdCookie::default()),
            "gbuuid=u1; Max-Age=34560000; Path=/; SameSite=Lax"
        );
        let all = IdCookie::new().name("v").unwrap().domain(".a.example").unwrap();
        let all = all.path("/shop").unwrap().max_age(Duration::from_secs(60));
        assert_eq!(
            cookie(all.secure(true).same_site(SameSite::Strict)),
            "v=u1; Max-Age=60; Path=/shop; Domain=.a.example; Secure; SameSite=Strict"
        );
        assert!(
            cookie(IdCookie::new().same_site(SameSite::None)).ends_with("; Secure; SameSite=None")
        );
    }

    #[test]
    fn invalid_parts_are_errors() {
        for name in ["", "a b", "a;b", "a=b", "ü"] {
            assert_eq!(IdCookie::new().name(name).unwrap_err(), InvalidIdCookie::Name, "{name}");
        }
        for domain in ["", "a; Secure", "a\r\nb"] {
            assert_eq!(IdCookie::new().domain(domain).unwrap_err(), InvalidIdCookie::Domain);
        }
        for path in ["", "a", "/a;b", "/a b", "/a\r\n"] {
            assert_eq!(IdCookie::new().path(path).unwrap_err(), InvalidIdCookie::Path);
        }
    }
}
