//! The record of what was tracked, and assertions about it.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use growthbook::tracking::{
    CustomEvent, CustomEventRecord, ExperimentViewed, ExperimentViewedRecord, FeatureUsage,
    FeatureUsageRecord, Plugin,
};
use growthbook_support::nearest;
use serde_json::Value;

/// Records exposures, evaluated features and logged events.
///
/// It is a plugin. A clone is another handle on the same record. A
/// [`TestClient`](crate::TestClient) has one; any other client takes one with `plugin`:
///
/// ```
/// use growthbook::Client;
/// use growthbook_test::{Recorder, json};
///
/// let recorder = Recorder::new();
/// let client = Client::embedded()
///     .features(json!({"color": {"rules": [{"variations": ["blue", "green"]}]}}))
///     .plugin(recorder.clone())
///     .build()?;
/// client.for_user("user-1").is_on("color");
/// assert_eq!(recorder.exposures().len(), 1);
/// recorder.assert_not_viewed("price");
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
///
/// The client reports each exposure once: see
/// [`deduplicate_exposures`](growthbook::ClientBuilder::deduplicate_exposures).
///
/// A failed assertion prints the record, with ids of users, values of features and properties of
/// events.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    exposures: Vec<ExperimentViewedRecord>,
    usage: Vec<FeatureUsageRecord>,
    events: Vec<CustomEventRecord>,
}

/// The recorded events.
impl Recorder {
    /// Makes an empty record.
    pub fn new() -> Self {
        Recorder::default()
    }

    /// Returns the exposures, in order.
    pub fn exposures(&self) -> Vec<ExperimentViewedRecord> {
        self.lock().exposures.clone()
    }

    /// Returns the evaluations of features, in order. They include prerequisites and forced values.
    pub fn feature_usage(&self) -> Vec<FeatureUsageRecord> {
        self.lock().usage.clone()
    }

    /// Returns the logged events, in order.
    pub fn events(&self) -> Vec<CustomEventRecord> {
        self.lock().events.clone()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.lock() = Record::default();
    }
}

/// Assertions. Each one panics with the whole record if it does not hold.
impl Recorder {
    /// Asserts that a user saw this variation of an experiment. The variation is named by its key, or
    /// by its value if that is a string.
    #[track_caller]
    pub fn assert_viewed(&self, experiment: &str, variation: &str) {
        let record = self.lock();
        if !record.views(experiment).any(|viewed| is_variation(viewed, variation)) {
            let hint = record.hint(experiment, Record::experiments);
            record.fail(format_args!(
                "variation {variation:?} of experiment {experiment:?} was not viewed{hint}"
            ));
        }
    }

    /// Asserts that no user saw a variation of this experiment.
    #[track_caller]
    pub fn assert_not_viewed(&self, experiment: &str) {
        let record = self.lock();
        if record.views(experiment).next().is_some() {
            record.fail(format_args!("experiment {experiment:?} was viewed"));
        }
    }

    /// Asserts the number of exposures of an experiment.
    #[track_caller]
    pub fn assert_views(&self, experiment: &str, expected: usize) {
        let record = self.lock();
        let found = record.views(experiment).count();
        if found != expected {
            record.fail(format_args!(
                "exposures of experiment {experiment:?}: {found}, but {expected} expected"
            ));
        }
    }

    /// Asserts that a feature was evaluated.
    #[track_caller]
    pub fn assert_evaluated(&self, feature: &str) {
        let record = self.lock();
        if !record.usage.iter().any(|usage| usage.feature == feature) {
            let hint = record.hint(feature, Record::features);
            record.fail(format_args!("feature {feature:?} was not evaluated{hint}"));
        }
    }

    /// Asserts that a feature was not evaluated.
    #[track_caller]
    pub fn assert_not_evaluated(&self, feature: &str) {
        let record = self.lock();
        if record.usage.iter().any(|usage| usage.feature == feature) {
            record.fail(format_args!("feature {feature:?} was evaluated"));
        }
    }

    /// Asserts that an event of this name was logged with at least these properties. An empty object
    /// accepts any.
    #[track_caller]
    pub fn assert_logged(&self, name: &str, properties: Value) {
        let record = self.lock();
        let has_properties = |event: &&CustomEventRecord| {
            properties.as_object().is_some_and(|expected| {
                expected.iter().all(|(name, value)| event.properties.get(name) == Some(value))
            })
        };
        let mut logged = record.events.iter().filter(|event| event.name == name);
        if !logged.any(|event| has_properties(&event)) {
            let hint = record.hint(name, Record::event_names);
            record.fail(format_args!("event {name:?} {properties} was not logged{hint}"));
        }
    }

    /// Asserts that no event of this name was logged.
    #[track_caller]
    pub fn assert_not_logged(&self, name: &str) {
        let record = self.lock();
        if record.events.iter().any(|event| event.name == name) {
            record.fail(format_args!("event {name:?} was logged"));
        }
    }

    /// Asserts that there were no exposures and no logged events.
    #[track_caller]
    pub fn assert_nothing_tracked(&self) {
        let record = self.lock();
        if !record.exposures.is_empty() || !record.events.is_empty() {
            record.fail(format_args!("something was tracked"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // A failed assertion of another thread poisons it, and leaves the record whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin for Recorder {
    fn name(&self) -> &str {
        "recorder"
    }

    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        let viewed = viewed.to_record();
        self.lock().exposures.push(viewed);
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn wants_overrides(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        let usage = usage.to_record();
        self.lock().usage.push(usage);
    }

    fn event(&self, event: &CustomEvent<'_>) {
        let event = event.to_record();
        self.lock().events.push(event);
    }
}

/// Prints the record as a failed assertion does.
impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(formatter)
    }
}

impl Record {
    fn views<'r>(
        &'r self,
        experiment: &'r str,
    ) -> impl Iterator<Item = &'r ExperimentViewedRecord> {
        self.exposures.iter().filter(move |viewed| viewed.experiment.key() == experiment)
    }

    fn experiments(&self) -> BTreeSet<&str> {
        self.exposures.iter().map(|viewed| viewed.experiment.key()).collect()
    }

    fn features(&self) -> BTreeSet<&str> {
        self.usage.iter().map(|usage| usage.feature.as_str()).collect()
    }

    fn event_names(&self) -> BTreeSet<&str> {
        self.events.iter().map(|event| event.name.as_str()).collect()
    }

    /// Returns the recorded name that is almost like a missing one, as a hint.
    fn hint<'r>(&'r self, name: &str, names: impl Fn(&'r Self) -> BTreeSet<&'r str>) -> String {
        let names = names(self);
        if names.contains(name) {
            return String::new();
        }
        nearest(name, names).map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default()
    }

    #[track_caller]
    fn fail(&self, what: fmt::Arguments<'_>) -> ! {
        panic!("{what}\n{self:?}");
    }
}

/// Lists everything, one event in a line.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exposures = self.exposures.iter().map(|viewed| {
            let (experiment, result) = (viewed.experiment.key(), &viewed.result);
            let user = &result.hash_attribute;
            let value = viewed.hash_value_text();
            format!("{experiment:?}: variation {:?}, {user} {value:?}", result.key)
        });
        let usage = self
            .usage
            .iter()
            .map(|usage| format!("{:?}: {} ({})", usage.feature, usage.value, usage.source));
        let events = self
            .events
            .iter()
            .map(|event| format!("{:?}: {}", event.name, Value::Object(event.properties.clone())));
        list(formatter, "exposures", exposures)?;
        formatter.write_char('\n')?;
        list(formatter, "evaluated features", usage)?;
        formatter.write_char('\n')?;
        list(formatter, "logged events", events)
    }
}

fn list(
    formatter: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl Iterator<Item = String>,
) -> fmt::Result {
    write!(formatter, "{title}:")?;
    let mut is_empty = true;
    for line in lines {
        is_empty = false;
        write!(formatter, "\n  {line}")?;
    }
    if is_empty { formatter.write_str(" none") } else { Ok(()) }
}

fn is_variation(viewed: &ExperimentViewedRecord, wanted: &str) -> bool {
    viewed.result.key == wanted || viewed.value.as_ref().is_some_and(|value| value == wanted)
}
