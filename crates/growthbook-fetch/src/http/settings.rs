//! Checked options.

use std::time::Duration;

use growthbook_net::{ConnectionOptions, Proxies};
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use url::Url;

use super::Limits;
use super::redirect::has_user_info;
use crate::config_error::{ConfigError, InvalidHost};
use crate::headers::Headers;
use crate::options::FetchOptions;

/// Checked options, with complete addresses.
pub(crate) struct Settings {
    pub(crate) id: SourceId,
    /// The address of remote evaluation.
    pub(super) eval: Url,
    pub(super) tls: TlsConfig,
    pub(crate) limits: Limits,
    /// Whether the source acts on threads that it does not share.
    pub(crate) has_own_threads: bool,
}

/// The identity of a source. Two clients with equal ones share one fetch and one stream.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct SourceId {
    /// The address of the features.
    pub(super) features: Url,
    /// The address of the stream.
    pub(super) stream: Url,
    pub(super) api_headers: Headers,
    pub(super) streaming_headers: Headers,
    pub(super) proxies: Proxies,
    connection: ConnectionOptions,
}

impl Settings {
    pub(crate) fn check(options: &FetchOptions) -> Result<Self, ConfigError> {
        let key = key(&options.client_key)?;
        let connection = options.connection.check()?;
        let limits = limits(options)?;
        let streaming_host = options.streaming_host.as_ref().unwrap_or(&options.api_host);
        let id = SourceId {
            features: address(&options.api_host, &["api", "features", key], ConfigError::ApiHost)?,
            stream: address(streaming_host, &["sub", key], ConfigError::StreamingHost)?,
            api_headers: options.api_headers.clone(),
            streaming_headers: options.streaming_headers.clone(),
            proxies: connection.proxies.clone(),
            connection: options.connection.clone(),
        };
        if !id.api_headers.are_valid() || !id.streaming_headers.are_valid() {
            return Err(ConfigError::Header);
        }
        for address in [&id.features, &id.stream] {
            if let Ok(uri) = address.as_str().parse::<Uri>() {
                connection.check_address(&uri)?;
            }
        }
        let eval = address(&options.api_host, &["api", "eval", key], ConfigError::ApiHost)?;
        let has_own_threads = options.has_own_threads;
        Ok(Settings { tls: connection.tls, limits, has_own_threads, id, eval })
    }
}

impl Settings {
    /// Whether the API host is one of GrowthBook's own, which do not evaluate for clients.
    pub(crate) fn is_on_growthbook_cloud(&self) -> bool {
        let host = self.eval.host_str().unwrap_or_default().trim_end_matches('.');
        host == "growthbook.io" || host.ends_with(".growthbook.io")
    }
}

/// Returns the client key, which is one segment of a path. No real key has the characters that are
/// refused here. A proxy or server on the way could read them as something else than a key.
fn key(key: &str) -> Result<&str, ConfigError> {
    let key = key.trim();
    if key.is_empty() {
        return Err(ConfigError::EmptyClientKey);
    }
    if key.starts_with("secret_") {
        return Err(ConfigError::SecretKey);
    }
    if key.contains("://") {
        return Err(ConfigError::ClientKeyIsAddress);
    }
    let is_refused = |it: char| {
        it.is_control() || it.is_whitespace() || matches!(it, '/' | '\\' | '?' | '#' | '%')
    };
    let has_only_dots = key.chars().all(|it| it == '.');
    if has_only_dots || key.contains(is_refused) { Err(ConfigError::ClientKey) } else { Ok(key) }
}

fn limits(options: &FetchOptions) -> Result<Limits, ConfigError> {
    /// As good as forever, but clocks can express it.
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
    let limited = |limit: Duration| {
        if limit.is_zero() { Err(ConfigError::ZeroLimit) } else { Ok(limit.min(LONGEST)) }
    };
    if options.max_body_bytes == 0 {
        return Err(ConfigError::ZeroLimit);
    }
    Ok(Limits {
        connect_timeout: limited(options.connect_timeout)?,
        read_timeout: limited(options.read_timeout)?,
        stream_timeout: limited(options.stream_timeout)?,
        total_timeout: limited(options.total_timeout)?,
        max_body_bytes: options.max_body_bytes,
    })
}

/// Returns the address of a path on a host. Slashes at the host's end are ignored.
///
/// # Errors
///
/// The given one, if the host is not an address. Another one, if it has user info: addresses reach
/// log records, and JavaScript's `fetch` refuses user info as well.
fn address(
    host: &str,
    path: &[&str],
    invalid: fn(InvalidHost) -> ConfigError,
) -> Result<Url, ConfigError> {
    let invalid = || invalid(InvalidHost::new(host.trim()));
    let mut url = Url::parse(host.trim().trim_end_matches('/')).map_err(|_| invalid())?;
    if has_user_info(&url) {
        return Err(ConfigError::UserInfo);
    }
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err(invalid());
    }
    url.path_segments_mut().map_err(|()| invalid())?.pop_if_empty().extend(path);
    url.set_fragment(None);
    // An address that ureq refuses is found here, not on the first request.
    url.as_str().parse::<Uri>().map_err(|_| invalid())?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use growthbook_net::ConnectionConfigError;

    use super::*;

    fn features(host: &str) -> Option<String> {
        let path = ["api", "features", "sdk-1"];
        address(host, &path, ConfigError::ApiHost).ok().map(String::from)
    }

    #[test]
    fn host_becomes_an_address() {
        let cases = [
            ("https://cdn.growthbook.io", Some("https://cdn.growthbook.io/api/features/sdk-1")),
            ("https://cdn.growthbook.io///", Some("https://cdn.growthbook.io/api/features/sdk-1")),
            ("http://localhost:3100/", Some("http://localhost:3100/api/features/sdk-1")),
            ("http://[::1]:3100", Some("http://[::1]:3100/api/features/sdk-1")),
            ("https://example.com/gb/", Some("https://example.com/gb/api/features/sdk-1")),
            (" https://example.com ", Some("https://example.com/api/features/sdk-1")),
            ("cdn.growthbook.io", None),
            ("ftp://example.com", None),
            ("https://", None),
            ("", None),
            ("https://example.com/?a=b", None),
        ];
        for (host, expected) in cases {
            assert_eq!(features(host).as_deref(), expected, "{host:?}");
        }
    }

    #[test]
    fn hosts_of_growthbook_cloud_are_known() {
        let cases = [
            ("https://cdn.growthbook.io", true),
            ("https://CDN.GrowthBook.io./", true),
            ("http://growthbook.io:3100/path", true),
            ("https://growthbook.io.example.com", false),
            ("https://mygrowthbook.io", false),
            ("http://localhost:3300", false),
        ];
        for (host, expected) in cases {
            let settings = Settings::check(&FetchOptions::new("sdk-1").api_host(host)).unwrap();
            assert_eq!(settings.is_on_growthbook_cloud(), expected, "{host}");
        }
    }

    #[test]
    fn key_is_one_segment_of_the_path() {
        for key in ["sdk-abc123", "a.b", "...a", "äöü", "a:b@c", "a;b=c&d", "a+b"] {
            let options = FetchOptions::new(format!(" {key}\n"));
            let id = Settings::check(&options).map(|settings| settings.id).unwrap();
            for url in [id.features, id.stream] {
                let last = url.path_segments().unwrap().next_back().unwrap();
                let decoded = percent_decoded(last);
                assert_eq!(decoded, key);
            }
        }
    }

    fn percent_decoded(text: &str) -> String {
        let query = format!("key={}", text.replace('+', "%2B").replace('&', "%26"));
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.next().unwrap().1.into_owned()
    }

    #[test]
    fn key_that_is_not_one_segment_is_refused() {
        let keys = [
            ".",
            "..",
            "...",
            "/",
            "a/b",
            "\\",
            "%2e",
            "%2E%2e",
            ".%2e",
            "a%",
            "a?b",
            "a#b",
            "a b",
            "a\tb",
            "a\0",
            "a\r\nb",
            "a\u{a0}b",
            "cdn.growthbook.io/api/features/sdk-1",
        ];
        for key in keys {
            let refused = Settings::check(&FetchOptions::new(key)).err();
            assert_eq!(refused, Some(ConfigError::ClientKey), "{key:?}");
        }
        for (key, expected) in [
            ("secret_abc123", ConfigError::SecretKey),
            (" secret_user_abc123\n", ConfigError::SecretKey),
            ("https://cdn.growthbook.io/api/features/sdk-1", ConfigError::ClientKeyIsAddress),
            ("http://localhost:3100", ConfigError::ClientKeyIsAddress),
        ] {
            assert_eq!(Settings::check(&FetchOptions::new(key)).err(), Some(expected), "{key:?}");
        }
        for key in ["", " ", "\n"] {
            let refused = Settings::check(&FetchOptions::new(key)).err();
            assert_eq!(refused, Some(ConfigError::EmptyClientKey), "{key:?}");
        }
    }

    #[test]
    fn invalid_options_are_refused_at_the_start() {
        let ok = || FetchOptions::new("sdk-1");
        let connection = ConnectionOptions::new;
        let cases = [
            (FetchOptions::new(" "), ConfigError::EmptyClientKey),
            (ok().api_host("a.example"), ConfigError::ApiHost(InvalidHost::new("a.example"))),
            (
                ok().streaming_host("a.example"),
                ConfigError::StreamingHost(InvalidHost::new("a.example")),
            ),
            (ok().api_host("https://user:password@example.com"), ConfigError::UserInfo),
            (ok().api_host("https://user@example.com"), ConfigError::UserInfo),
            (ok().streaming_host("http://:password@example.com"), ConfigError::UserInfo),
            (ok().api_header("a b", "c"), ConfigError::Header),
            (ok().api_header("a", "b\r\nc: d"), ConfigError::Header),
            (ok().streaming_header("Host", "example.com"), ConfigError::Header),
            (
                ok().connection(connection().proxy("socks5://localhost:1")),
                ConnectionConfigError::Proxy.into(),
            ),
            (ok().connection(connection().proxy("http://")), ConnectionConfigError::Proxy.into()),
            (
                ok().connection(connection().root_certificates("none")),
                ConnectionConfigError::RootCertificates { text: 1, certificate: 0 }.into(),
            ),
            (
                ok().connection(connection().client_certificate("none", "none")),
                ConnectionConfigError::ClientCertificate.into(),
            ),
            (ok().read_timeout(Duration::ZERO), ConfigError::ZeroLimit),
            (ok().max_body_bytes(0), ConfigError::ZeroLimit),
        ];
        for (options, expected) in cases {
            assert_eq!(Settings::check(&options).err(), Some(expected));
        }
        assert!(Settings::check(&ok()).is_ok());
    }
}
