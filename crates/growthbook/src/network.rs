//! Setting up a client that asks a server.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use growthbook_core::{PayloadCache, PayloadError, PayloadSource};
use growthbook_fetch::{FetchOptions, MemoryCache, Refresh};

use crate::builder::ClientBuilder;
use crate::client::Client;
use crate::connection::Connection;

/// What a client asks its server, and what it keeps.
pub(crate) struct Network {
    options: FetchOptions,
    cache: Option<Arc<dyn PayloadCache>>,
}

impl Default for Network {
    fn default() -> Self {
        Network { options: FetchOptions::new(""), cache: None }
    }
}

impl Network {
    /// What is not used says so, lest somebody wonders for ever why nothing changes.
    pub(crate) fn warn_unused(&self) {
        if self.options.has_client_key() {
            log::warn!(
                target: crate::LOG_TARGET,
                "a client with a client key was built, not started: it asks no server",
            );
        }
    }
}

impl Client {
    /// Sets up a client that fetches the payload of this client key (`sdk-...`) and keeps it
    /// fresh.
    ///
    /// ```
    /// use std::time::Duration;
    /// use growthbook::Client;
    ///
    /// let client = Client::builder("sdk-abc123")
    ///     .api_host("https://growthbook.example.com")
    ///     .fallback(r#"{"features": {"new-checkout": {"defaultValue": false}}}"#)
    ///     .on_update(|change| println!("changed: {:?}", change.features))
    ///     .start()?;
    /// // There is an answer at once, and there will be a better one.
    /// assert!(client.for_user("user-123").is_off("new-checkout"));
    /// # Ok::<(), growthbook::StartError>(())
    /// ```
    pub fn builder(client_key: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new().fetch(|_| FetchOptions::new(client_key))
    }
}

/// Options of a client that asks a server: one that is [started](ClientBuilder::start).
impl ClientBuilder {
    /// Where payloads are fetched from: `http://` or `https://`, a host, and a path before
    /// `/api/features` if there is one. Default: [`DEFAULT_API_HOST`](crate::DEFAULT_API_HOST).
    #[must_use]
    pub fn api_host(self, host: impl Into<String>) -> Self {
        self.fetch(|options| options.api_host(host))
    }

    /// Where changes are streamed from. Default: the API host.
    #[must_use]
    pub fn streaming_host(self, host: impl Into<String>) -> Self {
        self.fetch(|options| options.streaming_host(host))
    }

    /// Adds a header to requests to the API. Not sent to another host, should the API redirect
    /// there. Default: none.
    #[must_use]
    pub fn api_header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fetch(|options| options.api_header(name, value))
    }

    /// Adds a header to requests for the stream. Not sent to another host, should the server
    /// redirect there. Default: none.
    #[must_use]
    pub fn streaming_header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fetch(|options| options.streaming_header(name, value))
    }

    /// When the server is asked. Default: [`Refresh::Stream`].
    #[must_use]
    pub fn refresh(self, refresh: Refresh) -> Self {
        self.fetch(|options| options.refresh(refresh))
    }

    /// How often the server is asked in [`Refresh::Stream`] while there is no stream, give or take
    /// a tenth. Default: [`DEFAULT_POLL_INTERVAL`](crate::DEFAULT_POLL_INTERVAL).
    #[must_use]
    pub fn poll_interval(self, interval: Duration) -> Self {
        self.fetch(|options| options.poll_interval(interval))
    }

    /// The payload used until there is one from a cache or the network: a JSON document. Nothing
    /// older than it replaces it. The same as [`payload`](Self::payload). Default: none, and
    /// every feature is unknown until then.
    #[must_use]
    pub fn fallback(self, document: impl Into<Vec<u8>>) -> Self {
        self.payload(document)
    }

    /// Where payloads are kept, for the next start, by host and client key. Default:
    /// [`MemoryCache::shared`], for the next client of this process. Clients whose payloads differ
    /// by the headers they send need caches of their own.
    #[must_use]
    pub fn cache(mut self, cache: impl PayloadCache + 'static) -> Self {
        self.network.cache = Some(Arc::new(cache));
        self
    }

    /// For how long a payload from the cache counts as fresh: until then a polling client that
    /// starts with it does not ask the server. An older one is used all the same, and the server
    /// asked at once. Default: [`DEFAULT_CACHE_TTL`](crate::DEFAULT_CACHE_TTL).
    #[must_use]
    pub fn cache_ttl(self, ttl: Duration) -> Self {
        self.fetch(|options| options.cache_ttl(ttl))
    }

    /// How long looking up a name may take, and again opening a connection: TCP, proxy and TLS.
    /// Default:
    /// [`DEFAULT_CONNECT_TIMEOUT`](crate::DEFAULT_CONNECT_TIMEOUT).
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.fetch(|options| options.connect_timeout(timeout))
    }

    /// How long the server may be silent while its reply is awaited or read; on a stream, this
    /// holds for its beginning. Default: [`DEFAULT_READ_TIMEOUT`](crate::DEFAULT_READ_TIMEOUT).
    #[must_use]
    pub fn read_timeout(self, timeout: Duration) -> Self {
        self.fetch(|options| options.read_timeout(timeout))
    }

    /// How long an open stream may be silent. One that is silent for longer counts as dead: another
    /// is opened, and what was missed is fetched. It has to be longer than the time between two
    /// pings of the server, which is 30 seconds. Default:
    /// [`DEFAULT_STREAM_TIMEOUT`](crate::DEFAULT_STREAM_TIMEOUT).
    #[must_use]
    pub fn stream_timeout(self, timeout: Duration) -> Self {
        self.fetch(|options| options.stream_timeout(timeout))
    }

    /// How long a fetch may take in all, redirects included. Default:
    /// [`DEFAULT_TOTAL_TIMEOUT`](crate::DEFAULT_TOTAL_TIMEOUT).
    #[must_use]
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.fetch(|options| options.total_timeout(timeout))
    }

    /// How large a payload may be, decompressed, in bytes; the same holds for an event of the
    /// stream. Default: [`DEFAULT_MAX_BODY_BYTES`](crate::DEFAULT_MAX_BODY_BYTES).
    #[must_use]
    pub fn max_body_bytes(self, bytes: u64) -> Self {
        self.fetch(|options| options.max_body_bytes(bytes))
    }

    /// Connects through an HTTP proxy: `http://user:password@host:port`. Default: none; the
    /// environment is not looked at.
    #[must_use]
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.fetch(|options| options.proxy(url))
    }

    /// Connects through the HTTP proxy that `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY` names, the
    /// first of them that is set, but for the hosts in `NO_PROXY`. Default: no.
    #[must_use]
    pub fn proxy_from_environment(self) -> Self {
        self.fetch(FetchOptions::proxy_from_environment)
    }

    /// Trusts the certificates in this PEM text, beside Mozilla's. Default: Mozilla's alone.
    #[must_use]
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        self.fetch(|options| options.root_certificates(pem))
    }

    /// How long dropping the last handle may take. Default:
    /// [`DEFAULT_CLOSE_TIMEOUT`](crate::DEFAULT_CLOSE_TIMEOUT).
    #[must_use]
    pub fn close_timeout(self, timeout: Duration) -> Self {
        self.fetch(|options| options.close_timeout(timeout))
    }

    /// Starts a client that asks a server. Waits for the cache, never for the server, and does not
    /// fail because it is down: see [`Client::wait_ready`] and [`Client::status`].
    ///
    /// Clients of one process on one host and key share one fetch and one stream, if they also
    /// send the same headers through the same proxy. The time limits are those of the first.
    ///
    /// # Errors
    ///
    /// When the options cannot work, the fallback is no payload, or the system gives no thread.
    pub fn start(mut self) -> Result<Client, StartError> {
        let network = core::mem::take(&mut self.network);
        let cache = network.cache.unwrap_or_else(|| Arc::new(MemoryCache::shared()));
        let live = Arc::new(self.build_live(PayloadSource::Fallback)?);
        let connection = Connection::start(network.options, cache, live.clone())?;
        Ok(Client::connected(live, connection))
    }

    fn fetch(mut self, set: impl FnOnce(FetchOptions) -> FetchOptions) -> Self {
        self.network.options = set(self.network.options);
        self
    }
}

/// Why a client could not be started. Nothing here depends on the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The options cannot work.
    Config(growthbook_fetch::ConfigError),
    /// The fallback is no payload.
    Fallback(PayloadError),
    /// The system gives no thread.
    Thread(std::io::Error),
}

impl From<PayloadError> for StartError {
    fn from(error: PayloadError) -> Self {
        StartError::Fallback(error)
    }
}

impl From<growthbook_fetch::StartError> for StartError {
    fn from(error: growthbook_fetch::StartError) -> Self {
        match error {
            growthbook_fetch::StartError::Config(error) => StartError::Config(error),
            growthbook_fetch::StartError::Thread(error) => StartError::Thread(error),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            StartError::Config(_) => "the client's options cannot work",
            StartError::Fallback(_) => "the fallback cannot be used",
            StartError::Thread(_) => "no thread could be started",
        })
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(match self {
            StartError::Config(error) => error,
            StartError::Fallback(error) => error,
            StartError::Thread(error) => error,
        })
    }
}
