//! The application's headers: fixed ones, and those of a function.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use growthbook_support::contain;
use ureq::http::{HeaderName, HeaderValue};

use crate::error::{FetchError, FetchErrorKind};

/// A function of the application that returns headers. Two are equal if they are the same one.
#[derive(Clone)]
pub(crate) struct HeaderSource(Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>);

impl HeaderSource {
    pub(crate) fn new(headers: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static) -> Self {
        HeaderSource(Arc::new(headers))
    }

    fn address(&self) -> *const () {
        Arc::as_ptr(&self.0).cast()
    }
}

impl PartialEq for HeaderSource {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for HeaderSource {}

impl Hash for HeaderSource {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

/// The headers of a kind of requests.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Headers {
    pub(crate) fixed: Vec<(String, String)>,
    pub(crate) source: Option<HeaderSource>,
}

impl Headers {
    /// Whether the fixed headers can be sent.
    pub(crate) fn are_valid(&self) -> bool {
        are_valid(&self.fixed)
    }

    /// Returns the headers of a new request. A header of the function replaces fixed ones with the
    /// same name.
    ///
    /// # Errors
    ///
    /// When the function panics, or returns headers that cannot be sent.
    pub(crate) fn now(&self) -> Result<Cow<'_, [(String, String)]>, FetchError> {
        let Some(source) = &self.source else { return Ok(Cow::Borrowed(&self.fixed)) };
        let unusable = || FetchError::new(FetchErrorKind::Headers);
        let mut headers = contain(|| (source.0)()).map_err(|_| unusable())?;
        if !are_valid(&headers) {
            return Err(unusable());
        }
        let replaces =
            |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let kept: Vec<_> = self.fixed.iter().filter(|(name, _)| !replaces(name)).cloned().collect();
        headers.extend(kept);
        Ok(Cow::Owned(headers))
    }
}

fn are_valid(headers: &[(String, String)]) -> bool {
    /// Headers that this crate sets itself.
    const RESERVED: [&str; 5] =
        ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"];
    headers.iter().all(|(name, value)| {
        let is_allowed =
            HeaderName::try_from(name).is_ok_and(|name| !RESERVED.contains(&name.as_str()));
        is_allowed && HeaderValue::try_from(value).is_ok_and(|value| value.to_str().is_ok())
    })
}

impl fmt::Debug for HeaderSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeaderSource").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn function_replaces_fixed_headers_of_its_names() {
        let source = Some(HeaderSource::new(|| vec![pair("Authorization", "new")]));
        let headers = Headers { fixed: vec![pair("authorization", "old"), pair("a", "b")], source };
        let now = headers.now().unwrap();
        assert_eq!(*now, [pair("Authorization", "new"), pair("a", "b")]);
    }

    #[test]
    fn unusable_headers_of_a_function_are_errors() {
        let sources: [HeaderSource; 3] = [
            HeaderSource::new(|| vec![pair("a", "b\r\nc: d")]),
            HeaderSource::new(|| vec![pair("Host", "example.com")]),
            HeaderSource::new(|| std::panic::panic_any("of the application")),
        ];
        for source in sources {
            let headers = Headers { fixed: Vec::new(), source: Some(source) };
            assert_eq!(headers.now().unwrap_err().kind(), FetchErrorKind::Headers);
        }
    }

    #[test]
    fn sources_are_equal_to_their_clones_only() {
        let source = HeaderSource::new(Vec::new);
        assert!(source == source.clone());
        assert!(source != HeaderSource::new(Vec::new));
    }
}
