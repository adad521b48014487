//! What to fetch, from where, and how.

use std::fmt;
use std::time::Duration;

/// Where payloads come from unless set otherwise: GrowthBook's own content delivery network.
pub const DEFAULT_API_HOST: &str = "https://cdn.growthbook.io";
/// How often the server is asked where it is not streaming.
pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(60);
/// For how long a cached payload counts as fresh.
pub const DEFAULT_CACHE_TTL: Duration = Duration::from_secs(60);
/// How long looking up a name may take, and again opening a connection: TCP, proxy and TLS.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may be silent in the middle of a reply.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stream may be silent. GrowthBook's servers ping every 30 seconds.
pub const DEFAULT_STREAM_TIMEOUT: Duration = Duration::from_secs(70);
/// How long a fetch may take in all, redirects included.
pub const DEFAULT_TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// How large a payload may be, decompressed, in bytes.
pub const DEFAULT_MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;
/// How long dropping the last handle of a client may take.
pub const DEFAULT_CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// When the server is asked for a new payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Refresh {
    /// The server sends changes as they happen, where it offers to
    /// ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)).
    /// Where it does not, and while the stream is down, it is asked every
    /// [`poll_interval`](FetchOptions::poll_interval). One thread.
    #[default]
    Stream,
    /// The server is asked this often, give or take a tenth. One thread.
    Poll(Duration),
    /// Nobody asks unless you do: no thread. For functions as a service and command lines.
    Manual,
}

/// What to fetch, from where, and how.
///
/// `Debug` prints neither the client key nor addresses and headers, which may hold passwords.
#[derive(Clone)]
pub struct FetchOptions {
    pub(crate) client_key: String,
    pub(crate) api_host: String,
    pub(crate) streaming_host: Option<String>,
    pub(crate) api_headers: Vec<(String, String)>,
    pub(crate) streaming_headers: Vec<(String, String)>,
    pub(crate) proxy: Proxy,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) refresh: Refresh,
    pub(crate) poll_interval: Duration,
    pub(crate) cache_ttl: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) stream_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) max_body_bytes: u64,
    pub(crate) close_timeout: Duration,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Proxy {
    None,
    Environment,
    Url(String),
}

impl FetchOptions {
    /// The payload of this client key (`sdk-...`), with every option at its default.
    pub fn new(client_key: impl Into<String>) -> Self {
        FetchOptions {
            client_key: client_key.into(),
            api_host: DEFAULT_API_HOST.into(),
            streaming_host: None,
            api_headers: Vec::new(),
            streaming_headers: Vec::new(),
            proxy: Proxy::None,
            root_certificates: Vec::new(),
            refresh: Refresh::default(),
            poll_interval: DEFAULT_POLL_INTERVAL,
            cache_ttl: DEFAULT_CACHE_TTL,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            stream_timeout: DEFAULT_STREAM_TIMEOUT,
            total_timeout: DEFAULT_TOTAL_TIMEOUT,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            close_timeout: DEFAULT_CLOSE_TIMEOUT,
        }
    }

    /// Where payloads are fetched from: `http://` or `https://`, a host, and a path before
    /// `/api/features` if there is one. Default: [`DEFAULT_API_HOST`].
    #[must_use]
    pub fn api_host(mut self, host: impl Into<String>) -> Self {
        self.api_host = host.into();
        self
    }

    /// Where changes are streamed from. Default: the API host.
    #[must_use]
    pub fn streaming_host(mut self, host: impl Into<String>) -> Self {
        self.streaming_host = Some(host.into());
        self
    }

    /// Adds a header to requests to the API. Not sent to another host, should the API redirect
    /// there. Default: none.
    #[must_use]
    pub fn api_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.api_headers.push((name.into(), value.into()));
        self
    }

    /// Adds a header to requests for the stream. Not sent to another host, should the server
    /// redirect there. Default: none.
    #[must_use]
    pub fn streaming_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.streaming_headers.push((name.into(), value.into()));
        self
    }

    /// Connects through an HTTP proxy: `http://user:password@host:port`. Default: none; the
    /// environment is not looked at.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Proxy::Url(url.into());
        self
    }

    /// Connects through the HTTP proxy that `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY` names, the
    /// first of them that is set, but for the hosts in `NO_PROXY`. Default: no.
    #[must_use]
    pub fn proxy_from_environment(mut self) -> Self {
        self.proxy = Proxy::Environment;
        self
    }

    /// Trusts the certificates in this PEM text, beside Mozilla's. Default: Mozilla's alone.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// When the server is asked. Default: [`Refresh::Stream`].
    #[must_use]
    pub fn refresh(mut self, refresh: Refresh) -> Self {
        self.refresh = refresh;
        self
    }

    /// How often the server is asked in [`Refresh::Stream`] while there is no stream, give or take
    /// a tenth. Default: [`DEFAULT_POLL_INTERVAL`].
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// For how long a payload from the cache counts as fresh: until then a polling client that
    /// starts with it does not ask the server. An older one is used all the same, and the server
    /// asked at once. Default: [`DEFAULT_CACHE_TTL`].
    #[must_use]
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = ttl;
        self
    }

    /// How long looking up a name may take, and again opening a connection: TCP, proxy and TLS.
    /// Default: [`DEFAULT_CONNECT_TIMEOUT`].
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the server may be silent while its reply is awaited or read; on a stream, this
    /// holds for its beginning. Default: [`DEFAULT_READ_TIMEOUT`].
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// How long an open stream may be silent. One that is silent for longer counts as dead: another
    /// is opened, and what was missed is fetched. It has to be longer than the time between two
    /// pings of the server, which is 30 seconds. Default: [`DEFAULT_STREAM_TIMEOUT`].
    #[must_use]
    pub fn stream_timeout(mut self, timeout: Duration) -> Self {
        self.stream_timeout = timeout;
        self
    }

    /// How long a fetch may take in all, redirects included. Default: [`DEFAULT_TOTAL_TIMEOUT`].
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// How large a payload may be, decompressed, in bytes; the same holds for an event of the
    /// stream. Default: [`DEFAULT_MAX_BODY_BYTES`].
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: u64) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// How long dropping the last handle may take. Default: [`DEFAULT_CLOSE_TIMEOUT`].
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }
}

impl fmt::Debug for FetchOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FetchOptions")
            .field("refresh", &self.refresh)
            .finish_non_exhaustive()
    }
}

/// Why a client cannot be started. Nothing here depends on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The client key is empty.
    EmptyClientKey,
    /// The API host is no `http://` or `https://` address.
    ApiHost,
    /// The streaming host is no `http://` or `https://` address.
    StreamingHost,
    /// A header's name or value has characters that no header can have.
    Header,
    /// The proxy is no address of an HTTP proxy.
    Proxy,
    /// What was given as certificates is no PEM text with at least one.
    RootCertificates,
    /// The interval is zero.
    ZeroInterval,
    /// A timeout or the body limit is zero.
    ZeroLimit,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ConfigError::EmptyClientKey => "the client key is empty",
            ConfigError::ApiHost => "the API host must be an http:// or https:// address",
            ConfigError::StreamingHost => {
                "the streaming host must be an http:// or https:// address"
            }
            ConfigError::Header => "a header's name or value is not valid",
            ConfigError::Proxy => "the proxy must be an http:// address",
            ConfigError::RootCertificates => "the root certificates are not PEM text",
            ConfigError::ZeroInterval => "the interval must not be zero",
            ConfigError::ZeroLimit => "timeouts and the body limit must not be zero",
        })
    }
}

impl core::error::Error for ConfigError {}
