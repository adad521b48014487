//! Setting up a client that asks a server.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use growthbook_core::cache::PayloadCache;
use growthbook_core::{PayloadError, PayloadSource};
use growthbook_fetch::{FetchError, FetchOptions, MemoryCache, Refresh};

use crate::builder::ClientBuilder;
use crate::callbacks::on_fetch_failed;
use crate::client::Client;
use crate::connection::Connection;

/// The kind of client that asks a server for its payload, and keeps it fresh.
pub struct Connected {
    client_key: String,
    options: FetchOptions,
    fallback: Option<Vec<u8>>,
    cache: Option<Arc<dyn PayloadCache>>,
}

impl Client {
    /// Sets up a client that fetches the payload of this client key (`sdk-...`) and keeps it
    /// fresh.
    ///
    /// ```
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
    pub fn builder(client_key: impl Into<String>) -> ClientBuilder<Connected> {
        let client_key = client_key.into();
        let options = FetchOptions::new(client_key.clone());
        ClientBuilder::new(Connected { client_key, options, fallback: None, cache: None })
    }
}

/// Settings of a client that asks a server.
impl ClientBuilder<Connected> {
    /// Sets options of the requests: hosts, headers, intervals, time limits, a proxy,
    /// certificates. [`FetchOptions`] documents all of them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use growthbook::Client;
    /// use growthbook::fetch::ConnectionOptions;
    ///
    /// let connection = ConnectionOptions::new().proxy("http://proxy.example.com:3128");
    /// let client = Client::builder("sdk-abc123")
    ///     .fetch_options(|options| {
    ///         options.read_timeout(Duration::from_secs(3)).connection(connection)
    ///     })
    ///     .start()?;
    /// # Ok::<(), growthbook::StartError>(())
    /// ```
    #[must_use]
    pub fn fetch_options(mut self, set: impl FnOnce(FetchOptions) -> FetchOptions) -> Self {
        self.kind.options = set(self.kind.options);
        self
    }

    /// Short for [`FetchOptions::api_host`].
    #[must_use]
    pub fn api_host(self, host: impl Into<String>) -> Self {
        self.fetch_options(|options| options.api_host(host))
    }

    /// Short for [`FetchOptions::refresh`].
    #[must_use]
    pub fn refresh(self, refresh: Refresh) -> Self {
        self.fetch_options(|options| options.refresh(refresh))
    }

    /// Short for [`FetchOptions::poll_interval`].
    #[must_use]
    pub fn poll_interval(self, interval: Duration) -> Self {
        self.fetch_options(|options| options.poll_interval(interval))
    }

    /// The payload used until there is one from a cache or the network: a JSON document. A payload
    /// that is older does not replace it, unless the fallback is dated in the future. Default: none,
    /// and every feature is unknown until then.
    #[must_use]
    pub fn fallback(mut self, document: impl Into<Vec<u8>>) -> Self {
        self.kind.fallback = Some(document.into());
        self
    }

    /// Where payloads are kept for the next start, by host and client key. Default:
    /// [`MemoryCache::shared`], for the next client of this process. Clients whose payloads differ
    /// by the headers they send need caches of their own.
    #[must_use]
    pub fn cache(mut self, cache: impl PayloadCache + 'static) -> Self {
        self.kind.cache = Some(Arc::new(cache));
        self
    }

    /// Calls this function when a refresh fails, with the cause. It is called on the thread that
    /// refreshes, under no lock. Clients that share a source are all notified.
    #[must_use]
    pub fn on_refresh_failed(self, callback: impl Fn(&FetchError) + Send + Sync + 'static) -> Self {
        self.plugin(on_fetch_failed(callback))
    }

    /// Starts the client. Waits for the cache, never for the server, and does not fail because the
    /// server is down: see [`Client::wait_ready`] and [`Client::status`].
    ///
    /// Clients of one process on one host and key share one fetch and one stream, if they also
    /// send the same headers through the same proxy. Each limit of time and size is the most generous
    /// of the clients that are there.
    ///
    /// # Errors
    ///
    /// When an option is invalid, the fallback is not a payload, or the system refuses a thread.
    pub fn start(self) -> Result<Client, StartError> {
        let client_key = self.kind.client_key.clone();
        let (kind, mut live, plugins) = self.into_live(Some(client_key));
        if let Some(document) = kind.fallback {
            let fallback = live.read(&document).map_err(StartError::Fallback)?;
            live = live.starting_with(fallback, PayloadSource::Fallback);
        }
        let live = Arc::new(live);
        let cache = kind.cache.unwrap_or_else(|| Arc::new(MemoryCache::shared()));
        let connection = Connection::start(kind.options, cache, live.clone())?;
        Ok(Client::with_server(live, connection, plugins))
    }
}

/// Why a client could not be started. It never fails because of the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An option is invalid.
    Config(growthbook_fetch::ConfigError),
    /// The fallback is not a payload.
    Fallback(PayloadError),
    /// The system did not start a thread.
    Thread(std::io::Error),
    /// A client for remote evaluation has a decryption key.
    DecryptionKey,
    /// A client for remote evaluation has a sticky bucket store.
    StickyBucketStore,
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
        match self {
            StartError::Config(error) => write!(formatter, "the client cannot start: {error}"),
            StartError::Fallback(error) => {
                write!(formatter, "the client cannot start, the fallback is unusable: {error}")
            }
            StartError::Thread(error) => {
                write!(
                    formatter,
                    "the client cannot start, the system refused a thread ({error}): raise its limit \
                     of threads or memory"
                )
            }
            StartError::DecryptionKey => formatter.write_str(
                "the client cannot start, it has a decryption key, but a server that evaluates for \
                 users sends no encrypted answers: remove the key",
            ),
            StartError::StickyBucketStore => formatter.write_str(
                "the client cannot start, it has a sticky bucket store, but the server that evaluates \
                 for users assigns variations: remove the store, and give one to the server",
            ),
        }
    }
}

/// The text has the error of the variant, so that the source is that error's own source.
impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            StartError::Config(error) => error.source(),
            StartError::Fallback(error) => error.source(),
            StartError::Thread(error) => error.source(),
            StartError::DecryptionKey | StartError::StickyBucketStore => None,
        }
    }
}
