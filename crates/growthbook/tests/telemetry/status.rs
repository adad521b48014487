//! Counts in the status of a client.

use growthbook::ingestor::{IngestorTracking, TrackingOptions};
use growthbook::{ExperimentViewed, FeatureResultSource as Source, FeatureUsage, Plugin};

use crate::recorder;
use crate::support::{builder, built, scope};

#[test]
fn events_are_counted_on_request_only() {
    let client = built(builder());
    scope(&client).is_on("experiment");
    assert_eq!((client.event_counts(), client.status().events), (None, None));

    let client = built(builder().count_events().count_events());
    let scope = scope(&client);
    for key in ["default", "force", "override", "prerequisite", "unknown", "cyclic"] {
        scope.is_on(key);
    }
    scope.is_on("experiment");
    scope.is_on("experiment");
    scope.log_event("Sign Up", [("plan", "pro".into())]);
    let counts = client.status().events.unwrap();
    let expected = [
        (Source::DefaultValue, 2),
        (Source::Force, 1),
        (Source::Experiment, 2),
        (Source::Override, 1),
        (Source::Prerequisite, 1),
        (Source::UnknownFeature, 1),
        (Source::CyclicPrerequisite, 1),
    ];
    for (source, count) in expected {
        assert_eq!(counts.evaluations(source), count, "{source}");
    }
    assert_eq!(counts.all_evaluations(), 9);
    assert_eq!((counts.exposures, counts.logged), (1, 1));
    assert_eq!(client.event_counts(), Some(counts));
    let text = format!("{counts:?}");
    assert!(text.contains("exposures: 1") && text.contains("defaultValue: 2"), "{text}");
}

/// Loses every exposure by itself, and panics for each evaluation.
struct Lossy;

impl Plugin for Lossy {
    fn experiment_viewed(&self, _: &ExperimentViewed<'_>) {}

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn feature_usage(&self, _: &FeatureUsage<'_>) {
        panic!("a broken plugin");
    }

    fn lost_events(&self) -> u64 {
        10
    }
}

/// Cannot count what it has lost.
struct Broken;

impl Plugin for Broken {
    fn lost_events(&self) -> u64 {
        panic!("a broken plugin");
    }
}

#[test]
fn lost_events_of_all_plugins_are_added() {
    let client = built(builder().plugin(Lossy).plugin(Broken).count_events());
    assert_eq!(client.status().lost_events, 10);
    let recorder = recorder::Memory::default();
    recorder.record(|| {
        scope(&client).is_on("experiment");
        scope(&client).is_on("default");
    });
    assert_eq!(client.status().lost_events, 12);
    assert_eq!(recorder.counters(), [("growthbook_lost_events_total".to_owned(), 2)]);
    // The other plugins lose nothing.
    assert_eq!(client.status().events.unwrap().all_evaluations(), 2);
}

#[test]
fn events_without_a_way_to_the_ingestor_are_lost() {
    // An embedded client has no client key.
    let tracking = IngestorTracking::new(TrackingOptions::new()).unwrap();
    let client = built(builder().plugin(tracking));
    let recorder = recorder::Memory::default();
    recorder.record(|| {
        scope(&client).log_event("Sign Up", [("plan", "pro".into())]);
    });
    assert_eq!(client.status().lost_events, 1);
    assert_eq!(recorder.counter("growthbook_lost_events_total"), 1);
}
