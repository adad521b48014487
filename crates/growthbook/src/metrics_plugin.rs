//! The plugin that counts events through the `metrics` crate.

use core::error::Error;

use growthbook_core::event::{CustomEvent, ExperimentViewed, FeatureUsage};
use growthbook_core::plugin::{Plugin, PluginOwner};
use growthbook_core::{FeatureResultSource, PayloadChange};
use metrics::{Counter, counter, describe_counter};

/// Evaluated features, by source: the label `source` has GrowthBook's name of the source.
const EVALUATIONS: &str = "growthbook_evaluations_total";
/// Exposures that were reported.
const EXPOSURES: &str = "growthbook_exposures_total";
/// Events that the application logged.
const LOGGED_EVENTS: &str = "growthbook_logged_events_total";
/// Changes of the features or saved groups in use.
const PAYLOAD_CHANGES: &str = "growthbook_payload_changes_total";
/// Refreshes that failed.
const REFRESH_FAILURES: &str = "growthbook_refresh_failures_total";

/// Events that a plugin has lost. `growthbook-tracking` adds to it, too.
const LOST_EVENTS: &str = "growthbook_lost_events_total";

/// Counts events through the [`metrics`] crate.
///
/// | counter | label | what it counts |
/// |---|---|---|
/// | `growthbook_evaluations_total` | `source` | evaluated features, prerequisites too |
/// | `growthbook_exposures_total` | | exposures that were reported |
/// | `growthbook_logged_events_total` | | events that the application logged |
/// | `growthbook_payload_changes_total` | | changes of features or saved groups |
/// | `growthbook_refresh_failures_total` | | refreshes that failed |
/// | `growthbook_lost_events_total` | | events that a plugin lost, because it panicked or `growthbook-tracking` could not send them |
///
/// The program's recorder receives them. Without a recorder they have no effect. Install the
/// recorder before the client is built, so that it receives the descriptions as well.
///
/// The last counter and the metrics of refreshing need no plugin. The docs of `growthbook-fetch` list them.
///
/// ```
/// use growthbook::Client;
/// use growthbook::tracking::MetricsPlugin;
/// use serde_json::json;
///
/// let client = Client::embedded()
///     .features(json!({"dark-mode": {"defaultValue": true}}))
///     .plugin(MetricsPlugin::new())
///     .build()?;
/// // growthbook_evaluations_total{source="defaultValue"} is 1 more after this.
/// assert!(client.for_user("user-123").is_on("dark-mode"));
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MetricsPlugin;

impl MetricsPlugin {
    /// Returns the plugin.
    pub fn new() -> Self {
        MetricsPlugin
    }
}

impl Plugin for MetricsPlugin {
    fn name(&self) -> &str {
        "metrics"
    }

    fn start(&self, _: &PluginOwner<'_>) {
        describe_counter!(EVALUATIONS, "evaluated features, by source of the value");
        describe_counter!(EXPOSURES, "exposures that were reported");
        describe_counter!(LOGGED_EVENTS, "events that the application logged");
        describe_counter!(PAYLOAD_CHANGES, "changes of the features or saved groups in use");
        describe_counter!(REFRESH_FAILURES, "refreshes that failed");
        describe_counter!(LOST_EVENTS, "events that a plugin lost");
    }

    fn experiment_viewed(&self, _: &ExperimentViewed<'_>) {
        counter!(EXPOSURES).increment(1);
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn wants_overrides(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        evaluations(usage.result.source).increment(1);
    }

    fn event(&self, _: &CustomEvent<'_>) {
        counter!(LOGGED_EVENTS).increment(1);
    }

    fn payload_changed(&self, _: &PayloadChange) {
        counter!(PAYLOAD_CHANGES).increment(1);
    }

    fn refresh_failed(&self, _: &(dyn Error + 'static)) {
        counter!(REFRESH_FAILURES).increment(1);
    }
}

/// Counts an event that was lost because a plugin panicked. A recorder may panic, too.
pub(crate) fn count_lost_event() {
    let _ = growthbook_support::contain(|| counter!(LOST_EVENTS).increment(1));
}

/// Returns the counter of a source. A label in the code is static, so nothing is allocated. The
/// counter is looked up each time, because a recorder may forget one that was not used for long.
fn evaluations(source: FeatureResultSource) -> Counter {
    match source {
        FeatureResultSource::UnknownFeature => counter!(EVALUATIONS, "source" => "unknownFeature"),
        FeatureResultSource::DefaultValue => counter!(EVALUATIONS, "source" => "defaultValue"),
        FeatureResultSource::Force => counter!(EVALUATIONS, "source" => "force"),
        FeatureResultSource::Experiment => counter!(EVALUATIONS, "source" => "experiment"),
        FeatureResultSource::Override => counter!(EVALUATIONS, "source" => "override"),
        FeatureResultSource::Prerequisite => counter!(EVALUATIONS, "source" => "prerequisite"),
        FeatureResultSource::CyclicPrerequisite => {
            counter!(EVALUATIONS, "source" => "cyclicPrerequisite")
        }
        // A source of a later version of the core.
        source => counter!(EVALUATIONS, "source" => source.as_str()),
    }
}
