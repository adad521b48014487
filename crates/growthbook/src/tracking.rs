//! Tracking: the callbacks for exposures and feature usage, and the values they receive.

use core::mem;
use core::num::NonZeroUsize;
use std::borrow::Cow;

use growthbook_core::observe::{Exposure, Observer};
use growthbook_core::{
    Assignment, AttributeSource, AttributeValue, Attributes, ExperimentDefinition, FeatureResult,
    HashValue, UserContext,
};
use growthbook_support::Level;
use serde::Serialize;
use serde_json::Value;

pub use crate::exposures::DEFAULT_EXPOSURE_CACHE_SIZE;

use crate::exposures::Exposures;

/// A user takes part in an experiment. The callback
/// [`on_experiment_viewed`](crate::ClientBuilder::on_experiment_viewed) receives it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExperimentViewed<'a> {
    /// The experiment.
    pub experiment: &'a ExperimentDefinition,
    /// How the user was assigned: variation, hash attribute and value, bucket.
    pub result: &'a Assignment<'a>,
    /// The assigned variation's value; `None` for an inline experiment.
    pub value: Option<&'a Value>,
    /// The user.
    pub user: &'a UserContext,
}

impl ExperimentViewed<'_> {
    /// Returns an owned copy, for a queue.
    pub fn to_owned(&self) -> ExperimentViewedEvent {
        ExperimentViewedEvent {
            experiment_key: self.experiment.key().into(),
            experiment_name: self.experiment.name().map(Into::into),
            phase: self.experiment.phase().map(Into::into),
            feature_key: self.result.feature_id.map(Into::into),
            variation_id: self.result.variation_id,
            variation_key: self.result.key.into(),
            variation_name: self.result.name.map(Into::into),
            hash_attribute: self.result.hash_attribute.into(),
            hash_value: match self.result.hash_value {
                HashValue::String(text) => text.into(),
                HashValue::Number(number) => serde_json::to_value(number).unwrap_or_default(),
                HashValue::Missing => Value::Null,
            },
            bucket: self.result.bucket,
            attributes: self.user.attributes().clone(),
        }
    }
}

/// An owned [`ExperimentViewed`].
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExperimentViewedEvent {
    /// The experiment's key.
    pub experiment_key: String,
    /// The experiment's name.
    pub experiment_name: Option<String>,
    /// The experiment's phase.
    pub phase: Option<String>,
    /// The feature whose rule ran the experiment.
    pub feature_key: Option<String>,
    /// The assigned variation's index.
    pub variation_id: usize,
    /// The assigned variation's key.
    pub variation_key: String,
    /// The assigned variation's name.
    pub variation_name: Option<String>,
    /// The attribute that was hashed.
    pub hash_attribute: String,
    /// Its value: a string or a number.
    pub hash_value: Value,
    /// The user's bucket.
    pub bucket: Option<f64>,
    /// The user's own attributes.
    pub attributes: Attributes,
}

/// Prints keys, never attribute values.
impl core::fmt::Debug for ExperimentViewedEvent {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("ExperimentViewedEvent")
            .field("experiment_key", &self.experiment_key)
            .field("variation_key", &self.variation_key)
            .finish_non_exhaustive()
    }
}

/// A feature was evaluated. The callback
/// [`on_feature_usage`](crate::ClientBuilder::on_feature_usage) receives it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FeatureUsage<'a> {
    /// The feature's key.
    pub key: &'a str,
    /// The result.
    pub result: &'a FeatureResult<'a>,
    /// The user.
    pub user: &'a UserContext,
}

/// A callback for exposures.
pub(crate) type OnExperimentViewed = Box<dyn Fn(&ExperimentViewed<'_>) + Send + Sync>;
/// A callback for evaluated features.
pub(crate) type OnFeatureUsage = Box<dyn Fn(&FeatureUsage<'_>) + Send + Sync>;

/// The application's callbacks, and the exposures that were reported.
pub(crate) struct Tracking {
    on_experiment_viewed: Option<(OnExperimentViewed, Exposures)>,
    on_feature_usage: Option<OnFeatureUsage>,
}

impl Tracking {
    pub(crate) fn new(
        on_experiment_viewed: Option<OnExperimentViewed>,
        on_feature_usage: Option<OnFeatureUsage>,
        exposure_cache_size: NonZeroUsize,
    ) -> Self {
        let on_experiment_viewed =
            on_experiment_viewed.map(|callback| (callback, Exposures::new(exposure_cache_size)));
        Tracking { on_experiment_viewed, on_feature_usage }
    }

    /// Whether there is a callback.
    pub(crate) fn has_listeners(&self) -> bool {
        self.on_experiment_viewed.is_some() || self.on_feature_usage.is_some()
    }

    pub(crate) fn observer<'a>(
        &'a self,
        user: &'a UserContext,
        source: Option<&'a dyn AttributeSource>,
    ) -> TrackingObserver<'a> {
        TrackingObserver { tracking: self, user, source }
    }
}

/// Notifies the callbacks of an evaluation. They run under no lock, so that they may call back into
/// the client. A panic of a callback is logged, and the evaluation continues.
pub(crate) struct TrackingObserver<'a> {
    tracking: &'a Tracking,
    user: &'a UserContext,
    source: Option<&'a dyn AttributeSource>,
}

impl TrackingObserver<'_> {
    /// Returns the user, with the attributes of the source. If the source panics, with those that
    /// it has shown before.
    fn user(&self) -> Cow<'_, UserContext> {
        let Some(source) = self.source else {
            return Cow::Borrowed(self.user);
        };
        let mut user = self.user.clone();
        contain("AttributeSource::visit", || {
            source.visit(&mut |name, value| {
                // The value may be the application's own type. It is copied first.
                let value = AttributeValue::from(value);
                user = mem::take(&mut user).attribute(name, value);
            });
        });
        Cow::Owned(user)
    }
}

impl Observer for TrackingObserver<'_> {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let Some((callback, exposures)) = &self.tracking.on_experiment_viewed else {
            return;
        };
        if !exposures.is_new(exposure) {
            return;
        }
        contain("on_experiment_viewed", || {
            callback(&ExperimentViewed {
                experiment: exposure.experiment,
                result: exposure.result,
                value: exposure.value,
                user: &self.user(),
            });
        });
    }

    fn wants_feature_usage(&self) -> bool {
        self.tracking.on_feature_usage.is_some()
    }

    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        if let Some(callback) = &self.tracking.on_feature_usage {
            contain("on_feature_usage", || {
                callback(&FeatureUsage { key, result, user: &self.user() });
            });
        }
    }
}

/// Runs a callback of the application. If it panics, the panic is logged.
pub(crate) fn contain(name: &str, callback: impl FnOnce()) {
    if growthbook_support::contain(callback).is_err() {
        growthbook_support::log!(Level::Error, "the callback {name} panicked");
    }
}
