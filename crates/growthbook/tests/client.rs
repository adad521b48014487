//! The client around the evaluation: payloads replaced in whole, callbacks, forced
//! values, typed values, and secrets that stay out of logs and debug output.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, Once, OnceLock};
use std::thread;

use growthbook::auto::AutoExperimentOptions;
use growthbook::observe::{Exposure, Observer};
use growthbook::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook::tracking::ExposureDeduplication;
use growthbook::{
    Attributes, Client, ClientBuilder, Embedded, Experiment, FeatureResult,
    FeatureResultSource as Source, GlobalContext, PayloadError, UserContext,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const GOOD: &str =
    r#"{"features": {"flag": {"defaultValue": "old"}}, "savedGroups": {"g": ["u"]}}"#;

// Payloads.

#[test]
fn refused_payload_leaves_the_old_one() {
    let cases: [(&[u8], PayloadError); 6] = [
        (b"", PayloadError::Syntax { line: 1, column: 0 }),
        (br#"{"features": {"flag": {"defa"#, PayloadError::Syntax { line: 1, column: 28 }),
        (b"\xff", PayloadError::NotUtf8),
        (b"<html></html>", PayloadError::Syntax { line: 1, column: 1 }),
        (b"{}", PayloadError::MissingFeatures),
        (br#"{"features": []}"#, PayloadError::FeaturesNotAnObject),
    ];
    let client = Client::from_json(GOOD).unwrap();
    for (document, expected) in cases {
        assert_eq!(client.set_payload(document), Err(expected));
        assert_eq!(client.for_user("u").feature_value("flag", ""), "old");
    }
    assert_eq!(client.set_features(&json!([])), Err(PayloadError::FeaturesNotAnObject));
    assert_eq!(client.features().len(), 1);

    client.set_payload(r#"{"features": {}}"#).unwrap();
    assert!(client.features().is_empty());
}

#[test]
fn hundreds_of_scopes_survive_replacements() {
    fn is_shared_between_threads<T: Send + Sync>(_: &T) {}

    let client = Client::from_json(GOOD).unwrap();
    let scopes: Vec<_> = (0..100)
        .map(|number| {
            let features = json!({"flag": {"defaultValue": number}});
            client.set_features(&features).unwrap();
            client.for_user("u")
        })
        .collect();
    is_shared_between_threads(&scopes);
    drop(client);
    let values = thread::spawn(move || {
        scopes.iter().map(|gb| gb.feature_value("flag", -1)).collect::<Vec<i32>>()
    });
    assert_eq!(values.join().unwrap(), (0..100).collect::<Vec<_>>());
}

/// A section is never taken from another payload.
#[test]
fn set_payload_replaces_every_section() {
    let client = Client::from_json(
        r#"{"features": {"flag": {"rules": [{"condition": {"id": {"$inGroup": "g"}}, "force": 1}]}},
            "savedGroups": {"g": ["u"]}, "experiments": [{"key": "e", "variations": [{}, {}]}]}"#,
    )
    .unwrap();
    assert!(client.for_user("u").is_on("flag"));
    for document in [r#"{"savedGroups": {"g": []}}"#, r#"{"experiments": []}"#, "{}"] {
        assert_eq!(client.set_payload(document), Err(PayloadError::MissingFeatures));
        assert!(client.for_user("u").is_on("flag"));
    }
    let features = json!({"features": client.features()});
    client.set_payload(features.to_string()).unwrap();
    assert!(client.for_user("u").is_off("flag"));
    assert_eq!(client.payload().to_json_string(), features.to_string());
}

/// Freeing a payload takes long. The thread that replaces payloads does it, never a scope.
#[test]
fn unused_payload_is_freed_by_the_next_replacement() {
    let client = Client::from_json(GOOD).unwrap();
    let replace = || {
        let snapshot = Arc::downgrade(&client.snapshot());
        client.set_payload(GOOD).unwrap();
        snapshot
    };
    assert_eq!(replace().strong_count(), 0, "nobody had it");

    let scope = client.for_user("u");
    let held = replace();
    assert_eq!(scope.feature_value("flag", ""), "old");
    drop(scope);
    assert_eq!(held.strong_count(), 1, "the scope did not free it");
    replace();
    assert_eq!(held.strong_count(), 0);
}

#[test]
fn set_features_keeps_the_saved_groups() {
    let client = Client::from_json(GOOD).unwrap();
    let rule = json!({"condition": {"id": {"$inGroup": "g"}}, "force": "new"});
    client.set_features(&json!({"flag": {"defaultValue": "old", "rules": [rule]}})).unwrap();
    assert_eq!(client.for_user("u").feature_value("flag", ""), "new");
    assert_eq!(client.for_user("v").feature_value("flag", ""), "old");
}

/// A payload that is set while features are set keeps its other sections.
#[test]
fn features_and_payloads_may_be_set_at_once() {
    let flags: Map<String, Value> =
        (0..100).map(|flag| (format!("flag-{flag}"), json!({"defaultValue": flag}))).collect();
    let flags = Value::from(flags);
    for _ in 0..100 {
        let client = Client::from_json(GOOD).unwrap();
        let started = Barrier::new(2);
        thread::scope(|threads| {
            threads.spawn(|| {
                started.wait();
                client.set_features(&flags).unwrap();
            });
            started.wait();
            client.set_payload(r#"{"features": {}, "dateUpdated": "2026-01-01"}"#).unwrap();
        });
        assert_eq!(client.snapshot().date_updated(), Some("2026-01-01"));
    }
}

/// Two flags that change together always agree in a scope.
#[test]
fn scope_keeps_its_payload() {
    const READERS: usize = 2;
    const UPDATES: usize = 300;
    let payload =
        |n: usize| json!({"features": {"a": {"defaultValue": n}, "b": {"defaultValue": n}}});
    let client = Client::from_json(payload(1).to_string()).unwrap();
    let first = client.for_user("u");
    let started = Barrier::new(READERS + 2);
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        for _ in 0..READERS {
            threads.spawn(|| {
                started.wait();
                let mut last = 0;
                while !done.load(Ordering::Acquire) {
                    let scope = client.for_user("u");
                    let seen = scope.feature_value("a", 0);
                    assert_eq!(scope.feature_value("b", 0), seen);
                    assert_eq!(scope.feature_value("a", 0), seen);
                    assert!(seen >= last, "{seen} after {last}");
                    last = seen;
                }
            });
        }
        // A change of settings is not lost, and does not undo a payload.
        threads.spawn(|| {
            started.wait();
            (1..=UPDATES).for_each(|n| client.set_attributes(json!({"n": n})));
        });
        started.wait();
        for n in 2..=UPDATES {
            client.set_payload(payload(n).to_string()).unwrap();
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(client.attributes().get("n").unwrap().to_json(), UPDATES);
    assert_eq!(first.feature_value("a", 0), 1);
    assert_eq!(client.for_user("u").feature_value("b", 0), UPDATES);
}

#[test]
fn settings_reach_later_scopes() {
    let client = Client::from_json(r#"{"features": {}}"#).unwrap();
    let experiment = Experiment::new("exp", [0, 1]);
    let before = client.for_user("u");
    client.set_enabled(false);
    assert!(before.run(&experiment).in_experiment);
    assert!(!client.for_user("u").run(&experiment).in_experiment);
}

#[test]
fn settings_can_be_read() {
    let builder = Client::embedded()
        .features(json!({"flag": {"defaultValue": 1}}))
        .attributes(json!({"region": "eu"}))
        .url("https://example.com/a")
        .enabled(false)
        .qa_mode(true)
        .skip_all_experiments(true)
        .forced_variations([("exp", 1)])
        .forced_features([("flag", json!(2))]);
    let built = builder.build().unwrap();
    let set = Client::from_json(r#"{"features": {}}"#).unwrap();
    set.set_features(&json!({"flag": {"defaultValue": 1}})).unwrap();
    set.set_attributes(json!({"region": "eu"}));
    set.set_url("https://example.com/a");
    set.set_enabled(false);
    set.set_qa_mode(true);
    set.set_skip_all_experiments(true);
    set.set_forced_variations([("exp", 1)]);
    set.set_forced_features([("flag", json!(2))]);
    for client in [built, set] {
        assert_eq!(Value::from(client.features()), json!({"flag": {"defaultValue": 1}}));
        assert_eq!(client.attributes().get("region").unwrap().to_json(), "eu");
        assert_eq!(client.url(), "https://example.com/a");
        assert!(!client.is_enabled() && client.is_qa_mode() && client.skips_all_experiments());
        assert_eq!(client.forced_variations(), [("exp".into(), 1)]);
        assert_eq!(client.forced_features(), [("flag".into(), json!(2))]);

        client.set_globals(GlobalContext::new());
        assert!(client.is_enabled() && !client.is_qa_mode() && !client.skips_all_experiments());
        assert!(client.attributes().is_empty() && client.url().is_empty());
        assert!(client.forced_variations().is_empty() && client.forced_features().is_empty());
    }
}

// Callbacks.

/// Returns a builder with an experiment in the feature `exp`.
fn experimenting() -> ClientBuilder<Embedded> {
    Client::embedded().features(json!({
        "exp": {"defaultValue": 0, "rules": [{"variations": [1, 2], "hashVersion": 2}]},
    }))
}

#[test]
fn remembered_exposure_is_reported_once() {
    let cases: [(usize, &[&str], &[&str]); 6] = [
        (10, &["a", "a", "a"], &["a"]),
        (10, &["a", "b", "a", "b"], &["a", "b"]),
        (1, &["a", "b", "a"], &["a", "b", "a"]),
        (2, &["a", "b", "c", "a"], &["a", "b", "c", "a"]),
        // An exposure that is seen again is forgotten later.
        (2, &["a", "b", "a", "c", "a"], &["a", "b", "c"]),
        (usize::MAX, &["a", "b", "a"], &["a", "b"]),
    ];
    for (size, users, expected) in cases {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = heard.clone();
        let client = experimenting()
            .deduplicate_exposures(ExposureDeduplication::Lru(NonZeroUsize::new(size).unwrap()))
            .on_experiment_viewed(move |viewed| {
                listener.lock().unwrap().push(viewed.to_record().hash_value_text());
            })
            .build()
            .unwrap();
        for &user in users {
            client.for_user(user).is_on("exp");
        }
        assert_eq!(*heard.lock().unwrap(), expected, "{size} remembered, {users:?}");
    }
}

#[test]
fn exposures_differ_by_experiment_not_by_feature() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let rule = |key: &str| json!({"rules": [{"variations": [1, 2], "key": key}]});
    let client = Client::embedded()
        .features(json!({"f": rule("one"), "g": rule("one"), "h": rule("two")}))
        .on_experiment_viewed(move |viewed| {
            let feature = viewed.result.feature_id.map(str::to_owned);
            listener.lock().unwrap().push((viewed.experiment.key().to_owned(), feature));
        })
        .build()
        .unwrap();
    let scope = client.for_user("u");
    for feature in ["f", "g", "h"] {
        scope.eval_feature(feature);
    }
    scope.run(&Experiment::new("one", [1, 2]));
    scope.run(&Experiment::new("three", [1, 2]));
    // A forced variation is not an exposure.
    scope.run(&Experiment::new("four", [1, 2]).force(1));
    let event = |key: &str, feature: Option<&str>| (key.to_owned(), feature.map(str::to_owned));
    let expected = [event("one", Some("f")), event("two", Some("h")), event("three", None)];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn feature_usage_reports_prerequisites_first() {
    let needs = |parent: &str| {
        let parents = json!([{"id": parent, "condition": {"value": {"$exists": true}}}]);
        json!({"defaultValue": 0, "rules": [{"parentConditions": parents, "force": 1}]})
    };
    let features =
        json!({"a": needs("b"), "b": needs("c"), "c": {"defaultValue": 1}, "d": needs("a")});
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("c", &[], &["c"]),
        ("a", &[], &["c", "b", "a"]),
        ("nothing", &[], &["nothing"]),
        ("a", &["a"], &[]),
        ("a", &["b"], &["a"]),
        ("nothing", &["nothing"], &[]),
    ];
    for (asked, forced, expected) in cases {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = heard.clone();
        let client = Client::embedded()
            .features(features.clone())
            .forced_features(forced.iter().map(|&key| (key, json!(7))))
            .on_feature_usage(move |usage| listener.lock().unwrap().push(usage.key.to_owned()))
            .build()
            .unwrap();
        client.for_user("u").eval_feature(asked);
        assert_eq!(*heard.lock().unwrap(), expected, "{asked} with {forced:?} forced");
    }
}

/// A lock held around a callback would make this hang.
#[test]
fn callbacks_may_call_back_into_the_client() {
    let slot: Arc<OnceLock<Client>> = Arc::default();
    let (for_views, for_usage) = (slot.clone(), slot.clone());
    let usages = Arc::new(AtomicUsize::new(0));
    let counted = usages.clone();
    let client = experimenting()
        .on_experiment_viewed(move |viewed| {
            let client = for_views.get().unwrap();
            client.for_user("another").is_on("exp");
            client.set_forced_features([("exp", json!(9))]);
            client.for_user(viewed.user.context().clone()).is_on("exp");
            client.set_features(&json!({})).unwrap();
        })
        .on_feature_usage(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            for_usage.get().unwrap().set_attributes(json!({"seen": true}));
        })
        .sticky_bucket_store(())
        .build()
        .unwrap();
    assert!(slot.set(client.clone()).is_ok());
    let scope = client.for_user("u");
    // The scope still answers from its own payload.
    assert_eq!(scope.eval_feature("exp").source, Source::Experiment);
    assert_eq!(client.for_user("u").eval_feature("exp").source, Source::Override);
    assert!(client.features().is_empty());
    assert!(client.attributes().get("seen").is_some());
    assert!(usages.load(Ordering::Relaxed) >= 2);
}

#[test]
fn panicking_callback_changes_nothing() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (viewed, used) = (calls.clone(), calls.clone());
    let client = experimenting()
        .on_experiment_viewed(move |_| {
            viewed.fetch_add(1, Ordering::Relaxed);
            std::panic::panic_any("on purpose");
        })
        .on_feature_usage(move |_| {
            used.fetch_add(1, Ordering::Relaxed);
            std::panic::panic_any("on purpose");
        })
        .build()
        .unwrap();
    let quiet = experimenting().build().unwrap();
    for user in ["a", "b", "c"] {
        let expected = quiet.for_user(user).feature_value("exp", 0);
        assert_eq!(client.for_user(user).feature_value("exp", 0), expected);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

// Forced values.

#[test]
fn user_overrides_outrank_global_ones() {
    let user = |feature: Option<i32>, variation: Option<i64>| {
        let user = UserContext::new("u");
        let user = feature.into_iter().fold(user, |user, value| user.forced_feature("f", value));
        variation.into_iter().fold(user, |user, index| user.forced_variation("exp", index))
    };
    // Forced for the user, forced for all users, and the result.
    let features = [(None, None, 0), (None, Some(1), 1), (Some(2), None, 2), (Some(2), Some(1), 2)];
    for (own, global, expected) in features {
        let client = Client::embedded()
            .features(json!({"f": {"defaultValue": 0}}))
            .forced_features(global.map(|value: i32| ("f", json!(value))))
            .build()
            .unwrap();
        let value = client.for_user(user(own, None)).feature_value("f", -1);
        assert_eq!(value, expected, "{own:?} for the user, {global:?} for all");
    }
    let experiment = Experiment::new("exp", [0, 1, 2, 3]).weights([0.0, 0.0, 0.0, 1.0]);
    let variations =
        [(None, None, 3), (None, Some(1), 1), (Some(2), None, 2), (Some(2), Some(1), 2)];
    for (own, global, expected) in variations {
        let client =
            Client::embedded().forced_variations(global.map(|index| ("exp", index))).build();
        let scope = client.unwrap().for_user(user(None, own));
        let value = *scope.run(&experiment).value;
        assert_eq!(value, expected, "{own:?} for the user, {global:?} for all");
    }
}

// Typed values.

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Limits {
    rps: u32,
    #[serde(default)]
    burst: Option<u32>,
}

/// Reads a value as a type; the fallback if the value has another type.
fn typed<T>(value: Value, fallback: T, expected: T)
where
    T: for<'de> Deserialize<'de> + PartialEq + Clone + fmt::Debug,
{
    let client = Client::embedded().features(json!({"f": {"defaultValue": value}})).build();
    let scope = client.unwrap().for_user("u");
    assert_eq!(scope.feature_value("f", fallback.clone()), expected, "{value}");
    assert_eq!(scope.feature_value("nothing", fallback.clone()), fallback);
}

#[test]
fn values_have_the_type_of_the_fallback() {
    let limits = |rps, burst| Limits { rps, burst };
    typed(json!(true), false, true);
    typed(json!("true"), false, false);
    typed(json!(1), false, false);
    typed(json!(null), true, true);
    typed(json!(42), 7_i32, 42);
    typed(json!(-1), 7_u8, 7);
    typed(json!(4_000_000_000_u32), 7_i32, 7);
    typed(json!(4.5), 7_i32, 7);
    typed(json!("42"), 7_i32, 7);
    typed(json!(null), 7_i32, 7);
    typed(json!(4.5), 7.0_f64, 4.5);
    typed(json!(4), 7.0_f64, 4.0);
    typed(json!("green"), "blue".to_owned(), "green".to_owned());
    typed(json!(4), "blue".to_owned(), "blue".to_owned());
    typed(json!([1, 2]), vec![7], vec![1, 2]);
    typed(json!([1, "2"]), vec![7], vec![7]);
    typed(json!({"a": 1}), BTreeMap::new(), BTreeMap::from([("a".to_owned(), 1)]));
    typed(json!({"rps": 50}), limits(7, None), limits(50, None));
    typed(json!({"rps": 50, "burst": 9, "more": 0}), limits(7, None), limits(50, Some(9)));
    typed(json!({"burst": 9}), limits(7, None), limits(7, None));
    typed(json!(3), Some(7), Some(3));
    typed(json!(null), Some(7), Some(7));
    typed(json!("three"), Some(7), Some(7));
    typed(json!({"any": ["thing"]}), Value::Null, json!({"any": ["thing"]}));
}

#[test]
fn text_is_borrowed_from_the_payload() {
    let client = Client::from_json(GOOD).unwrap();
    let scope = client.for_user("u");
    let cases = [("flag", "old"), ("nothing", "fallback")];
    for (key, expected) in cases {
        assert_eq!(scope.feature_value::<&str>(key, "fallback"), expected);
    }
}

// Logs and debug output.

thread_local! {
    static RECORDS: RefCell<Vec<(log::Level, String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Captures the records of one thread, so that tests do not disturb each other.
struct Recorder;

impl log::Log for Recorder {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let entry = (record.level(), record.target().to_owned(), record.args().to_string());
        RECORDS.with_borrow_mut(|records| records.push(entry));
    }

    fn flush(&self) {}
}

/// Returns the records of `work`.
fn logged(work: impl FnOnce()) -> Vec<(log::Level, String, String)> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Recorder).expect("no other logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
    RECORDS.take();
    work();
    RECORDS.take()
}

#[test]
fn slow_pattern_is_logged_once() {
    let rule = json!({"condition": {"text": {"$regex": "(?=(a+)+b)"}}, "force": true});
    let payload = json!({"features": {"f": {"rules": [rule]}}}).to_string();
    let client = Client::from_json(&payload).unwrap();
    let user = UserContext::default().attribute("text", "a".repeat(1_000));
    let slow = |records: Vec<(log::Level, String, String)>| {
        let is_slow = |(level, _, text): &(log::Level, String, String)| {
            *level == log::Level::Warn && text.contains("(?=(a+)+b)")
        };
        records.iter().filter(|record| is_slow(record)).count()
    };
    assert_eq!(slow(logged(|| assert!(client.for_user(&user).is_off("f")))), 1);
    assert_eq!(slow(logged(|| assert!(client.for_user(&user).is_off("f")))), 0);
    let has_warning =
        |client: &Client| client.warnings().iter().any(|it| it.to_string().contains("(?=(a+)+b)"));
    assert!(has_warning(&client));

    client.set_payload(payload.replace('}', "} ").as_str()).unwrap();
    assert_eq!(slow(logged(|| assert!(client.for_user(&user).is_off("f")))), 0);
    assert!(has_warning(&client));
}

/// Parts of attribute values and keys.
const SECRETS: [&str; 4] = ["secret", "73915", "Zvwv", "example.org"];

fn assert_no_secret(what: &str, text: &str) {
    assert!(!text.is_empty());
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

fn secretive_user() -> UserContext {
    UserContext::new("secret-id")
        .attribute("email", "secret@example.org")
        .attribute("pin", 73_915)
        .attribute("nested", json!({"deep": ["secret"]}))
        .url("https://example.org/secret?token=73915")
}

fn secretive_features() -> Value {
    json!({
        "exp": {"defaultValue": 0, "rules": [{"id": "r", "variations": [1, 2], "key": "exp"}]},
        "by-pin": {"defaultValue": 0, "rules": [{"variations": [1, 2], "hashAttribute": "pin"}]},
        "targeted": {"defaultValue": 0, "rules": [
            {"condition": {"email": "somebody", "nested.deep": {"$size": 3}}, "force": 1},
            {"condition": {"email": {"$regex": "("}}, "force": 2},
            {"coverage": 0, "hashAttribute": "email", "force": 3},
        ]},
    })
}

/// A store that answers every call with an error.
struct BrokenStore;

impl StickyBucketStore for BrokenStore {
    fn get_all(&self, _keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        Err(StickyBucketStoreError::new("out of order"))
    }

    fn save(&self, _document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        Err(StickyBucketStoreError::new("out of order"))
    }
}

/// A store with one document that cannot be loaded. It counts the saves.
struct Unreadable {
    asked: Arc<AtomicUsize>,
    saved: Arc<AtomicUsize>,
}

impl StickyBucketStore for Unreadable {
    fn get_all(&self, _keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Err(StickyBucketStoreError::new("a time-out"))
    }

    fn save(&self, _document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.saved.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A document that could not be loaded must not be replaced: it may have other assignments.
#[test]
fn unloaded_document_is_not_saved() {
    let (asked, saved) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let client = Client::embedded()
        .features(secretive_features())
        .sticky_bucket_store(Unreadable { asked: asked.clone(), saved: saved.clone() })
        .build()
        .unwrap();
    let scope = client.for_user("user-1");
    assert!(scope.is_on("exp"));
    // Assignments still stick within the scope, and the store is asked once.
    assert!(scope.eval_feature("exp").experiment_result.unwrap().in_experiment);
    scope.run(&Experiment::new("inline", [1, 2]));
    scope.run(&Experiment::new("inline", [1, 2]));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(saved.load(Ordering::Relaxed), 0);
    assert_eq!(scope.sticky_buckets().unwrap().iter().len(), 1);
    assert!(scope.take_changed_sticky_buckets().is_empty());
}

#[test]
fn changed_documents_are_taken_once() {
    let client = Client::embedded().features(secretive_features()).build().unwrap();
    let scope = client.for_user_with_sticky("user-1", StickyBuckets::new());
    assert!(scope.take_changed_sticky_buckets().is_empty());
    assert!(scope.is_on("exp"));
    // The copy has the changes too, and taking them from it leaves those of the scope.
    assert_eq!(scope.sticky_buckets().unwrap().take_changed().len(), 1);
    scope.run(&Experiment::new("inline", [1, 2]));
    let changed = scope.take_changed_sticky_buckets();
    assert_eq!((changed.len(), changed[0].assignments.len()), (1, 2));
    assert!(scope.is_on("exp"));
    assert!(scope.take_changed_sticky_buckets().is_empty());
    let without = client.for_user("user-1");
    assert!(without.is_on("exp") && without.take_changed_sticky_buckets().is_empty());
}

#[test]
fn changes_of_given_documents_are_saved_once() {
    let client = Client::embedded().features(secretive_features()).build().unwrap();
    let first = client.for_user_with_sticky("user-1", StickyBuckets::new());
    first.is_on("exp");
    let saved = Arc::new(AtomicUsize::new(0));
    let client = Client::embedded()
        .features(secretive_features())
        .sticky_bucket_store(Unreadable { asked: Arc::default(), saved: saved.clone() })
        .build()
        .unwrap();
    let second = client.for_user_with_sticky("user-1", first.sticky_buckets().unwrap());
    assert!(second.is_on("exp") && second.is_on("exp"));
    assert_eq!(saved.load(Ordering::Relaxed), 0);
    assert_eq!(second.take_changed_sticky_buckets().len(), 1);
}

#[test]
fn evaluate_all_keeps_sticky_assignments() {
    let experiment = json!({"key": "exp", "variations": [false, true], "weights": [0, 1],
        "meta": [{"key": "a"}, {"key": "b"}]});
    let viewed = Arc::new(AtomicUsize::new(0));
    let count = viewed.clone();
    let client = Client::embedded()
        .features(json!({"flag": {"rules": [experiment]}}))
        .on_experiment_viewed(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .unwrap();
    let assigned = json!({"attributeName": "id", "attributeValue": "user-1",
        "assignments": {"exp__0": "a"}});
    let assigned: StickyBucketDocument = serde_json::from_value(assigned).unwrap();
    // Hashing would assign variation 1, which is on.
    for (documents, is_on) in [(vec![assigned], false), (Vec::new(), true)] {
        let buckets: StickyBuckets = documents.into_iter().collect();
        let scope = client.for_user_with_sticky("user-1", buckets.clone());
        assert_eq!(scope.evaluate_all().get("flag").unwrap().on, is_on);
        assert_eq!(scope.sticky_buckets().unwrap().iter().len(), buckets.iter().len());
    }
    assert_eq!(viewed.load(Ordering::Relaxed), 0);
}

#[test]
fn records_have_one_target_and_no_secret() {
    let records = logged(|| {
        let client = Client::embedded()
            .features(secretive_features())
            .on_experiment_viewed(|viewed| {
                let value = viewed.hash_value_text();
                std::panic::panic_any(format!("on purpose: {value}"));
            })
            .sticky_bucket_store(BrokenStore)
            .build()
            .unwrap();
        let scope = client.for_user(secretive_user());
        for key in ["exp", "by-pin", "targeted", "nothing"] {
            scope.eval_feature(key);
        }
        scope.run(&Experiment::new("inline", [1, 2]));
        assert!(client.set_payload("nonsense").is_err());
    });
    let expected = [
        (log::Level::Warn, "payload: feature \"targeted\", rule 1"),
        (log::Level::Warn, "sticky bucket documents are not loaded: out of order"),
        (log::Level::Error, "the callback on_experiment_viewed panicked"),
        (log::Level::Debug, "feature \"exp\": experiment"),
        (log::Level::Debug, "feature \"nothing\": unknownFeature"),
        (log::Level::Debug, "experiment \"inline\": variation"),
    ];
    for (level, start) in expected {
        let found = records.iter().any(|(at, _, text)| *at == level && text.starts_with(start));
        assert!(found, "{level} {start:?} in {records:#?}");
    }
    for (_, target, text) in &records {
        assert_eq!(target, "growthbook", "{text}");
        assert_no_secret("a record", text);
    }
}

/// A store that is down does not flood the log.
#[test]
fn failing_store_is_logged_once() {
    struct Unwritable;

    impl StickyBucketStore for Unwritable {
        fn get_all(&self, _: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
            Ok(StickyBuckets::new())
        }

        fn save(&self, _: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
            Err(StickyBucketStoreError::new("out of order"))
        }
    }

    let ask = |builder: ClientBuilder<Embedded>| {
        let client = builder.features(secretive_features()).build().unwrap();
        let records = logged(|| {
            (0..1000).for_each(|user| {
                client.for_user(format!("user-{user}")).eval_feature("exp");
            });
        });
        let warnings = records.into_iter().filter(|(level, ..)| *level <= log::Level::Info);
        Vec::from_iter(warnings.map(|(_, _, text)| text))
    };
    let unreadable = ask(Client::embedded().sticky_bucket_store(BrokenStore));
    assert_eq!(unreadable, ["sticky bucket documents are not loaded: out of order"]);
    let unwritable = ask(Client::embedded().sticky_bucket_store(Unwritable));
    assert_eq!(unwritable, ["sticky bucket documents are not saved: out of order"]);
}

/// A payload with many broken rules does not flood the log. The warnings have all.
#[test]
fn warnings_are_logged_up_to_a_limit() {
    let features: BTreeMap<String, Value> =
        (0..50).map(|feature| (format!("f{feature}"), json!(7))).collect();
    let mut client = None;
    let records = logged(|| {
        client = Some(Client::embedded().features(json!(features)).build().unwrap());
    });
    assert_eq!(client.unwrap().warnings().len(), 50);
    assert_eq!(records.len(), 21);
    assert_eq!(records.last().unwrap().2, "payload: 30 more warnings");
}

/// Prints what an observer receives.
#[derive(Default)]
struct Printer(Vec<(&'static str, String)>);

impl Observer for Printer {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        self.0.push(("Exposure", format!("{exposure:?}")));
    }

    fn feature_usage(&mut self, _key: &str, result: &FeatureResult<'_>) {
        self.0.push(("FeatureResult", format!("{result:?}")));
    }
}

#[test]
fn debug_output_has_no_secret() {
    let printed: Arc<Mutex<Vec<(&'static str, String)>>> = Arc::default();
    let (viewed, used) = (printed.clone(), printed.clone());
    let auto = json!({
        "key": "auto",
        "variations": [{"urlRedirect": "https://a.example/"}, {"urlRedirect": "https://b.example/"}],
        "urlPatterns": [{"type": "simple", "pattern": "/secret", "include": true}],
        "persistQueryString": true,
    });
    let payload = json!({"features": secretive_features(), "experiments": [auto]});
    let builder = Client::embedded()
        .payload(payload.to_string())
        .attributes(json!({"global": "secret"}))
        .url("https://example.org/")
        .on_experiment_viewed(move |it| {
            let mut printed = viewed.lock().unwrap();
            printed.push(("ExperimentViewed", format!("{it:?}")));
            printed.push(("ExperimentViewedRecord", format!("{:?}", it.to_record())));
        })
        .on_feature_usage(move |it| {
            let mut printed = used.lock().unwrap();
            printed.push(("FeatureUsage", format!("{it:?}")));
            printed.push(("FeatureUsageRecord", format!("{:?}", it.to_record())));
        })
        .sticky_bucket_store(());
    let mut texts = vec![("ClientBuilder", format!("{builder:?}"))];
    let client = builder.build().unwrap();
    let user = secretive_user();
    let scope = client.for_user(user.clone());
    let snapshot = client.snapshot();
    let experiment = Experiment::new("inline", [1, 2]);

    let mut printer = Printer::default();
    for key in ["exp", "by-pin", "targeted", "nothing"] {
        snapshot.for_user(&user).observed(&mut printer).eval_feature(key);
        let result = scope.eval_feature(key);
        texts.push(("FeatureResult", format!("{result:?} {:?}", result.experiment_result)));
        texts.push(("Explanation", format!("{:?}", scope.explain(key))));
    }
    let autos = scope.run_auto_experiments(&AutoExperimentOptions::new());
    assert!(serde_json::to_string(&autos).unwrap().contains("token=73915"));
    let attributes: &Attributes = user.attributes();
    let (run, buckets) = (scope.run(&experiment), scope.sticky_buckets().unwrap());
    let document = buckets.iter().next().unwrap();
    texts.extend([
        ("Client", format!("{client:?}")),
        ("UserScope", format!("{scope:?}")),
        ("UserContext", format!("{user:?}")),
        ("GlobalContext", format!("{:?}", client.globals())),
        ("Attributes", format!("{attributes:?}")),
        ("AttributeValue", format!("{:?}", attributes.get("nested"))),
        ("Snapshot", format!("{snapshot:?}")),
        ("Evaluator", format!("{:?}", snapshot.for_user(&user))),
        ("FeatureResults", format!("{:?}", scope.evaluate_all())),
        ("ExperimentResult", format!("{run:?}")),
        ("Assignment", format!("{:?} {:?}", run.assignment, run.hash_value)),
        ("AutoExperimentResult", format!("{autos:?}")),
        ("StickyBuckets", format!("{buckets:?}")),
        ("StickyBucketDocument", format!("{document:?}")),
        ("StickyBucketKey", format!("{:?}", document.key())),
    ]);
    texts.extend(printer.0);
    texts.extend(printed.lock().unwrap().drain(..));
    for (what, text) in &texts {
        assert_no_secret(what, text);
    }
    let heard = |name| texts.iter().any(|(what, _)| *what == name);
    assert!(["Exposure", "ExperimentViewed", "FeatureUsage"].into_iter().all(heard));
}

#[cfg(feature = "encryption")]
#[test]
fn no_error_or_debug_has_a_key() {
    use growthbook::DecryptionKey;
    use growthbook::encryption::DecryptError;

    const KEY: &str = "Zvwv/+uhpFDznZ6SX28Yjg==";
    let key = DecryptionKey::from_base64(KEY).unwrap();
    let builder = Client::embedded().decryption_key(key.clone());
    let mut texts = vec![format!("{key:?}"), format!("{builder:?}")];
    let refused = DecryptionKey::from_base64("Zvwv").unwrap_err();
    texts.push(format!("{refused} {refused:?}"));
    let records = logged(|| {
        let client = builder.build().unwrap();
        texts.push(format!("{client:?}"));
        let document = json!({"encryptedFeatures": "m5ylFM6ndyOJA2OPadubkw==.AAAA"});
        let error = client.set_payload(document.to_string()).unwrap_err();
        assert!(matches!(error, PayloadError::Decrypt(DecryptError::WrongKey)));
        texts.push(format!("{error} {error:?} {:?}", std::error::Error::source(&error)));
    });
    for text in texts.iter().chain(records.iter().map(|(_, _, text)| text)) {
        assert_no_secret("a key", text);
    }
}
