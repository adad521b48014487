//! A recorder of metrics that keeps counters and gauges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};

/// Keeps metrics by name and labels, such as `evaluations{source=force}`.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    counters: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    gauges: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    described: Arc<Mutex<Vec<String>>>,
}

impl Memory {
    /// Calls a function with this recorder.
    pub(crate) fn record(&self, call: impl FnOnce()) {
        with_local_recorder(self, call);
    }

    /// Returns all counters, in alphabetical order.
    pub(crate) fn counters(&self) -> Vec<(String, u64)> {
        let counters = self.counters.lock().unwrap();
        counters.iter().map(|(name, it)| (name.clone(), it.load(Ordering::Relaxed))).collect()
    }

    /// Returns a counter; 0 if it was not used.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.counters.lock().unwrap().get(name).map_or(0, |it| it.load(Ordering::Relaxed))
    }

    /// Returns a gauge; `None` if it was not used.
    pub(crate) fn gauge(&self, name: &str) -> Option<f64> {
        let gauges = self.gauges.lock().unwrap();
        gauges.get(name).map(|it| f64::from_bits(it.load(Ordering::Relaxed)))
    }

    pub(crate) fn described(&self) -> Vec<String> {
        self.described.lock().unwrap().clone()
    }
}

impl Recorder for Memory {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().into());
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().into());
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let mut counters = self.counters.lock().unwrap();
        Counter::from_arc(counters.entry(full_name(key)).or_default().clone())
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let mut gauges = self.gauges.lock().unwrap();
        Gauge::from_arc(gauges.entry(full_name(key)).or_default().clone())
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn full_name(key: &Key) -> String {
    let labels: Vec<String> =
        key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    match labels.as_slice() {
        [] => key.name().into(),
        labels => format!("{}{{{}}}", key.name(), labels.join(",")),
    }
}
