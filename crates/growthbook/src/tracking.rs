//! Tracking: events, callbacks and plugins that receive them, and deferred tracking calls.
//!
//! A plugin receives the events of a client ([`ClientBuilder::plugin`], [`Client::subscribe`]) or of
//! one scope ([`UserScope::with_plugin`]). A callback is a plugin that is a closure. The builder has
//! a method for each kind, and this module makes them for [`Client::subscribe`].
//!
//! [`ClientBuilder::plugin`]: crate::ClientBuilder::plugin
//! [`Client::subscribe`]: crate::Client::subscribe
//! [`UserScope::with_plugin`]: crate::UserScope::with_plugin

pub use growthbook_core::event::{
    AssignmentRecord, ContextualBanditRecord, CustomEvent, CustomEventRecord, EXPERIMENT_VIEWED,
    EventUser, EventUserRecord, ExperimentViewed, ExperimentViewedRecord, FEATURE_EVALUATED,
    FeatureExperimentRecord, FeatureResultRecord, FeatureUsage, FeatureUsageRecord, FlagProblem,
    FlagProblemKind,
};
pub use growthbook_core::plugin::{Plugin, PluginOwner};

pub use crate::callbacks::{
    event_logger, on_experiment_viewed, on_feature_usage, on_refresh_failed, on_result, on_update,
};
pub use crate::counts::EventCounts;
pub use crate::deferred::DeferredCalls;
pub use crate::listeners::DEFAULT_PLUGIN_STOP_TIMEOUT;
#[cfg(feature = "metrics")]
pub use crate::metrics_plugin::MetricsPlugin;
pub use crate::scope_events::MAX_RECORDED_EVENTS;
pub use crate::seen::{DEFAULT_EXPOSURE_CACHE_SIZE, ExposureDeduplication, UsageDeduplication};
pub use crate::subscription::Subscription;
#[cfg(feature = "tracing")]
pub use crate::tracing_plugin::{
    EVALUATION_TARGET, MAX_TRACED_VALUE_BYTES, TracedValues, TracingPlugin,
};
