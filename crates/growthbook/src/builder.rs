//! Settings that every client has, whether it asks a server or not.

use core::fmt;
use std::sync::Arc;

use growthbook_core::cache::UnixMillis;
use growthbook_core::event::{CustomEvent, ExperimentViewed, FeatureUsage};
use growthbook_core::plugin::Plugin;
use growthbook_core::sticky::StickyBucketStore;
use growthbook_core::{Attributes, GlobalContext, PayloadChange};
#[cfg(feature = "encryption")]
use growthbook_core::{DecryptionKey, Payload};
use serde_json::Value;

use crate::callbacks::{event_logger, on_experiment_viewed, on_feature_usage, on_update};
use crate::counts::{CountEvents, EventCounters};
use crate::listeners::{Registry, StopOnDrop};
use crate::logged_flags::LoggedFlags;
use crate::seen::{ExposureDeduplication, Exposures, Identities, UsageDeduplication};
use crate::state::{Clock, Effects, Live, Results, State};
use crate::sticky_store::LoggedStore;

/// Settings of a [`Client`](crate::Client).
///
/// `K` is the kind of client: [`Connected`](crate::Connected) to a server, from
/// [`Client::builder`](crate::Client::builder); [`Embedded`](crate::Embedded), from
/// [`Client::embedded`](crate::Client::embedded); or [`Remote`](crate::Remote), from
/// [`Client::remote_builder`](crate::Client::remote_builder). The settings in the first section are
/// for all of them.
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
    plugins: Vec<Box<dyn Plugin>>,
    exposures: ExposureDeduplication,
    usage: UsageDeduplication,
    event_counters: Option<Arc<EventCounters>>,
    clock: Option<Clock>,
    sticky_bucket_store: Option<Box<dyn StickyBucketStore>>,
}

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

    /// Adds a plugin, which receives events. It is started when the client is built, and stopped
    /// when the last handle is dropped, within
    /// [`DEFAULT_PLUGIN_STOP_TIMEOUT`](crate::tracking::DEFAULT_PLUGIN_STOP_TIMEOUT).
    ///
    /// It is called on the evaluating thread, under no lock: it may call back into the client, and
    /// it should only queue. A panic of it is logged once.
    #[must_use]
    pub fn plugin(mut self, plugin: impl Plugin + 'static) -> Self {
        self.plugins.push(Box::new(plugin));
        self
    }

    /// Calls this function when a user takes part in an experiment because of their hash: the
    /// moment to track. Each exposure is reported once, see
    /// [`deduplicate_exposures`](Self::deduplicate_exposures).
    ///
    /// A callback is a [`plugin`](Self::plugin) that is a function. There can be several.
    #[must_use]
    pub fn on_experiment_viewed(
        self,
        callback: impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.plugin(on_experiment_viewed(callback))
    }

    /// Calls this function for every evaluated feature, prerequisites first, but not for values
    /// forced in code. See [`deduplicate_feature_usage`](Self::deduplicate_feature_usage).
    #[must_use]
    pub fn on_feature_usage(
        self,
        callback: impl Fn(&FeatureUsage<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.plugin(on_feature_usage(callback))
    }

    /// Calls this function for all events: exposures as `Experiment Viewed`, evaluated features as
    /// `Feature Evaluated`, and what [`log_event`](crate::UserScope::log_event) logs. Names and
    /// properties are those of the JavaScript SDK's event logger.
    #[must_use]
    pub fn event_logger(self, callback: impl Fn(&CustomEvent<'_>) + Send + Sync + 'static) -> Self {
        self.plugin(event_logger(callback))
    }

    /// Which exposures are reported. Default: each one once, as far as the client remembers the
    /// last [`DEFAULT_EXPOSURE_CACHE_SIZE`](crate::tracking::DEFAULT_EXPOSURE_CACHE_SIZE). From
    /// 1,024 on, the memory is in 16 parts, each of which forgets its own least recently seen.
    ///
    /// Plugins of a scope receive each exposure once per scope.
    #[must_use]
    pub fn deduplicate_exposures(mut self, policy: ExposureDeduplication) -> Self {
        self.exposures = policy;
        self
    }

    /// Which feature usage is reported. Default: every evaluation.
    #[must_use]
    pub fn deduplicate_feature_usage(mut self, policy: UsageDeduplication) -> Self {
        self.usage = policy;
        self
    }

    /// Counts events: evaluations by source, exposures and logged events. [`Client::event_counts`]
    /// returns the counts, and so does `Client::status`. Default: no, because counting is work for
    /// each evaluation.
    ///
    /// An event that a policy for repetitions drops is not counted.
    ///
    /// [`Client::event_counts`]: crate::Client::event_counts
    #[must_use]
    pub fn count_events(mut self) -> Self {
        if self.event_counters.is_some() {
            return self;
        }
        let counters = Arc::<EventCounters>::default();
        self.event_counters = Some(counters.clone());
        self.plugin(CountEvents(counters))
    }

    /// The clock of events, in milliseconds since 1970. Default: the system's. On
    /// `wasm32-unknown-unknown`, which has no clock, the default is always 0.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> UnixMillis + Send + Sync + 'static) -> Self {
        self.clock = Some(Box::new(clock));
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
    pub fn on_update(self, callback: impl Fn(&PayloadChange) + Send + Sync + 'static) -> Self {
        self.plugin(on_update(callback))
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
            plugins: Vec::new(),
            exposures: ExposureDeduplication::default(),
            usage: UsageDeduplication::default(),
            event_counters: None,
            clock: None,
            sticky_bucket_store: None,
        }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn has_decryption_key(&self) -> bool {
        #[cfg(feature = "encryption")]
        return self.decryption_key.is_some();
        #[cfg(not(feature = "encryption"))]
        return false;
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn has_sticky_bucket_store(&self) -> bool {
        self.sticky_bucket_store.is_some()
    }

    /// Applies the settings to a client without a payload, and returns the settings of its kind.
    pub(crate) fn into_live(self, client_key: Option<String>) -> (K, Live, StopOnDrop) {
        let registry = Arc::new(Registry::new(client_key));
        for plugin in self.plugins {
            registry.start(plugin);
        }
        let effects = Effects {
            identities: Identities::default(),
            exposures: Exposures::new(self.exposures),
            usage_deduplication: self.usage,
            event_counters: self.event_counters,
            clock: self.clock,
            sticky_store: self.sticky_bucket_store,
            results: Results::default(),
            logged_flags: LoggedFlags::default(),
        };
        let mut live = Live::with_data(State::new(self.globals, registry.listeners(), effects));
        #[cfg(feature = "encryption")]
        if let Some(key) = self.decryption_key {
            live = live.read_with(move |document| Payload::from_encrypted_json(document, &key));
        }
        let notified = registry.clone();
        live = live.on_change(move |change| {
            notified.listeners().notify_all(|plugin| plugin.payload_changed(change));
        });
        let notified = registry.clone();
        live = live.on_failure(move |cause| {
            notified.listeners().notify_all(|plugin| plugin.refresh_failed(cause));
        });
        (self.kind, live, StopOnDrop(registry))
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
