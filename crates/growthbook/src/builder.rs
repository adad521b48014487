//! Settings that every client has, whether it asks a server or not.

use core::fmt;
use core::num::NonZeroUsize;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_core::{Attributes, GlobalContext, PayloadChange};
#[cfg(feature = "encryption")]
use growthbook_core::{DecryptionKey, Payload};
use serde_json::Value;

use crate::exposures::DEFAULT_EXPOSURE_CACHE_SIZE;
use crate::state::{Effects, Live, State};
use crate::sticky_store::LoggedStore;
use crate::tracking::{
    ExperimentViewed, FeatureUsage, OnExperimentViewed, OnFeatureUsage, Tracking, contain,
};

/// Settings of a [`Client`](crate::Client).
///
/// `K` is the kind of client: [`Connected`](crate::Connected) to a server, from
/// [`Client::builder`](crate::Client::builder), or [`Embedded`](crate::Embedded), from
/// [`Client::embedded`](crate::Client::embedded). The settings in the first section are for both.
///
/// ```
/// use growthbook::Client;
/// use serde_json::json;
///
/// let client = Client::embedded()
///     .features(json!({"dark-mode": {"defaultValue": true}}))
///     .attributes(json!({"region": "eu"}))
///     .on_experiment_viewed(|viewed| println!("{} {}", viewed.experiment.key(), viewed.result.key))
///     .build()?;
/// assert!(client.for_user("user-1").is_on("dark-mode"));
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
pub struct ClientBuilder<K> {
    pub(crate) kind: K,
    globals: GlobalContext,
    #[cfg(feature = "encryption")]
    decryption_key: Option<DecryptionKey>,
    on_experiment_viewed: Option<OnExperimentViewed>,
    on_feature_usage: Option<OnFeatureUsage>,
    exposure_cache_size: NonZeroUsize,
    sticky_bucket_store: Option<Box<dyn StickyBucketStore>>,
    on_update: Option<OnUpdate>,
}

/// A callback for changes.
type OnUpdate = Box<dyn Fn(&PayloadChange) + Send + Sync>;

/// Settings of every client.
impl<K> ClientBuilder<K> {
    /// The key that opens encrypted payloads: `"base64 text".parse()?`.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn decryption_key(mut self, key: DecryptionKey) -> Self {
        self.decryption_key = Some(key);
        self
    }

    /// Sets everything that holds for every user at once. Replaces earlier settings of it.
    #[must_use]
    pub fn globals(self, globals: GlobalContext) -> Self {
        self.global(|_| globals)
    }

    /// Whether experiments run. Default: true.
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

    /// Leaves every user out of experiments without a forced variation. Default: false.
    #[must_use]
    pub fn skip_all_experiments(self, skip: bool) -> Self {
        self.global(|globals| globals.skip_all_experiments(skip))
    }

    /// Variations forced for every user, by experiment key and index.
    #[must_use]
    pub fn forced_variations<N: Into<Box<str>>>(
        self,
        variations: impl IntoIterator<Item = (N, i64)>,
    ) -> Self {
        self.global(|globals| globals.forced_variations(variations))
    }

    /// Feature values forced for every user, by feature key.
    #[must_use]
    pub fn forced_features<N: Into<Box<str>>>(
        self,
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Self {
        self.global(|globals| globals.forced_features(values))
    }

    /// Calls this function when a user takes part in an experiment because of their hash: the
    /// moment to track. Each user, experiment and variation is reported once, as far as
    /// [`exposure_cache_size`](Self::exposure_cache_size) remembers.
    ///
    /// It is called on the evaluating thread, under no lock: it may call back into the client, and
    /// it should only queue.
    #[must_use]
    pub fn on_experiment_viewed(
        mut self,
        callback: impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.on_experiment_viewed = Some(Box::new(callback));
        self
    }

    /// Calls this function for every evaluated feature, prerequisites first, every time, but not
    /// for values forced in code. It is called like
    /// [`on_experiment_viewed`](Self::on_experiment_viewed).
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
        self.exposure_cache_size = size;
        self
    }

    /// The store of sticky bucket documents. Default: none, and no sticky bucketing.
    #[must_use]
    pub fn sticky_bucket_store(mut self, store: impl StickyBucketStore + 'static) -> Self {
        self.sticky_bucket_store = Some(Box::new(LoggedStore::new(store)));
        self
    }

    /// Calls this function after features or saved groups have changed, with the keys that
    /// changed: on the thread that made the change, under no lock. It is not called for the
    /// payload that a client starts with.
    #[must_use]
    pub fn on_update(mut self, callback: impl Fn(&PayloadChange) + Send + Sync + 'static) -> Self {
        self.on_update = Some(Box::new(callback));
        self
    }

    fn global(mut self, set: impl FnOnce(GlobalContext) -> GlobalContext) -> Self {
        self.globals = set(self.globals);
        self
    }
}

impl<K> ClientBuilder<K> {
    pub(crate) fn new(kind: K) -> Self {
        ClientBuilder {
            kind,
            globals: GlobalContext::default(),
            #[cfg(feature = "encryption")]
            decryption_key: None,
            on_experiment_viewed: None,
            on_feature_usage: None,
            exposure_cache_size: DEFAULT_EXPOSURE_CACHE_SIZE,
            sticky_bucket_store: None,
            on_update: None,
        }
    }

    /// Applies the settings to a client without a payload, and returns the settings of its kind.
    pub(crate) fn into_live(self) -> (K, Live) {
        let tracking = Tracking::new(
            self.on_experiment_viewed,
            self.on_feature_usage,
            self.exposure_cache_size,
        );
        let effects = Effects { tracking, sticky_store: self.sticky_bucket_store };
        let mut live = Live::with_data(State::new(self.globals, effects));
        #[cfg(feature = "encryption")]
        if let Some(key) = self.decryption_key {
            live = live.read_with(move |document| Payload::from_encrypted_json(document, &key));
        }
        if let Some(callback) = self.on_update {
            live = live.on_change(move |change| contain("on_update", || callback(change)));
        }
        (self.kind, live)
    }
}

impl<K> fmt::Debug for ClientBuilder<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("globals", &self.globals)
            .finish_non_exhaustive()
    }
}
