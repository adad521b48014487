//! The counts of a client's events.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use growthbook_core::FeatureResultSource;
use growthbook_core::event::{CustomEvent, ExperimentViewed, FeatureUsage};
use growthbook_core::plugin::Plugin;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The number of sources that are counted apart. The last one is for sources of later versions.
const SOURCES: usize = 8;

/// Every source, in the order of the counts.
const NAMED_SOURCES: [FeatureResultSource; SOURCES - 1] = [
    FeatureResultSource::UnknownFeature,
    FeatureResultSource::DefaultValue,
    FeatureResultSource::Force,
    FeatureResultSource::Experiment,
    FeatureResultSource::Override,
    FeatureResultSource::Prerequisite,
    FeatureResultSource::CyclicPrerequisite,
];

/// Counts of a client's events, since it was built. See
/// [`ClientBuilder::count_events`](crate::ClientBuilder::count_events).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounts {
    /// Exposures that were reported.
    pub exposures: u64,
    /// Events that the application logged.
    pub logged: u64,
    evaluations: [u64; SOURCES],
}

impl EventCounts {
    /// Returns the number of evaluations whose value had this source. Prerequisites count by
    /// themselves.
    pub fn evaluations(&self, source: FeatureResultSource) -> u64 {
        self.evaluations.get(index(source)).copied().unwrap_or_default()
    }

    /// Returns the number of all evaluations.
    pub fn all_evaluations(&self) -> u64 {
        self.evaluations.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// Serializes to `exposures`, `logged`, and `evaluations` by source.
impl Serialize for EventCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let evaluations: BTreeMap<&str, u64> = NAMED_SOURCES
            .iter()
            .map(|source| (source.as_str(), self.evaluations(*source)))
            .collect();
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("exposures", &self.exposures)?;
        map.serialize_entry("logged", &self.logged)?;
        map.serialize_entry("evaluations", &evaluations)?;
        map.end()
    }
}

impl fmt::Debug for EventCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = formatter.debug_struct("EventCounts");
        out.field("exposures", &self.exposures).field("logged", &self.logged);
        for source in NAMED_SOURCES {
            out.field(source.as_str(), &self.evaluations(source));
        }
        out.finish()
    }
}

/// Counts events. Threads that evaluate at the same time share the counters.
#[derive(Default)]
pub(crate) struct EventCounters {
    exposures: AtomicU64,
    logged: AtomicU64,
    evaluations: [AtomicU64; SOURCES],
}

impl EventCounters {
    pub(crate) fn counts(&self) -> EventCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EventCounts {
            exposures: load(&self.exposures),
            logged: load(&self.logged),
            evaluations: self.evaluations.each_ref().map(load),
        }
    }
}

/// The plugin that counts.
pub(crate) struct CountEvents(pub(crate) Arc<EventCounters>);

impl Plugin for CountEvents {
    fn name(&self) -> &str {
        "count_events"
    }

    fn experiment_viewed(&self, _: &ExperimentViewed<'_>) {
        self.0.exposures.fetch_add(1, Ordering::Relaxed);
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn wants_overrides(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        if let Some(counter) = self.0.evaluations.get(index(usage.result.source)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn event(&self, _: &CustomEvent<'_>) {
        self.0.logged.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns the position of a source's count.
fn index(source: FeatureResultSource) -> usize {
    NAMED_SOURCES.iter().position(|named| *named == source).unwrap_or(SOURCES - 1)
}
