//! Setting up a client that lets a server evaluate.

use growthbook_core::PayloadSource;
use growthbook_fetch::{FetchError, FetchOptions, PayloadSink, RemoteFeed, RemoteOptions};

use super::RemoteClient;
use crate::builder::ClientBuilder;
use crate::callbacks::on_fetch_failed;
use crate::client::Client;
use crate::connected::StartError;

/// The kind of client that lets a server evaluate for each user.
pub struct Remote {
    client_key: String,
    options: RemoteOptions,
    fallback: Option<Vec<u8>>,
}

impl Client {
    /// Sets up a client for a process that must not have the rules, or has no room for them. It
    /// posts each user's attributes to a GrowthBook Proxy, or to a server of yours that calls
    /// [`Client::remote_eval`], and receives values. The page
    /// [`remote_evaluation`](crate::guide::remote_evaluation) has more.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use growthbook::{Client, UserContext};
    ///
    /// let remote = Client::remote_builder("sdk-abc123")
    ///     .api_host("https://growthbook-proxy.example.com")
    ///     .fallback(r#"{"features": {"new-checkout": {"defaultValue": false}}}"#)
    ///     .start()?;
    /// let user = UserContext::new("user-123").attribute("country", "US");
    /// let gb = remote.wait_for_user(user, Duration::from_millis(300)).scope;
    /// if gb.is_on("new-checkout") {
    ///     // ...
    /// }
    /// # Ok::<(), growthbook::StartError>(())
    /// ```
    pub fn remote_builder(client_key: impl Into<String>) -> ClientBuilder<Remote> {
        let client_key = client_key.into();
        let options = RemoteOptions::new(client_key.clone());
        ClientBuilder::new(Remote { client_key, options, fallback: None })
    }
}

/// Settings of a client that lets a server evaluate.
impl ClientBuilder<Remote> {
    /// Sets how answers are kept and asked for. [`RemoteOptions`] documents all options.
    ///
    /// ```
    /// use std::time::Duration;
    /// use growthbook::Client;
    ///
    /// let remote = Client::remote_builder("sdk-abc123")
    ///     .api_host("https://growthbook-proxy.example.com")
    ///     .remote_options(|options| {
    ///         options.key_attributes(["id", "plan"]).soft_ttl(Duration::from_secs(10))
    ///     })
    ///     .start()?;
    /// # Ok::<(), growthbook::StartError>(())
    /// ```
    #[must_use]
    pub fn remote_options(mut self, set: impl FnOnce(RemoteOptions) -> RemoteOptions) -> Self {
        self.kind.options = set(self.kind.options);
        self
    }

    /// Short for [`RemoteOptions::fetch`]: hosts, headers, time limits, a proxy, certificates.
    #[must_use]
    pub fn fetch_options(self, set: impl FnOnce(FetchOptions) -> FetchOptions) -> Self {
        self.remote_options(|options| options.fetch(set))
    }

    /// The server that evaluates. It must be set, since the default of other clients does not
    /// evaluate. Short for [`FetchOptions::api_host`].
    #[must_use]
    pub fn api_host(self, host: impl Into<String>) -> Self {
        self.fetch_options(|options| options.api_host(host))
    }

    /// The payload for users without an answer: a JSON document. It is evaluated here. Default: none,
    /// and every feature is unknown.
    #[must_use]
    pub fn fallback(mut self, document: impl Into<Vec<u8>>) -> Self {
        self.kind.fallback = Some(document.into());
        self
    }

    /// Calls this function when a request fails, with the cause. It is called on the thread that
    /// sends requests, under no lock.
    #[must_use]
    pub fn on_request_failed(self, callback: impl Fn(&FetchError) + Send + Sync + 'static) -> Self {
        self.plugin(on_fetch_failed(callback))
    }

    /// Starts the client. Nothing is sent before a user is asked for.
    ///
    /// # Errors
    ///
    /// When a setting does not go together with remote evaluation: a decryption key, a sticky bucket
    /// store, or a host of GrowthBook's own (`*.growthbook.io`). When an option is invalid, or the
    /// fallback is not a payload.
    pub fn start(self) -> Result<RemoteClient, StartError> {
        if self.has_decryption_key() {
            return Err(StartError::DecryptionKey);
        }
        if self.has_sticky_bucket_store() {
            return Err(StartError::StickyBucketStore);
        }
        let client_key = self.kind.client_key.clone();
        let (kind, mut live, plugins) = self.into_live(Some(client_key));
        if let Some(document) = kind.fallback {
            let fallback = live.read(&document).map_err(StartError::Fallback)?;
            live = live.starting_with(fallback, PayloadSource::Fallback);
        }
        let client = Client::without_server(live, plugins);
        let notified = client.shared_live().clone();
        let feed = RemoteFeed::new(kind.options, move |error| notified.refresh_failed(error));
        Ok(RemoteClient::new(client, feed.map_err(StartError::Config)?))
    }
}
