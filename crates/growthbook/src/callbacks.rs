//! Callbacks: plugins that are a closure.

use core::error::Error;

use growthbook_core::PayloadChange;
use growthbook_core::event::{
    CustomEvent, EXPERIMENT_VIEWED, ExperimentViewed, FEATURE_EVALUATED, FeatureUsage,
};
use growthbook_core::plugin::Plugin;

/// Makes a plugin that calls a function for exposures, see
/// [`ClientBuilder::on_experiment_viewed`](crate::ClientBuilder::on_experiment_viewed).
pub fn on_experiment_viewed(
    callback: impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static,
) -> impl Plugin {
    OnExperimentViewed(callback)
}

/// Makes a plugin that calls a function for the results of experiments, see
/// [`Plugin::result`].
pub fn on_result(callback: impl Fn(&ExperimentViewed<'_>) + Send + Sync + 'static) -> impl Plugin {
    OnResult(callback)
}

/// Makes a plugin that calls a function for evaluated features, see
/// [`ClientBuilder::on_feature_usage`](crate::ClientBuilder::on_feature_usage).
pub fn on_feature_usage(
    callback: impl Fn(&FeatureUsage<'_>) + Send + Sync + 'static,
) -> impl Plugin {
    OnFeatureUsage(callback)
}

/// Makes a plugin that calls a function for all events, see
/// [`ClientBuilder::event_logger`](crate::ClientBuilder::event_logger).
pub fn event_logger(callback: impl Fn(&CustomEvent<'_>) + Send + Sync + 'static) -> impl Plugin {
    EventLogger(callback)
}

/// Makes a plugin that calls a function for changes of the payload, see
/// [`ClientBuilder::on_update`](crate::ClientBuilder::on_update).
pub fn on_update(callback: impl Fn(&PayloadChange) + Send + Sync + 'static) -> impl Plugin {
    OnUpdate(callback)
}

/// Makes a plugin that calls a function when a refresh fails, see [`Plugin::refresh_failed`].
pub fn on_refresh_failed(
    callback: impl Fn(&(dyn Error + 'static)) + Send + Sync + 'static,
) -> impl Plugin {
    OnRefreshFailed(callback)
}

/// Makes a plugin that calls a function when a fetch, or a request for remote evaluation, fails.
#[cfg(feature = "fetch")]
pub(crate) fn on_fetch_failed(
    callback: impl Fn(&growthbook_fetch::FetchError) + Send + Sync + 'static,
) -> impl Plugin {
    on_refresh_failed(move |cause| {
        if let Some(cause) = cause.downcast_ref() {
            callback(cause);
        }
    })
}

struct OnExperimentViewed<F>(F);

impl<F: Fn(&ExperimentViewed<'_>) + Send + Sync> Plugin for OnExperimentViewed<F> {
    fn name(&self) -> &str {
        "on_experiment_viewed"
    }

    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        (self.0)(viewed);
    }
}

struct OnResult<F>(F);

impl<F: Fn(&ExperimentViewed<'_>) + Send + Sync> Plugin for OnResult<F> {
    fn name(&self) -> &str {
        "on_result"
    }

    fn wants_exposures(&self) -> bool {
        false
    }

    fn wants_results(&self) -> bool {
        true
    }

    fn result(&self, result: &ExperimentViewed<'_>) {
        (self.0)(result);
    }
}

struct OnFeatureUsage<F>(F);

impl<F: Fn(&FeatureUsage<'_>) + Send + Sync> Plugin for OnFeatureUsage<F> {
    fn name(&self) -> &str {
        "on_feature_usage"
    }

    fn wants_exposures(&self) -> bool {
        false
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        (self.0)(usage);
    }
}

struct EventLogger<F>(F);

impl<F: Fn(&CustomEvent<'_>) + Send + Sync> Plugin for EventLogger<F> {
    fn name(&self) -> &str {
        "event_logger"
    }

    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        let properties = viewed.properties();
        let (user, timestamp) = (viewed.user, viewed.timestamp);
        self.event(&CustomEvent::new(EXPERIMENT_VIEWED, &properties, user, timestamp));
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        let properties = usage.properties();
        let (user, timestamp) = (usage.user, usage.timestamp);
        self.event(&CustomEvent::new(FEATURE_EVALUATED, &properties, user, timestamp));
    }

    fn event(&self, event: &CustomEvent<'_>) {
        (self.0)(event);
    }
}

struct OnUpdate<F>(F);

impl<F: Fn(&PayloadChange) + Send + Sync> Plugin for OnUpdate<F> {
    fn name(&self) -> &str {
        "on_update"
    }

    fn wants_exposures(&self) -> bool {
        false
    }

    fn payload_changed(&self, change: &PayloadChange) {
        (self.0)(change);
    }
}

struct OnRefreshFailed<F>(F);

impl<F: Fn(&(dyn Error + 'static)) + Send + Sync> Plugin for OnRefreshFailed<F> {
    fn name(&self) -> &str {
        "on_refresh_failed"
    }

    fn wants_exposures(&self) -> bool {
        false
    }

    fn refresh_failed(&self, cause: &(dyn Error + 'static)) {
        (self.0)(cause);
    }
}
