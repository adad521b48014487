//! The events of a user scope: its own plugins, its record, and logged events.

use core::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use growthbook_core::event::{CustomEvent, ExperimentViewed, ExperimentViewedRecord, FeatureUsage};
use growthbook_core::plugin::{Plugin, PluginOwner};
use serde_json::{Map, Value};

use crate::callbacks::{on_experiment_viewed, on_feature_usage};
use crate::deferred::DeferredCalls;
use crate::listeners::Listener;
use crate::observer::ScopeObserver;
use crate::scope::UserScope;

/// Events of this user.
///
/// ```
/// use growthbook::{Client, UserContext};
/// use serde_json::json;
///
/// let client = Client::embedded()
///     .features(json!({"checkout": {"rules": [
///         {"key": "checkout-test", "variations": ["old", "new"], "weights": [0, 1]}
///     ]}}))
///     .event_logger(|event| println!("{} {:?}", event.name, event.user.id()))
///     .build()?;
/// let gb = client.for_user(UserContext::new("user-1")).recording();
/// gb.is_on("checkout");
/// gb.log_event("Purchase", [("price", json!(9.5)), ("currency", json!("EUR"))]);
///
/// assert_eq!(gb.exposures()[0].experiment.key(), "checkout-test");
/// assert_eq!(gb.tracing_tags(), ["gb.exp:checkout-test=1"]);
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
impl UserScope<'_> {
    /// Adds a plugin that receives the events of this scope only, beside the client's plugins. It
    /// receives each exposure once. It is stopped when the scope and all scopes that were made from
    /// it are dropped, within
    /// [`DEFAULT_PLUGIN_STOP_TIMEOUT`](crate::tracking::DEFAULT_PLUGIN_STOP_TIMEOUT).
    #[must_use]
    pub fn with_plugin(mut self, plugin: impl Plugin + 'static) -> Self {
        let listener = Listener::start(Box::new(plugin), &PluginOwner::new());
        self.events_mut().listeners.add(listener);
        self
    }

    /// Calls this function for the exposures of this scope, see
    /// [`with_plugin`](UserScope::with_plugin).
    #[must_use]
    pub fn on_experiment_viewed(
        self,
        callback: impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.with_plugin(on_experiment_viewed(callback))
    }

    /// Calls this function for the feature usage of this scope, see
    /// [`with_plugin`](UserScope::with_plugin).
    #[must_use]
    pub fn on_feature_usage(
        self,
        callback: impl Fn(&FeatureUsage<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.with_plugin(on_feature_usage(callback))
    }

    /// Adds data of the application, such as the id of a request. Plugins get it from
    /// [`EventUser::extra`](crate::tracking::EventUser::extra). Replaces earlier data.
    #[must_use]
    pub fn with_extra(mut self, extra: impl Any + Send + Sync) -> Self {
        self.events_mut().extra = Some(Arc::new(extra));
        self
    }

    /// Records the exposures and results of this scope, for [`exposures`](UserScope::exposures),
    /// [`take_deferred_calls`](UserScope::take_deferred_calls),
    /// [`tracing_tags`](UserScope::tracing_tags) and [`all_results`](UserScope::all_results).
    /// Without it, these are empty. A record has up to
    /// [`MAX_RECORDED_EVENTS`](crate::tracking::MAX_RECORDED_EVENTS) exposures.
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.events_mut().is_recording = true;
        self
    }

    /// [Records](UserScope::recording) the exposures of this scope, and does not report them to the
    /// client's plugins. Report them later with
    /// [`Client::fire_deferred_calls`](crate::Client::fire_deferred_calls), or let a browser do so.
    ///
    /// ```
    /// use growthbook::Client;
    /// use serde_json::json;
    ///
    /// let client = Client::embedded()
    ///     .features(json!({"checkout": {"rules": [
    ///         {"key": "checkout-test", "variations": ["old", "new"]}
    ///     ]}}))
    ///     .on_experiment_viewed(|viewed| println!("{}", viewed.experiment.key()))
    ///     .build()?;
    /// let gb = client.for_user("user-1").deferring_exposures();
    /// gb.is_on("checkout"); // prints nothing
    /// client.fire_deferred_calls(&gb.take_deferred_calls()); // prints "checkout-test"
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    #[must_use]
    pub fn deferring_exposures(mut self) -> Self {
        self.events_mut().defers_exposures = true;
        self.recording()
    }

    /// Returns the exposures that were recorded, each once, in their order.
    pub fn exposures(&self) -> Vec<ExperimentViewedRecord> {
        self.events().map(|events| events.exposures()).unwrap_or_default()
    }

    /// Returns the recorded exposures that no earlier call has returned, for another process that
    /// reports them, such as a browser.
    pub fn take_deferred_calls(&self) -> DeferredCalls {
        self.events().into_iter().flat_map(|events| events.take_exposures()).collect()
    }

    /// Returns the last recorded result of each experiment, for users who take part and for
    /// excluded ones.
    pub fn all_results(&self) -> Vec<ExperimentViewedRecord> {
        self.events().map(|events| events.results()).unwrap_or_default()
    }

    /// Returns a tag for each recorded exposure, sorted: `gb.exp:<experiment>=<variation key>`.
    /// Attach them to the trace of the request. An experiment whose key contains `=` has no tag.
    pub fn tracing_tags(&self) -> Vec<String> {
        let exposures = self.exposures();
        // The last variation of an experiment replaces an earlier one.
        let variations: BTreeMap<&str, &str> =
            exposures.iter().map(|it| (it.experiment.key(), it.result.key.as_str())).collect();
        let mut tags: Vec<String> = variations
            .into_iter()
            .filter(|(experiment, _)| !experiment.contains('='))
            .map(|(experiment, variation)| format!("gb.exp:{experiment}={variation}"))
            .collect();
        tags.sort();
        tags
    }

    /// Logs an event of this user. The plugins of the client and of the scope receive it, with the
    /// user's attributes. Without a plugin it has no effect.
    pub fn log_event<N: Into<String>>(
        &self,
        name: &str,
        properties: impl IntoIterator<Item = (N, Value)>,
    ) {
        let state = self.state();
        let properties: Map<String, Value> =
            properties.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let observer = ScopeObserver::new(state, self.user(), self.source(), self.events());
        let user = observer.event_user();
        let event = CustomEvent::new(name, &properties, user, state.effects.now());
        state.listeners.notify_all(|plugin| plugin.event(&event));
        if let Some(events) = self.events() {
            events.listeners.notify_all(|plugin| plugin.event(&event));
        }
    }
}
