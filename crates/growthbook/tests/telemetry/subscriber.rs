//! A subscriber that keeps events and spans.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// An event or span, and its fields.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) level: String,
    pub(crate) fields: Map<String, Value>,
    /// The number of times that a span was entered.
    pub(crate) entered: usize,
    pub(crate) is_closed: bool,
}

impl Recorded {
    fn new(metadata: &'static Metadata<'static>) -> Self {
        Recorded {
            name: metadata.name(),
            target: metadata.target(),
            level: metadata.level().to_string(),
            fields: Map::new(),
            entered: 0,
            is_closed: false,
        }
    }
}

/// Keeps what this crate reports.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    recorded: Arc<Mutex<Vec<Recorded>>>,
    /// Whether each call panics.
    panics: bool,
}

impl Memory {
    pub(crate) fn panicking() -> Self {
        Memory { panics: true, ..Memory::default() }
    }

    /// Calls a function with this subscriber, and returns what was recorded since the last call.
    pub(crate) fn record(&self, call: impl FnOnce()) -> Vec<Recorded> {
        tracing::subscriber::with_default(self.clone(), call);
        std::mem::take(&mut self.recorded.lock().unwrap())
    }

    fn with(&self, id: &Id, change: impl FnOnce(&mut Recorded)) {
        assert!(!self.panics, "a broken subscriber");
        let index = usize::try_from(id.into_u64()).unwrap() - 1;
        change(self.recorded.lock().unwrap().get_mut(index).unwrap());
    }
}

impl Subscriber for Memory {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("growthbook")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        assert!(!self.panics, "a broken subscriber");
        let mut recorded = Recorded::new(span.metadata());
        span.record(&mut Fields(&mut recorded.fields));
        let mut all = self.recorded.lock().unwrap();
        all.push(recorded);
        Id::from_u64(all.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        self.with(id, |recorded| values.record(&mut Fields(&mut recorded.fields)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        assert!(!self.panics, "a broken subscriber");
        let mut recorded = Recorded::new(event.metadata());
        event.record(&mut Fields(&mut recorded.fields));
        self.recorded.lock().unwrap().push(recorded);
    }

    fn enter(&self, id: &Id) {
        self.with(id, |recorded| recorded.entered += 1);
    }

    fn exit(&self, _: &Id) {
        assert!(!self.panics, "a broken subscriber");
    }

    fn try_close(&self, id: Id) -> bool {
        self.with(&id, |recorded| recorded.is_closed = true);
        true
    }
}

/// Keeps fields with their types.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn keep(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().into(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.keep(field, json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, json!(value));
    }
}
