//! The attributes that a request has by itself, with the names of GrowthBook's automatic attributes.

use growthbook::UserContext;
use http::header::USER_AGENT;

use crate::address::{Address, Trust, UTM};
use crate::head::RequestHead;
use crate::user_agent;

/// The attributes that a request has by itself, and which of them a user gets.
///
/// The names and values are those of the JavaScript SDK's automatic attributes, so that a browser
/// and a service agree.
///
/// | attribute | example | switch |
/// |---|---|---|
/// | `url` | `https://shop.example/cart?utm_source=mail` | [`url`](RequestAttributes::url) |
/// | `path` | `/cart` | [`path`](RequestAttributes::path) |
/// | `host` | `shop.example` | [`host`](RequestAttributes::host) |
/// | `query` | `?utm_source=mail` | [`query`](RequestAttributes::query) |
/// | `utmSource`, `utmMedium`, `utmCampaign`, `utmTerm`, `utmContent` | `mail` | [`utm`](RequestAttributes::utm) |
/// | `browser` | `edge`, `chrome`, `firefox`, `safari` or `unknown` | [`browser`](RequestAttributes::browser) |
/// | `deviceType` | `mobile` or `desktop` | [`device_type`](RequestAttributes::device_type) |
///
/// All of them come from the client, which can send anything. The address is left out if its path
/// and query are longer than [`MAX_TARGET_BYTES`](crate::MAX_TARGET_BYTES).
#[derive(Clone, Debug)]
pub struct RequestAttributes {
    trust: Trust,
    page_url: bool,
    url: bool,
    path: bool,
    host: bool,
    query: bool,
    utm: bool,
    browser: bool,
    device_type: bool,
}

/// Defines a method for each switch.
macro_rules! switches {
    ($($(#[$docs:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$docs])*
        #[must_use]
        pub fn $name(mut self, is_on: bool) -> Self {
            self.$name = is_on;
            self
        }
    )+};
}

impl RequestAttributes {
    /// Sets all attributes, without trust in `X-Forwarded-*` headers.
    pub fn new() -> Self {
        RequestAttributes {
            trust: Trust::default(),
            page_url: true,
            url: true,
            path: true,
            host: true,
            query: true,
            utm: true,
            browser: true,
            device_type: true,
        }
    }

    /// Sets none of the attributes.
    pub fn none() -> Self {
        RequestAttributes {
            trust: Trust::default(),
            page_url: false,
            url: false,
            path: false,
            host: false,
            query: false,
            utm: false,
            browser: false,
            device_type: false,
        }
    }

    switches!(
        /// Sets whether the user has the address of the request, for URL targeting and for
        /// variations that are forced in the query string. Default: true.
        page_url,
        /// Sets whether there is an attribute `url`. Default: true.
        url,
        /// Sets whether there is an attribute `path`. Default: true.
        path,
        /// Sets whether there is an attribute `host`. Default: true.
        host,
        /// Sets whether there is an attribute `query`. Default: true.
        query,
        /// Sets whether there are attributes of the campaign, such as `utmSource`. The JavaScript SDK
        /// keeps them for later pages of a visit. A service only has those of this request. Default:
        /// true.
        utm,
        /// Sets whether there is an attribute `browser`. Default: true.
        browser,
        /// Sets whether there is an attribute `deviceType`. Default: true.
        device_type,
    );

    /// Sets whether users reach the service over HTTPS, if the request itself does not say so. Set it
    /// where a proxy ends TLS. Default: false.
    #[must_use]
    pub fn https(mut self, is_https: bool) -> Self {
        self.trust.https = is_https;
        self
    }

    /// Sets whether `X-Forwarded-Host` is believed. The last value in it counts, because the nearest
    /// proxy has written that. Default: false, because a client can send the header as well.
    #[must_use]
    pub fn trust_forwarded_host(mut self, is_trusted: bool) -> Self {
        self.trust.forwarded_host = is_trusted;
        self
    }

    /// Sets whether `X-Forwarded-Proto` is believed, as
    /// [`trust_forwarded_host`](RequestAttributes::trust_forwarded_host) does for the host. Default:
    /// false.
    #[must_use]
    pub fn trust_forwarded_proto(mut self, is_trusted: bool) -> Self {
        self.trust.forwarded_proto = is_trusted;
        self
    }

    /// Makes a user with the attributes of a request.
    pub(crate) fn user(&self, head: &impl RequestHead) -> UserContext {
        let mut user = UserContext::default();
        if self.browser || self.device_type {
            let agent = head.header_values(&USER_AGENT).next().unwrap_or_default();
            if self.browser {
                user = user.attribute("browser", user_agent::browser(agent));
            }
            if self.device_type {
                user = user.attribute("deviceType", user_agent::device_type(agent));
            }
        }
        match Address::of(head, self.trust) {
            Some(address) => self.with_address(user, &address),
            None => user,
        }
    }

    fn with_address(&self, mut user: UserContext, address: &Address) -> UserContext {
        if let Some(href) = address.href().filter(|_| self.page_url) {
            user = user.url(href);
        }
        let parts = [
            ("url", self.url, address.href().map(str::to_owned)),
            ("path", self.path, address.path().map(str::to_owned)),
            ("host", self.host, address.host()),
            ("query", self.query, address.query()),
        ];
        for (name, is_on, value) in parts {
            if let Some(value) = value.filter(|_| is_on) {
                user = user.attribute(name, value);
            }
        }
        if self.utm {
            for (name, value) in address.utm() {
                user = user.attribute(name, value);
            }
        }
        user
    }
}

/// The same as [`RequestAttributes::new`].
impl Default for RequestAttributes {
    fn default() -> Self {
        RequestAttributes::new()
    }
}

/// Returns the names of all attributes that a request has by itself.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let others = ["url", "path", "host", "query", "browser", "deviceType"];
    others.into_iter().chain(UTM.into_iter().map(|(_, attribute)| attribute))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::head::tests::head;

    const TARGET: &str = "/p?utm_source=1&utm_medium=2&utm_campaign=3&utm_term=4&utm_content=5";
    const HEADERS: [(&str, &str); 2] = [("host", "a.example"), ("user-agent", "Firefox Mobi")];

    fn present(attributes: &RequestAttributes) -> BTreeSet<String> {
        let user = attributes.user(&head(TARGET, &HEADERS));
        user.attributes().iter().map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn request_has_all_attributes() {
        let user = RequestAttributes::new().user(&head(TARGET, &HEADERS));
        let expected = [
            ("url", format!("http://a.example{TARGET}")),
            ("path", "/p".into()),
            ("host", "a.example".into()),
            ("query", TARGET[2..].into()),
            ("utmSource", "1".into()),
            ("utmMedium", "2".into()),
            ("utmCampaign", "3".into()),
            ("utmTerm", "4".into()),
            ("utmContent", "5".into()),
            ("browser", "firefox".into()),
            ("deviceType", "mobile".into()),
        ];
        for (name, value) in &expected {
            let found = user.attributes().get(name).and_then(|value| value.as_str());
            assert_eq!(found, Some(value.as_str()), "{name}");
        }
        assert_eq!(user.attributes().len(), expected.len());
        assert_eq!(user.page_url(), format!("http://a.example{TARGET}"));
        assert_eq!(names().map(str::to_owned).collect::<BTreeSet<_>>(), present(&<_>::default()));
    }

    #[test]
    fn each_attribute_can_be_switched_off() {
        type Switch = fn(RequestAttributes, bool) -> RequestAttributes;
        let switches: [(Switch, &[&str]); 7] = [
            (RequestAttributes::url, &["url"]),
            (RequestAttributes::path, &["path"]),
            (RequestAttributes::host, &["host"]),
            (RequestAttributes::query, &["query"]),
            (
                RequestAttributes::utm,
                &["utmSource", "utmMedium", "utmCampaign", "utmTerm", "utmContent"],
            ),
            (RequestAttributes::browser, &["browser"]),
            (RequestAttributes::device_type, &["deviceType"]),
        ];
        let all = present(&RequestAttributes::new());
        for (switch, names) in switches {
            let names: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
            let without = present(&switch(RequestAttributes::new(), false));
            assert_eq!(without, &all - &names);
            assert_eq!(present(&switch(RequestAttributes::none(), true)), names);
        }
        let user = RequestAttributes::new().page_url(false).user(&head(TARGET, &HEADERS));
        assert_eq!(user.page_url(), "");
    }
}
