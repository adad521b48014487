//! The counters of a source, for the recorder of the crate `metrics`.
//!
//! A recorder is foreign code: it may block, and it may panic. So the counters are added up under the
//! lock of the source as ever, and the recorder gets the differences later, under no lock.

use growthbook_support::contain;
use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::Source;
use crate::status::{Counters, StreamState};

/// A counter: its name, its description, and where its count is.
type Counter = (&'static str, &'static str, fn(&Counters) -> u64);

/// Every counter. `Counters` documents them.
const COUNTERS: [Counter; 9] = [
    ("growthbook_fetches_total", "requests for the payload", |it| it.fetches),
    ("growthbook_fetches_not_modified_total", "requests answered with \"not modified\"", |it| {
        it.not_modified
    }),
    ("growthbook_fetch_failures_total", "fetches and streamed payloads that failed", |it| {
        it.failures
    }),
    ("growthbook_payloads_shared_total", "payloads and confirmations of other processes", |it| {
        it.shared
    }),
    ("growthbook_payloads_applied_total", "payloads that were taken into use", |it| it.updates),
    ("growthbook_payloads_older_total", "payloads that were older than the one in use", |it| {
        it.older_ignored
    }),
    ("growthbook_streams_opened_total", "streams that were opened", |it| it.streams_opened),
    ("growthbook_stream_reconnects_total", "attempts to open a stream after the first one", |it| {
        it.stream_reconnects
    }),
    ("growthbook_stream_events_total", "events that brought or announced a payload", |it| {
        it.stream_events
    }),
];

/// Calls of a cache or of its lease that failed.
const CACHE_ERRORS: &str = "growthbook_cache_errors_total";

/// The number of streams that are open.
const STREAMS_OPEN: &str = "growthbook_streams_open";

/// What the recorder has received.
#[derive(Clone, Copy, Default)]
pub(super) struct Published {
    counters: Counters,
    is_stream_open: bool,
}

/// Counts a failure of a cache.
pub(super) fn count_cache_error() {
    let _ = contain(|| counter!(CACHE_ERRORS).increment(1));
}

impl Source {
    /// Describes the metrics to the recorder.
    pub(super) fn describe_metrics() {
        let _ = contain(|| {
            for (name, description, _) in COUNTERS {
                describe_counter!(name, description);
            }
            describe_counter!(CACHE_ERRORS, "calls of a cache or of its lease that failed");
            describe_gauge!(STREAMS_OPEN, "streams of changes that are open");
        });
    }

    /// Adds to the metrics what happened since the last call. Call it under no lock, and only when
    /// nothing waits for the calling thread.
    pub(super) fn publish_metrics(&self) {
        let mut state = self.lock();
        let now = Published {
            counters: state.health.counters,
            is_stream_open: matches!(state.health.stream(), StreamState::Open),
        };
        let before = std::mem::replace(&mut state.published, now);
        drop(state);
        // If the recorder panics, the difference is lost.
        let _ = contain(|| {
            for (name, _, count) in COUNTERS {
                let increase = count(&now.counters).saturating_sub(count(&before.counters));
                if increase > 0 {
                    counter!(name).increment(increase);
                }
            }
            match (before.is_stream_open, now.is_stream_open) {
                (false, true) => gauge!(STREAMS_OPEN).increment(1.0),
                (true, false) => gauge!(STREAMS_OPEN).decrement(1.0),
                _ => {}
            }
        });
    }
}
