//! Options of a feed.

use std::fmt;
use std::time::Duration;

use growthbook_net::ConnectionOptions;

use crate::headers::{HeaderSource, Headers};

/// Default of [`FetchOptions::api_host`]: GrowthBook's own content delivery network.
pub const DEFAULT_API_HOST: &str = "https://cdn.growthbook.io";
/// Default of [`FetchOptions::poll_interval`].
pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest poll interval.
pub const MIN_POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Default of [`FetchOptions::cache_ttl`].
pub const DEFAULT_CACHE_TTL: Duration = Duration::from_secs(60);
/// Default of [`FetchOptions::connect_timeout`].
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of [`FetchOptions::read_timeout`].
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Default of [`FetchOptions::stream_timeout`]. GrowthBook's servers ping every 30 seconds.
pub const DEFAULT_STREAM_TIMEOUT: Duration = Duration::from_secs(70);
/// Default of [`FetchOptions::total_timeout`].
pub const DEFAULT_TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Default of [`FetchOptions::max_body_bytes`].
pub const DEFAULT_MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;
/// Default of [`FetchOptions::close_timeout`].
pub const DEFAULT_CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// When the server is asked for a new payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refresh {
    /// The server sends changes as they happen, if it offers
    /// [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html).
    /// Otherwise, and while the stream is down, it is asked every
    /// [`poll_interval`](FetchOptions::poll_interval).
    #[default]
    Stream,
    /// The server is asked this often, give or take a tenth. An interval shorter than
    /// [`MIN_POLL_INTERVAL`] is raised to it, with a warning in the log.
    Poll(Duration),
    /// The server is asked only when the application refreshes: no thread. For functions as a
    /// service and command lines.
    Manual,
}

/// Options of a feed: what to fetch, from where, and how.
///
/// `Debug` omits the client key, and addresses and headers, which may have passwords.
///
/// Clients on one host and key share their requests. If their time limits or size limits differ,
/// each limit is the most generous of the clients that are there.
#[derive(Clone)]
pub struct FetchOptions {
    pub(crate) client_key: String,
    pub(crate) api_host: String,
    pub(crate) streaming_host: Option<String>,
    pub(crate) api_headers: Headers,
    pub(crate) streaming_headers: Headers,
    pub(crate) connection: ConnectionOptions,
    pub(crate) refresh: Refresh,
    pub(crate) poll_interval: Duration,
    pub(crate) min_poll_interval: Duration,
    pub(crate) has_own_threads: bool,
    pub(crate) cache_ttl: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) stream_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) max_body_bytes: u64,
    pub(crate) close_timeout: Duration,
}

impl FetchOptions {
    /// Options for the payload of this client key (`sdk-...`), all at their defaults.
    pub fn new(client_key: impl Into<String>) -> Self {
        FetchOptions {
            client_key: client_key.into(),
            api_host: DEFAULT_API_HOST.into(),
            streaming_host: None,
            api_headers: Headers::default(),
            streaming_headers: Headers::default(),
            connection: ConnectionOptions::new(),
            refresh: Refresh::default(),
            poll_interval: DEFAULT_POLL_INTERVAL,
            min_poll_interval: MIN_POLL_INTERVAL,
            has_own_threads: false,
            cache_ttl: DEFAULT_CACHE_TTL,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            stream_timeout: DEFAULT_STREAM_TIMEOUT,
            total_timeout: DEFAULT_TOTAL_TIMEOUT,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            close_timeout: DEFAULT_CLOSE_TIMEOUT,
        }
    }

    /// The server that payloads are fetched from: `http://` or `https://`, a host, and perhaps a
    /// path before `/api/features`. User info (`user:password@`) is refused: send it with
    /// [`api_header`](FetchOptions::api_header). Default: [`DEFAULT_API_HOST`].
    #[must_use]
    pub fn api_host(mut self, host: impl Into<String>) -> Self {
        self.api_host = host.into();
        self
    }

    /// The server that changes are streamed from. Default: the API host.
    #[must_use]
    pub fn streaming_host(mut self, host: impl Into<String>) -> Self {
        self.streaming_host = Some(host.into());
        self
    }

    /// Adds a header to requests to the API. It is not sent to another host after a redirect.
    /// Default: none.
    #[must_use]
    pub fn api_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.api_headers.fixed.push((name.into(), value.into()));
        self
    }

    /// Adds a header to requests for the stream. It is not sent to another host after a redirect.
    /// Default: none.
    #[must_use]
    pub fn streaming_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.streaming_headers.fixed.push((name.into(), value.into()));
        self
    }

    /// Calls this function before each request to the API, and sends the headers that it returns. They
    /// replace those of [`api_header`](Self::api_header) with the same names. So an authorization that
    /// expires can be renewed. The function may block for a moment, on the thread that fetches. If it
    /// panics or returns a header that cannot be sent, the request fails with
    /// [`FetchErrorKind::Headers`](crate::FetchErrorKind::Headers). Default: none.
    ///
    /// Clients share requests if their options are clones of one another, with the same function.
    ///
    /// ```
    /// # use growthbook_fetch::FetchOptions;
    /// # fn token() -> String { "t".into() }
    /// let options = FetchOptions::new("sdk-abc123")
    ///     .api_headers_from(|| vec![("authorization".into(), format!("Bearer {}", token()))]);
    /// ```
    #[must_use]
    pub fn api_headers_from(
        mut self,
        headers: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.api_headers.source = Some(HeaderSource::new(headers));
        self
    }

    /// Calls this function before each request for the stream, like
    /// [`api_headers_from`](Self::api_headers_from). An open stream keeps its headers. Default: none.
    #[must_use]
    pub fn streaming_headers_from(
        mut self,
        headers: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.streaming_headers.source = Some(HeaderSource::new(headers));
        self
    }

    /// How connections are made: the proxy, and certificates. Default: directly, with Mozilla's
    /// certificates.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// When the server is asked for a new payload. Default: [`Refresh::Stream`].
    #[must_use]
    pub fn refresh(mut self, refresh: Refresh) -> Self {
        self.refresh = refresh;
        self
    }

    /// How often the server is asked in [`Refresh::Stream`] while there is no stream, give or take a
    /// tenth. An interval shorter than [`MIN_POLL_INTERVAL`] is raised to it, with a warning in the
    /// log. Default: [`DEFAULT_POLL_INTERVAL`].
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Replaces [`MIN_POLL_INTERVAL`] in tests of this workspace, which cannot wait a second for each
    /// poll. It is not a part of the API.
    #[doc(hidden)]
    #[must_use]
    pub fn min_poll_interval_for_tests(mut self, interval: Duration) -> Self {
        self.min_poll_interval = interval;
        self
    }

    /// Lets the source act on threads that it does not share, so that a test can tell its log records
    /// from others. It counts for the first client on this host and key.
    #[doc(hidden)]
    pub fn own_threads_for_tests(mut self) -> Self {
        self.has_own_threads = true;
        self
    }

    /// How long a cached payload counts as fresh. A polling client that starts with a fresh payload
    /// first asks the server when that time is over. An older payload is used as well, and the
    /// server is asked at once. Default: [`DEFAULT_CACHE_TTL`].
    #[must_use]
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = ttl;
        self
    }

    /// The time limit for looking up a name, and again for opening a connection: TCP, the proxy's
    /// reply, and TLS.
    /// Default: [`DEFAULT_CONNECT_TIMEOUT`].
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the server may be silent before and within a reply. On a stream, this holds for the
    /// beginning. Default: [`DEFAULT_READ_TIMEOUT`].
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// How long an open stream may be silent. After that another one is opened, and missed changes
    /// are fetched. It must be longer than the time between two pings of the server, which is 30
    /// seconds. Default: [`DEFAULT_STREAM_TIMEOUT`].
    #[must_use]
    pub fn stream_timeout(mut self, timeout: Duration) -> Self {
        self.stream_timeout = timeout;
        self
    }

    /// The time limit for a whole fetch, with redirects, and for opening a stream. Default: [`DEFAULT_TOTAL_TIMEOUT`].
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The size limit for a payload, decompressed, in bytes. It holds for an event of the stream as
    /// well. Default: [`DEFAULT_MAX_BODY_BYTES`].
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: u64) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// The time limit for dropping the last handle. Default: [`DEFAULT_CLOSE_TIMEOUT`].
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
