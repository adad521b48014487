//! Checked options.

use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};
use url::Url;

use crate::options::{ConfigError, FetchOptions, Proxy};

/// Checked options, with complete addresses.
pub(crate) struct Settings {
    pub(crate) id: SourceId,
    pub(super) proxy: Option<ureq::Proxy>,
    pub(super) root_certificates: RootCerts,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(crate) stream_timeout: Duration,
    pub(super) total_timeout: Duration,
    pub(crate) max_body_bytes: u64,
}

/// The identity of a source. Two clients with equal ones share one fetch and one stream.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct SourceId {
    /// The address of the features.
    pub(super) features: Url,
    /// The address of the stream.
    pub(super) stream: Url,
    pub(super) api_headers: Vec<(String, String)>,
    pub(super) streaming_headers: Vec<(String, String)>,
    proxy: Proxy,
    root_certificates: Vec<Vec<u8>>,
}

impl Settings {
    pub(crate) fn check(options: &FetchOptions) -> Result<Self, ConfigError> {
        let key = options.client_key.trim();
        if key.is_empty() {
            return Err(ConfigError::EmptyClientKey);
        }
        let limits = [
            options.connect_timeout,
            options.read_timeout,
            options.stream_timeout,
            options.total_timeout,
        ];
        if limits.iter().any(Duration::is_zero) || options.max_body_bytes == 0 {
            return Err(ConfigError::ZeroLimit);
        }
        let streaming_host = options.streaming_host.as_ref().unwrap_or(&options.api_host);
        let id = SourceId {
            features: address(&options.api_host, &["api", "features", key])
                .ok_or(ConfigError::ApiHost)?,
            stream: address(streaming_host, &["sub", key]).ok_or(ConfigError::StreamingHost)?,
            api_headers: headers(&options.api_headers)?,
            streaming_headers: headers(&options.streaming_headers)?,
            proxy: options.proxy.clone(),
            root_certificates: options.root_certificates.clone(),
        };
        /// As good as forever, but clocks can express it.
        const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
        Ok(Settings {
            proxy: proxy(&options.proxy)?,
            root_certificates: root_certificates(&options.root_certificates)?,
            connect_timeout: options.connect_timeout.min(LONGEST),
            read_timeout: options.read_timeout.min(LONGEST),
            stream_timeout: options.stream_timeout.min(LONGEST),
            total_timeout: options.total_timeout.min(LONGEST),
            max_body_bytes: options.max_body_bytes,
            id,
        })
    }
}

/// Returns the address of a path on a host. Slashes at the host's end are ignored.
fn address(host: &str, path: &[&str]) -> Option<Url> {
    let mut url = Url::parse(host.trim().trim_end_matches('/')).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return None;
    }
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    url.set_fragment(None);
    // An address that ureq refuses is found here, not on the first request.
    url.as_str().parse::<Uri>().ok()?;
    Some(url)
}

fn headers(headers: &[(String, String)]) -> Result<Vec<(String, String)>, ConfigError> {
    /// Headers that this crate sets itself.
    const RESERVED: [&str; 5] =
        ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"];
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|_| ConfigError::Header)?;
        let is_valid = HeaderValue::try_from(value).is_ok_and(|value| value.to_str().is_ok());
        if !is_valid || RESERVED.contains(&name.as_str()) {
            return Err(ConfigError::Header);
        }
    }
    Ok(headers.to_vec())
}

fn proxy(proxy: &Proxy) -> Result<Option<ureq::Proxy>, ConfigError> {
    match proxy {
        Proxy::None => Ok(None),
        Proxy::Environment => match ureq::Proxy::try_from_env() {
            Some(proxy) if proxy.protocol() != ureq::ProxyProtocol::Http => Err(ConfigError::Proxy),
            proxy => Ok(proxy),
        },
        Proxy::Url(url) if url.starts_with("http://") => {
            ureq::Proxy::new(url).map(Some).map_err(|_| ConfigError::Proxy)
        }
        Proxy::Url(_) => Err(ConfigError::Proxy),
    }
}

/// Returns Mozilla's certificates and those of the application.
fn root_certificates(added: &[Vec<u8>]) -> Result<RootCerts, ConfigError> {
    if added.is_empty() {
        return Ok(RootCerts::WebPki);
    }
    let mut certificates: Vec<Certificate<'static>> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    for pem in added {
        let before = certificates.len();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) =
                item.map_err(|_| ConfigError::RootCertificates)?
            {
                certificates.push(certificate);
            }
        }
        if certificates.len() == before {
            return Err(ConfigError::RootCertificates);
        }
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(host: &str) -> Option<String> {
        address(host, &["api", "features", "sdk-1"]).map(String::from)
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
    fn key_is_one_segment_of_the_path() {
        let url = address("https://example.com", &["sub", "a/b?c#d e"]).unwrap();
        assert_eq!(url.as_str(), "https://example.com/sub/a%2Fb%3Fc%23d%20e");
    }

    #[test]
    fn invalid_options_are_refused_at_the_start() {
        let ok = || FetchOptions::new("sdk-1");
        let cases = [
            (FetchOptions::new(" "), ConfigError::EmptyClientKey),
            (ok().api_host("example.com"), ConfigError::ApiHost),
            (ok().streaming_host("example.com"), ConfigError::StreamingHost),
            (ok().api_header("a b", "c"), ConfigError::Header),
            (ok().api_header("a", "b\r\nc: d"), ConfigError::Header),
            (ok().streaming_header("Host", "example.com"), ConfigError::Header),
            (ok().proxy("socks5://localhost:1"), ConfigError::Proxy),
            (ok().proxy("http://"), ConfigError::Proxy),
            (ok().root_certificates("none"), ConfigError::RootCertificates),
            (ok().read_timeout(Duration::ZERO), ConfigError::ZeroLimit),
            (ok().max_body_bytes(0), ConfigError::ZeroLimit),
        ];
        for (options, expected) in cases {
            assert_eq!(Settings::check(&options).err(), Some(expected));
        }
        assert!(Settings::check(&ok()).is_ok());
    }
}
