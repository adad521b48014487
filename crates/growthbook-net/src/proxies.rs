//! Which proxy leads to which address.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::ProxyProtocol;
use ureq::http::Uri;
use url::Host;

use crate::no_proxy::NoProxy;

/// The proxies of a program, as options or the environment set them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Proxies {
    http: Option<Setting>,
    https: Option<Setting>,
    exceptions: NoProxy,
}

/// A value that was set. It matters only if an address needs it.
type Setting = Result<Proxy, UnusableProxy>;

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// User and password, encoded for the header `proxy-authorization`.
    pub(crate) credentials: Option<String>,
}

/// A value is not an address of an HTTP proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnusableProxy;

impl Proxies {
    /// One proxy for all addresses: `http://user:password@host:port`.
    pub fn all(proxy: &str) -> Self {
        let setting = if proxy.starts_with("http://") { parse(proxy) } else { Err(UnusableProxy) };
        Proxies {
            http: Some(setting.clone()),
            https: Some(setting),
            exceptions: NoProxy::default(),
        }
    }

    /// The proxies of environment variables, read by this function. The rules are those that curl,
    /// Python and Go have in common:
    ///
    /// - `https_proxy` is for `https` addresses only, and `http_proxy` for `http` addresses only.
    ///   `all_proxy` is for both, if there is no other.
    /// - Names in lower case come first. An empty value counts as not set.
    /// - `HTTP_PROXY` in upper case is ignored in a CGI program, where `REQUEST_METHOD` is set: a
    ///   client of the web server sets it there, by the header `Proxy`. curl always ignores it.
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let values = names.iter().filter_map(|name| read(name));
            values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        let http: &[&str] = match read("REQUEST_METHOD") {
            None => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
            Some(_) => &["http_proxy", "all_proxy", "ALL_PROXY"],
        };
        let https = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
        let exceptions = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Proxies {
            http: first(http).as_deref().map(parse),
            https: first(&https).as_deref().map(parse),
            exceptions: NoProxy::parse(&exceptions),
        }
    }

    /// Returns the proxy for an address. `None` is a direct connection.
    ///
    /// # Errors
    ///
    /// When the address needs a proxy that cannot be used.
    pub fn for_address(&self, address: &Uri) -> Result<Option<&Proxy>, UnusableProxy> {
        let (setting, port) = match address.scheme_str() {
            Some("https") => (&self.https, 443),
            _ => (&self.http, 80),
        };
        let Some(setting) = setting else { return Ok(None) };
        let host = Host::parse(address.host().unwrap_or_default()).map_err(|_| UnusableProxy)?;
        if self.exceptions.includes(&host, address.port_u16().unwrap_or(port)) {
            return Ok(None);
        }
        setting.as_ref().map(Some).map_err(|error| *error)
    }
}

fn parse(text: &str) -> Setting {
    let proxy = ureq::Proxy::new(text).map_err(|_| UnusableProxy)?;
    if proxy.protocol() != ProxyProtocol::Http {
        return Err(UnusableProxy);
    }
    let credentials = (proxy.username().is_some() || proxy.password().is_some()).then(|| {
        let (user, password) = (proxy.username(), proxy.password());
        let both = format!("{}:{}", user.unwrap_or_default(), password.unwrap_or_default());
        BASE64_STANDARD.encode(both)
    });
    let host = Host::parse(proxy.host()).map_err(|_| UnusableProxy)?;
    Ok(Proxy { host, port: proxy.port(), credentials })
}

#[cfg(test)]
mod tests;
