//! The events of a client: subscriptions, logged events, and deferred tracking calls.

use core::time::Duration;

use growthbook_core::UserContext;
use growthbook_core::event::{CustomEvent, EventUser};
use growthbook_core::observe::{Exposure, Observer};
use growthbook_core::plugin::Plugin;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::counts::EventCounts;
use crate::deferred::DeferredCalls;
use crate::observer::ScopeObserver;
use crate::subscription::Subscription;

/// Events.
impl Client {
    /// Adds a plugin while the client runs. Dropping the subscription removes and stops it.
    ///
    /// Scopes that were made before do not notify it. After it is removed, no scope does.
    ///
    /// ```
    /// use growthbook::{Client, tracking};
    ///
    /// let client = Client::from_json(r#"{"features": {}}"#)?;
    /// let subscription = client.subscribe(tracking::on_result(|result| {
    ///     println!("{}: {}", result.experiment.key(), result.result.in_experiment);
    /// }));
    /// drop(subscription);
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn subscribe(&self, plugin: impl Plugin + 'static) -> Subscription {
        Subscription::new(self.shared_live(), self.registry(), Box::new(plugin))
    }

    /// Logs an event that belongs to no user. Plugins receive it with the global attributes. See
    /// [`UserScope::log_event`](crate::UserScope::log_event).
    pub fn log_event<N: Into<String>>(
        &self,
        name: &str,
        properties: impl IntoIterator<Item = (N, Value)>,
    ) {
        let state = self.live().load();
        let state = state.data();
        let properties: Map<String, Value> =
            properties.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let nobody = UserContext::default();
        let user = EventUser::new(&nobody).with_globals(&state.globals);
        let event = CustomEvent::new(name, &properties, user, state.effects.now());
        state.listeners.notify_all(|plugin| plugin.event(&event));
    }

    /// Reports exposures that another process has recorded, such as a browser. They are
    /// [deduplicated](crate::ClientBuilder::deduplicate_exposures) like other exposures.
    ///
    /// The calls are not verified. Anyone who can send them can report anything.
    pub fn fire_deferred_calls(&self, calls: &DeferredCalls) {
        let state = self.live().load();
        for call in calls.iter() {
            let user = call.user.to_context();
            let mut observer =
                ScopeObserver::new(state.data(), &user, None, None).at(call.timestamp);
            observer.experiment_viewed(&Exposure::new(
                &call.experiment,
                &call.result.as_assignment(),
                call.value.as_ref(),
            ));
        }
    }

    /// Returns the counts of events. `None` unless
    /// [`count_events`](crate::ClientBuilder::count_events) is set.
    ///
    /// ```
    /// use growthbook::{Client, FeatureResultSource};
    /// use serde_json::json;
    ///
    /// let client = Client::embedded()
    ///     .features(json!({"dark-mode": {"defaultValue": true}}))
    ///     .count_events()
    ///     .build()?;
    /// client.for_user("user-123").is_on("dark-mode");
    /// let counts = client.event_counts().unwrap();
    /// assert_eq!(counts.evaluations(FeatureResultSource::DefaultValue), 1);
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn event_counts(&self) -> Option<EventCounts> {
        let state = self.live().load();
        state.data().effects.event_counters.as_ref().map(|counters| counters.counts())
    }

    /// Lets every plugin send what it has queued. Waits no longer than the limit. Returns whether
    /// all queues are empty.
    pub fn flush(&self, limit: Duration) -> bool {
        self.registry().listeners().flush(limit)
    }
}
