//! The plugin that reports evaluations through `tracing`, with OpenTelemetry's names.

use core::fmt;
use std::borrow::Cow;

use growthbook_core::FeatureResultSource;
use growthbook_core::event::FeatureUsage;
use growthbook_core::plugin::Plugin;
use serde_json::Value as Json;
use tracing::{Level, Value};

/// The target of the events of [`TracingPlugin`].
pub const EVALUATION_TARGET: &str = "growthbook::evaluation";

/// The most bytes of a text in `feature_flag.result.value`. A longer text is cut off.
pub const MAX_TRACED_VALUE_BYTES: usize = 1_024;

/// The value of `feature_flag.provider.name`.
const PROVIDER: &str = "growthbook";

/// Reports each evaluated feature as an event of the [`tracing`] crate. The event has the name
/// `feature_flag.evaluation` and the fields of [OpenTelemetry's conventions for feature
/// flags](https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/). It
/// belongs to the current span. Its level is `INFO`, and its target [`EVALUATION_TARGET`].
///
/// | field | value |
/// |---|---|
/// | `feature_flag.key` | the feature's key |
/// | `feature_flag.provider.name` | `growthbook` |
/// | `feature_flag.result.reason` | see below |
/// | `feature_flag.result.variant` | the key of the variation, if an experiment decided |
/// | `feature_flag.result.value` | the value, see [`values`](TracingPlugin::values) |
/// | `feature_flag.version` | when the payload was last changed, as the API wrote it |
/// | `feature_flag.set.id` | only with [`set_id`](TracingPlugin::set_id) |
/// | `feature_flag.context.id` | only with [`context_id`](TracingPlugin::context_id) |
/// | `error.type` | only with the reason `error` |
///
/// | source of the value | reason | `error.type` |
/// |---|---|---|
/// | `defaultValue` | `default` | |
/// | `force` | `targeting_match` | |
/// | `experiment` | `split` | |
/// | `override` | `static` | |
/// | `prerequisite` | `disabled` | |
/// | `unknownFeature` | `error` | `flag_not_found` |
/// | `cyclicPrerequisite` | `error` | `general` |
///
/// The reasons `cached` and `stale` do not occur: each value is evaluated, never kept.
///
/// Prerequisites have events of their own. `evaluate_all` and `explain` have no events, because no
/// user has seen a value.
///
/// No field has a client key or decryption key. No field has an attribute, except with
/// [`context_id`](TracingPlugin::context_id). As long as no subscriber wants the events, an
/// evaluation only asks for that.
///
/// ```
/// use growthbook::Client;
/// use growthbook::tracking::TracingPlugin;
/// use serde_json::json;
///
/// let client = Client::embedded()
///     .features(json!({"dark-mode": {"defaultValue": true}}))
///     .plugin(TracingPlugin::new().set_id("web/production"))
///     .build()?;
/// // An event: feature_flag.evaluation feature_flag.key="dark-mode" ...
/// assert!(client.for_user("user-123").is_on("dark-mode"));
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
#[derive(Clone, Default)]
pub struct TracingPlugin {
    context_attribute: Option<Box<str>>,
    set_id: Option<Box<str>>,
    values: TracedValues,
}

/// Which events of a [`TracingPlugin`] have the field `feature_flag.result.value`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TracedValues {
    /// Those without a variation, as OpenTelemetry's conventions ask for.
    #[default]
    WithoutVariant,
    /// All of them.
    Always,
    /// None of them: values may be large or confidential.
    Never,
}

impl TracingPlugin {
    /// Returns a plugin without the optional fields.
    pub fn new() -> Self {
        TracingPlugin::default()
    }

    /// Fills the field `feature_flag.context.id` with this attribute of the user, such as `id`.
    /// Default: the field is left out, because it is personal data.
    #[must_use]
    pub fn context_id(mut self, attribute: &str) -> Self {
        self.context_attribute = Some(attribute.into());
        self
    }

    /// Sets the field `feature_flag.set.id`: a name for the features of this client. Do not use the
    /// client key. Default: the field is left out.
    #[must_use]
    pub fn set_id(mut self, id: &str) -> Self {
        self.set_id = Some(id.into());
        self
    }

    /// Which events have the field `feature_flag.result.value`. Default:
    /// [`TracedValues::WithoutVariant`].
    ///
    /// Booleans, numbers and strings keep their type. A list or object is JSON text. A text ends
    /// after [`MAX_TRACED_VALUE_BYTES`]. Null is left out.
    #[must_use]
    pub fn values(mut self, values: TracedValues) -> Self {
        self.values = values;
        self
    }

    fn context<'a>(&self, usage: &FeatureUsage<'a>) -> Option<Cow<'a, str>> {
        usage.user.attribute_text(self.context_attribute.as_deref()?)
    }

    fn value<'a>(&self, usage: &FeatureUsage<'a>) -> TracedValue<'a> {
        let is_traced = match self.values {
            TracedValues::WithoutVariant => variant(usage).is_none(),
            TracedValues::Always => true,
            TracedValues::Never => false,
        };
        if is_traced { TracedValue::new(usage.result.value()) } else { TracedValue::Missing }
    }
}

impl Plugin for TracingPlugin {
    fn name(&self) -> &str {
        "tracing"
    }

    fn wants_exposures(&self) -> bool {
        false
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn wants_overrides(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        let source = usage.result.source;
        // The fields are computed only if a subscriber wants the event.
        tracing::event!(
            name: "feature_flag.evaluation",
            target: EVALUATION_TARGET,
            Level::INFO,
            feature_flag.key = usage.key,
            feature_flag.provider.name = PROVIDER,
            feature_flag.result.reason = reason(source),
            feature_flag.result.variant = variant(usage),
            feature_flag.result.value = self.value(usage).as_field(),
            feature_flag.version = usage.date_updated,
            feature_flag.set.id = self.set_id.as_deref(),
            feature_flag.context.id = self.context(usage).as_deref(),
            "error.type" = error_type(source),
        );
    }
}

/// Prints neither values nor the id.
impl fmt::Debug for TracingPlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TracingPlugin")
            .field("context_attribute", &self.context_attribute)
            .field("values", &self.values)
            .finish_non_exhaustive()
    }
}

/// Returns OpenTelemetry's reason for a source.
fn reason(source: FeatureResultSource) -> &'static str {
    match source {
        FeatureResultSource::DefaultValue => "default",
        FeatureResultSource::Force => "targeting_match",
        FeatureResultSource::Experiment => "split",
        FeatureResultSource::Override => "static",
        FeatureResultSource::Prerequisite => "disabled",
        FeatureResultSource::UnknownFeature | FeatureResultSource::CyclicPrerequisite => "error",
        // A source of a later version of the core.
        _ => "unknown",
    }
}

/// Returns OpenTelemetry's type of an error, for a source with the reason `error`.
fn error_type(source: FeatureResultSource) -> Option<&'static str> {
    match source {
        FeatureResultSource::UnknownFeature => Some("flag_not_found"),
        FeatureResultSource::CyclicPrerequisite => Some("general"),
        _ => None,
    }
}

/// Returns the key of the variation, if an experiment decided.
fn variant<'a>(usage: &FeatureUsage<'a>) -> Option<&'a str> {
    let is_split = usage.result.source == FeatureResultSource::Experiment;
    usage.variation_key().filter(|_| is_split)
}

/// A feature's value in a type of `tracing`.
enum TracedValue<'a> {
    Missing,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
    Owned(String),
}

impl<'a> TracedValue<'a> {
    fn new(value: &'a Json) -> Self {
        match value {
            Json::Null => TracedValue::Missing,
            Json::Bool(value) => TracedValue::Bool(*value),
            Json::Number(number) => {
                let integer = number.as_i64().map(TracedValue::Integer);
                let integer = integer.or_else(|| number.as_u64().map(TracedValue::Unsigned));
                let number = integer.or_else(|| number.as_f64().map(TracedValue::Float));
                number.unwrap_or(TracedValue::Missing)
            }
            Json::String(text) => TracedValue::Text(cut_off(text)),
            Json::Array(_) | Json::Object(_) => {
                let mut text = value.to_string();
                text.truncate(cut_off(&text).len());
                TracedValue::Owned(text)
            }
        }
    }

    fn as_field(&self) -> Option<&dyn Value> {
        match self {
            TracedValue::Missing => None,
            TracedValue::Bool(value) => Some(value),
            TracedValue::Integer(value) => Some(value),
            TracedValue::Unsigned(value) => Some(value),
            TracedValue::Float(value) => Some(value),
            TracedValue::Text(text) => Some(text),
            TracedValue::Owned(text) => Some(text),
        }
    }
}

/// Returns the text up to the limit.
fn cut_off(text: &str) -> &str {
    // A character has at most four bytes. A text that is shorter than the limit is not cut.
    let mut ends = (0..4).map(|back| MAX_TRACED_VALUE_BYTES - back);
    ends.find_map(|end| text.get(..end)).unwrap_or(text)
}
