//! Panics in every trait and callback that an application implements.
//!
//! Two kinds of foreign code are not in the table. `FeatureName` and `Deserialize` run for one
//! argument of one call, on the caller's thread: a panic there is the caller's own. `Observer` of
//! `growthbook-core` is not used with a client. The tests of `WriteBehind` have its callback.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use growthbook::attributes::AttributeList;
use growthbook::auto::AutoExperimentOptions;
use growthbook::cache::{
    CacheChanged, CacheWatch, CachedPayload, FetchLease, LeaseOutcome, MemoryCache, PayloadCache,
    PayloadCacheError, PayloadKey,
};
use growthbook::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook::tracking::{CustomEvent, ExperimentViewed, FeatureUsage, Plugin, PluginOwner};
use growthbook::{
    AttributeRef, AttributeSource, Client, Experiment, PayloadChange, PayloadSource, UserContext,
};
use serde_json::json;
use test_server::{FeaturesServer, Reply};

use crate::support::{OFTEN, PATIENCE, builder, eventually, for_each, in_time, memory};

/// The code of the application, which panics in one place.
#[derive(Clone)]
struct Foreign {
    panics_in: &'static str,
    panics: Arc<AtomicUsize>,
    cache: MemoryCache,
}

impl Foreign {
    fn call(&self, place: &str) {
        if place == self.panics_in {
            self.panics.fetch_add(1, Ordering::Relaxed);
            panic!("{place} panics");
        }
    }
}

impl StickyBucketStore for Foreign {
    fn get_all(&self, _: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        self.call("StickyBucketStore::get_all");
        if self.panics_in == "Display of the store's error" {
            return Err(StickyBucketStoreError::new(self.error()));
        }
        Ok(StickyBuckets::new())
    }

    fn save(&self, _: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.call("StickyBucketStore::save");
        Ok(())
    }
}

impl AttributeSource for Foreign {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        self.call("AttributeSource::attribute");
        match name {
            "tags" => Some(AttributeRef::List(self)),
            "device" => Some(AttributeRef::Object(self)),
            "broken" => {
                self.call("AttributeSource::attribute of an object");
                None
            }
            _ => None,
        }
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        visitor("region", "eu".into());
        self.call("AttributeSource::visit");
    }
}

impl Plugin for Foreign {
    fn start(&self, _: &PluginOwner<'_>) {
        self.call("Plugin::start");
    }

    fn wants_exposures(&self) -> bool {
        self.call("Plugin::wants_exposures");
        true
    }

    fn experiment_viewed(&self, _: &ExperimentViewed<'_>) {
        self.call("Plugin::experiment_viewed");
    }

    fn wants_results(&self) -> bool {
        self.call("Plugin::wants_results");
        true
    }

    fn result(&self, _: &ExperimentViewed<'_>) {
        self.call("Plugin::result");
    }

    fn wants_feature_usage(&self) -> bool {
        self.call("Plugin::wants_feature_usage");
        true
    }

    fn feature_usage(&self, _: &FeatureUsage<'_>) {
        self.call("Plugin::feature_usage");
    }

    fn event(&self, _: &CustomEvent<'_>) {
        self.call("Plugin::event");
    }

    fn payload_changed(&self, _: &PayloadChange) {
        self.call("Plugin::payload_changed");
    }

    fn refresh_failed(&self, _: &(dyn Error + 'static)) {
        self.call("Plugin::refresh_failed");
    }

    fn stop(&self, _: Duration) -> bool {
        self.call("Plugin::stop");
        true
    }
}

impl AttributeList for Foreign {
    fn len(&self) -> usize {
        self.call("AttributeList::len");
        1
    }

    fn item(&self, _: usize) -> AttributeRef<'_> {
        self.call("AttributeList::item");
        "beta".into()
    }
}

impl PayloadCache for Foreign {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        self.call("PayloadCache::get");
        if self.panics_in == "Display of the cache's error" {
            return Err(PayloadCacheError::new(self.error()));
        }
        self.cache.get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.call("PayloadCache::put");
        self.cache.put(key, payload)
    }

    fn confirm(&self, _: &PayloadKey, _: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.call("PayloadCache::confirm");
        Ok(())
    }

    fn fetch_lease(&self) -> Option<&dyn FetchLease> {
        self.call("PayloadCache::fetch_lease");
        Some(self)
    }

    fn disconnect(&self, _: Duration) -> bool {
        self.call("PayloadCache::disconnect");
        true
    }

    fn source(&self) -> PayloadSource {
        self.call("PayloadCache::source");
        PayloadSource::Cache
    }
}

impl FetchLease for Foreign {
    fn acquire(
        &self,
        _: &PayloadKey,
        _: Option<&CachedPayload>,
        _: Duration,
    ) -> Result<LeaseOutcome, PayloadCacheError> {
        self.call("FetchLease::acquire");
        Ok(LeaseOutcome::Acquired)
    }

    fn release(&self, _: &PayloadKey) -> Result<(), PayloadCacheError> {
        self.call("FetchLease::release");
        Ok(())
    }

    fn watch(&self, _: &PayloadKey, _: CacheChanged) -> Option<CacheWatch> {
        self.call("FetchLease::watch");
        Some(Box::new(Watch(self.clone())))
    }
}

struct Watch(Foreign);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.call("Drop of CacheWatch");
    }
}

impl Foreign {
    fn error(&self) -> ForeignError {
        ForeignError(self.clone())
    }
}

struct ForeignError(Foreign);

impl std::fmt::Debug for ForeignError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ForeignError")
    }
}

impl std::fmt::Display for ForeignError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.call(self.0.panics_in);
        Ok(())
    }
}

impl std::error::Error for ForeignError {}

/// Every place where the client calls code of the application.
const PLACES: [&str; 35] = [
    "StickyBucketStore::get_all",
    "StickyBucketStore::save",
    "Display of the store's error",
    "AttributeSource::attribute",
    "AttributeSource::attribute of an object",
    "AttributeSource::visit",
    "AttributeList::len",
    "AttributeList::item",
    "PayloadCache::get",
    "PayloadCache::put",
    "PayloadCache::confirm",
    "PayloadCache::fetch_lease",
    "PayloadCache::disconnect",
    "PayloadCache::source",
    "Display of the cache's error",
    "FetchLease::acquire",
    "FetchLease::release",
    "FetchLease::watch",
    "Drop of CacheWatch",
    "on_experiment_viewed",
    "on_feature_usage",
    "on_update",
    "on_refresh_failed",
    "clock",
    "Plugin::start",
    "Plugin::wants_exposures",
    "Plugin::experiment_viewed",
    "Plugin::wants_results",
    "Plugin::result",
    "Plugin::wants_feature_usage",
    "Plugin::feature_usage",
    "Plugin::event",
    "Plugin::payload_changed",
    "Plugin::refresh_failed",
    "Plugin::stop",
];

/// A payload whose flags need every method of a source.
fn payload(value: i64) -> String {
    json!({"status": 200, "features": {
        "flag": {"defaultValue": value},
        "listed": {"defaultValue": 0, "rules": [
            {"condition": {"tags": {"$elemMatch": {"$eq": "beta"}}}, "force": value},
            {"condition": {"tags": {"$size": 3}}, "force": -1},
        ]},
        "nested": {"defaultValue": value, "rules": [
            {"condition": {"device.broken": "x"}, "force": -1},
        ]},
        "experiment": {"defaultValue": -1, "rules": [
            {"key": "e", "hashAttribute": "user", "variations": [value, value],
             "meta": [{"key": "0"}, {"key": "1"}]},
        ]},
    }})
    .to_string()
}

#[test]
fn no_panic_of_foreign_code_has_an_effect() {
    for_each(
        &PLACES,
        |place| place,
        |place| {
            let server = FeaturesServer::start(&payload(1));
            let foreign = Foreign { panics_in: place, panics: Arc::default(), cache: memory() };
            // A client that starts with a cached payload asks the cache for its source.
            let client = start(&server, &foreign);
            eventually("a payload", || answers(&client, &foreign) == Some(1));
            drop(client);
            let client = start(&server, &foreign);
            for value in 2..5 {
                server.set_payload_quietly(&payload(value));
                eventually("the next payload", || answers(&client, &foreign) == Some(value));
            }
            eventually("a confirmed payload", || client.status().counters.not_modified > 0);
            // The lease of a fetch that fails is released.
            server.always_features(Reply::status(500));
            eventually("a failed fetch", || client.status().last_error.is_some());
            server.always_features(None);
            server.set_payload_quietly(&payload(5));
            eventually("the last payload", || answers(&client, &foreign) == Some(5));
            in_time("closing", move || client.close(PATIENCE)).unwrap();
            assert!(foreign.panics.load(Ordering::Relaxed) > 0, "{place} was not called");
        },
    );
}

fn start(server: &FeaturesServer, foreign: &Foreign) -> Client {
    let callback = |place| {
        let foreign = foreign.clone();
        move || foreign.call(place)
    };
    let viewed = callback("on_experiment_viewed");
    let used = callback("on_feature_usage");
    let updated = callback("on_update");
    let failed = callback("on_refresh_failed");
    let clock = callback("clock");
    builder(server)
        .cache(foreign.clone())
        .sticky_bucket_store(foreign.clone())
        .plugin(foreign.clone())
        .clock(move || {
            clock();
            0
        })
        .on_experiment_viewed(move |it| {
            it.user.attributes();
            viewed();
        })
        .on_feature_usage(move |_| used())
        .on_update(move |_| updated())
        .on_refresh_failed(move |_| failed())
        .refresh(OFTEN)
        .start()
        .unwrap()
}

/// Evaluates in every way. Returns the value that the flags have.
fn answers(client: &Client, foreign: &Foreign) -> Option<i64> {
    let user = UserContext::default().attribute("user", "u");
    let gb = client.for_user(user).with_source(foreign);
    let value = gb.eval_feature("flag").value().as_i64()?;
    assert!(gb.is_on("flag"));
    for flag in ["flag", "nested", "experiment"] {
        assert_eq!(gb.feature_value(flag, -1), value, "{flag}");
    }
    // Without the source the user has no tags.
    let lacks_tags = foreign.panics_in.starts_with("Attribute");
    let listed = gb.feature_value("listed", -1);
    assert!(listed == value || (lacks_tags && listed == 0), "{listed}");
    assert_eq!(gb.evaluate_all().get("nested")?.value().as_i64(), Some(value));
    assert!(gb.explain("nested").to_string().starts_with("nested"));
    assert_eq!(*gb.run(&Experiment::new("inline", [value, value])).value, value);
    assert!(gb.run_auto_experiments(&AutoExperimentOptions::default()).is_empty());
    gb.log_event("event", [("value", json!(value))]);
    Some(value)
}
