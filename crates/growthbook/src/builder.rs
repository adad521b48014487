//! Setting up a client.

use core::num::NonZeroUsize;
#[cfg(feature = "encryption")]
use growthbook_core::DecryptionKey;
use growthbook_core::{
    Attributes, GlobalContext, Payload, PayloadChange, PayloadError, PayloadSource,
    StickyBucketStore,
};
use serde_json::Value;

use crate::client::Client;
use crate::exposures::DEFAULT_EXPOSURE_CACHE_SIZE;
#[cfg(feature = "fetch")]
use crate::network::Network;
use crate::state::{Effects, Live, State};
use crate::sticky_store::LoggedStore;
use crate::tracking::{
    ExperimentViewed, FeatureUsage, OnExperimentViewed, OnFeatureUsage, Tracking, contain,
};

/// Settings of a [`Client`].
///
/// ```
/// use growthbook::ClientBuilder;
/// use serde_json::json;
///
/// let client = ClientBuilder::new()
///     .features(json!({"dark-mode": {"defaultValue": true}}))
///     .attributes(json!({"region": "eu"}))
///     .on_experiment_viewed(|viewed| println!("{} {}", viewed.experiment.key(), viewed.result.key))
///     .build()?;
/// assert!(client.for_user("user-1").is_on("dark-mode"));
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
#[derive(Default)]
pub struct ClientBuilder {
    payload: Source,
    saved_groups: Option<Value>,
    globals: GlobalContext,
    #[cfg(feature = "encryption")]
    decryption_key: Option<DecryptionKey>,
    on_experiment_viewed: Option<OnExperimentViewed>,
    on_feature_usage: Option<OnFeatureUsage>,
    exposure_cache_size: Option<NonZeroUsize>,
    sticky_bucket_store: Option<Box<dyn StickyBucketStore>>,
    on_update: Option<OnUpdate>,
    #[cfg(feature = "fetch")]
    pub(crate) network: Network,
}

/// A callback for changes.
type OnUpdate = Box<dyn Fn(&PayloadChange) + Send + Sync>;

/// Where the definitions come from.
#[derive(Default)]
enum Source {
    #[default]
    Nothing,
    Document(Vec<u8>),
    Features(Value),
}

impl ClientBuilder {
    /// Nothing set: no features, everything enabled.
    pub fn new() -> Self {
        ClientBuilder::default()
    }

    /// The payload: a JSON document as the API sends it. Replaces [`features`](Self::features).
    #[must_use]
    pub fn payload(mut self, document: impl Into<Vec<u8>>) -> Self {
        self.payload = Source::Document(document.into());
        self
    }

    /// The feature definitions by key, without a document around them. Replaces
    /// [`payload`](Self::payload).
    #[must_use]
    pub fn features(mut self, features: Value) -> Self {
        self.payload = Source::Features(features);
        self
    }

    /// The saved groups by id that [`features`](Self::features) refer to. Ignored with a
    /// [`payload`](Self::payload), which has its own.
    #[must_use]
    pub fn saved_groups(mut self, groups: Value) -> Self {
        self.saved_groups = Some(groups);
        self
    }

    /// The key that opens encrypted payloads: `"base64 text".parse()?`.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn decryption_key(mut self, key: DecryptionKey) -> Self {
        self.decryption_key = Some(key);
        self
    }

    /// Everything that holds for every user at once. Replaces what was set of it before.
    #[must_use]
    pub fn globals(self, globals: GlobalContext) -> Self {
        self.global(|_| globals)
    }

    /// Whether experiments run at all. Default: true.
    #[must_use]
    pub fn enabled(self, enabled: bool) -> Self {
        self.global(|globals| globals.enabled(enabled))
    }

    /// Attributes of every user who lacks them.
    #[must_use]
    pub fn attributes(self, attributes: impl Into<Attributes>) -> Self {
        self.global(|globals| globals.attributes(attributes))
    }

    /// The address of every user who has none.
    #[must_use]
    pub fn url(self, url: &str) -> Self {
        self.global(|globals| globals.url(url))
    }

    /// QA mode: users get a variation only where one is forced. Default: false.
    #[must_use]
    pub fn qa_mode(self, qa_mode: bool) -> Self {
        self.global(|globals| globals.qa_mode(qa_mode))
    }

    /// Leaves everybody out of experiments without a forced variation. Default: false.
    #[must_use]
    pub fn skip_all_experiments(self, skip: bool) -> Self {
        self.global(|globals| globals.skip_all_experiments(skip))
    }

    /// Variations forced for everybody, by experiment key and index.
    #[must_use]
    pub fn forced_variations<K: Into<Box<str>>>(
        self,
        variations: impl IntoIterator<Item = (K, i64)>,
    ) -> Self {
        self.global(|globals| globals.forced_variations(variations))
    }

    /// Feature values forced for everybody, by feature key.
    #[must_use]
    pub fn forced_features<K: Into<Box<str>>>(
        self,
        values: impl IntoIterator<Item = (K, Value)>,
    ) -> Self {
        self.global(|globals| globals.forced_features(values))
    }

    fn global(mut self, set: impl FnOnce(GlobalContext) -> GlobalContext) -> Self {
        self.globals = set(self.globals);
        self
    }

    /// Hears when a user takes part in an experiment because of their hash: the moment to track.
    /// Each user, experiment and variation once, as far as
    /// [`exposure_cache_size`](Self::exposure_cache_size) remembers. Called on the evaluating
    /// thread, under no lock: it may call back into the client, and it should only queue.
    #[must_use]
    pub fn on_experiment_viewed(
        mut self,
        callback: impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.on_experiment_viewed = Some(Box::new(callback));
        self
    }

    /// Hears of every evaluated feature, prerequisites first, every time. Not of values forced
    /// in code. Called like [`on_experiment_viewed`](Self::on_experiment_viewed).
    #[must_use]
    pub fn on_feature_usage(
        mut self,
        callback: impl Fn(&FeatureUsage<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.on_feature_usage = Some(Box::new(callback));
        self
    }

    /// How many exposures are remembered, so that they are reported once. Default:
    /// [`DEFAULT_EXPOSURE_CACHE_SIZE`]. From 1,024 on, the memory is in 16 parts, each of which
    /// forgets its own least recently seen.
    #[must_use]
    pub fn exposure_cache_size(mut self, size: NonZeroUsize) -> Self {
        self.exposure_cache_size = Some(size);
        self
    }

    /// Where sticky bucket documents are kept. Default: nowhere, and without sticky bucketing.
    #[must_use]
    pub fn sticky_bucket_store(mut self, store: impl StickyBucketStore + 'static) -> Self {
        self.sticky_bucket_store = Some(Box::new(LoggedStore::new(store)));
        self
    }

    /// Hears when the features in use are not the ones before, with the keys that changed: after
    /// the change, on the thread that made it, under no lock. Not of what a client starts with.
    #[must_use]
    pub fn on_update(mut self, callback: impl Fn(&PayloadChange) + Send + Sync + 'static) -> Self {
        self.on_update = Some(Box::new(callback));
        self
    }

    /// Builds a client that asks no server: it has what it is given. One that has a client key is
    /// [started](Self::start) instead.
    ///
    /// # Errors
    ///
    /// When what was given is no payload, or the key does not open it.
    pub fn build(self) -> Result<Client, PayloadError> {
        #[cfg(feature = "fetch")]
        self.network.warn_unused();
        Ok(Client::embedded(self.build_live(PayloadSource::Application)?))
    }

    pub(crate) fn build_live(self, source: PayloadSource) -> Result<Live, PayloadError> {
        let cache_size = self.exposure_cache_size.unwrap_or(DEFAULT_EXPOSURE_CACHE_SIZE);
        let tracking = Tracking::new(self.on_experiment_viewed, self.on_feature_usage, cache_size);
        let effects = Effects { tracking, sticky_store: self.sticky_bucket_store };
        let mut live = Live::with_data(State::new(self.globals, effects));
        #[cfg(feature = "encryption")]
        if let Some(key) = self.decryption_key {
            live = live.read_with(move |document| Payload::from_encrypted_json(document, &key));
        }
        if let Some(callback) = self.on_update {
            live = live.on_change(move |change| contain("on_update", || callback(change)));
        }
        let payload = match self.payload {
            Source::Nothing => return Ok(live),
            Source::Document(document) => live.read(&document)?,
            Source::Features(features) => {
                Payload::from_parts(&features, self.saved_groups.as_ref())?
            }
        };
        Ok(live.starting_with(payload, source))
    }
}

impl Client {
    /// A client on an embedded payload: no network, no thread.
    ///
    /// # Errors
    ///
    /// When the document is not a payload. A broken rule is not an error but a warning: see
    /// [`warnings`](Client::warnings).
    pub fn from_json(document: impl AsRef<[u8]>) -> Result<Self, PayloadError> {
        ClientBuilder::new().payload(document.as_ref()).build()
    }
}

impl core::fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("globals", &self.globals)
            .finish_non_exhaustive()
    }
}
