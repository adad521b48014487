//! Tracking: which events a client and a scope report, to which plugins, and how often.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use growthbook::sticky::{StickyBucketDocument, StickyBuckets};
use growthbook::tracking::{
    self, CustomEvent, DeferredCalls, ExposureDeduplication, FeatureUsage, PluginOwner,
    UsageDeduplication,
};
use growthbook::{
    AttributeRef, AttributeSource, Client, ClientBuilder, Embedded, Experiment, ExperimentViewed,
    PayloadChange, Plugin, UserContext, UserScope,
};
use serde_json::{Value, json};

/// Texts in the order in which plugins wrote them.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Writes every call to a log.
#[derive(Clone, Default)]
struct Logger {
    name: &'static str,
    log: Log,
}

impl Plugin for Logger {
    fn start(&self, owner: &PluginOwner<'_>) {
        self.log.add(format!("{}start {:?}", self.name, owner.client_key()));
    }

    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        self.log.add(format!("{}viewed {}", self.name, viewed.experiment.key()));
    }

    fn wants_results(&self) -> bool {
        true
    }

    fn result(&self, result: &ExperimentViewed<'_>) {
        let inside = result.result.in_experiment;
        self.log.add(format!("{}result {} {inside}", self.name, result.experiment.key()));
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        self.log.add(format!("{}usage {}", self.name, usage.key));
    }

    fn event(&self, event: &CustomEvent<'_>) {
        self.log.add(format!("{}event {}", self.name, event.name));
    }

    fn payload_changed(&self, change: &PayloadChange) {
        self.log.add(format!("{}changed {:?}", self.name, change.features));
    }

    fn flush(&self, _: Duration) -> bool {
        self.log.add(format!("{}flush", self.name));
        true
    }

    fn stop(&self, _: Duration) -> bool {
        self.log.add(format!("{}stop", self.name));
        true
    }
}

fn checkout() -> Value {
    json!({"checkout": {"rules": [{"key": "exp", "variations": ["old", "new"], "weights": [0, 1]}]}})
}

fn builder(features: Value) -> ClientBuilder<Embedded> {
    Client::embedded().features(features)
}

fn lru(size: usize) -> ExposureDeduplication {
    ExposureDeduplication::Lru(NonZeroUsize::new(size).unwrap())
}

/// A way in which users get a variation, and the number of events of two local evaluations.
struct Case {
    name: &'static str,
    features: Value,
    user: UserContext,
    evaluate: fn(&UserScope<'_>),
    exposures: usize,
    usage: usize,
}

impl Case {
    fn new(name: &'static str, features: Value, exposures: usize, usage: usize) -> Self {
        let evaluate = |gb: &UserScope<'_>| {
            gb.eval_feature("flag");
        };
        Case { name, features, user: UserContext::new("1"), evaluate, exposures, usage }
    }

    /// Evaluates twice, and returns the number of exposures and usages. There must be as many events.
    fn count(&self, gb: &UserScope<'_>, log: &Log) -> (usize, usize) {
        (self.evaluate)(gb);
        (self.evaluate)(gb);
        let log = log.take();
        let count = |name: &str| log.iter().filter(|it| *it == name).count();
        let counts = (count("exposure"), count("usage"));
        let events = (count("Experiment Viewed"), count("Feature Evaluated"));
        assert_eq!(events, counts, "{}", self.name);
        counts
    }
}

fn cases() -> Vec<Case> {
    let experiment = |key: &str| json!({"key": key, "variations": [0, 1]});
    let rule = json!({"flag": {"rules": [experiment("e")]}});
    let parent = json!({"id": "parent", "condition": {"value": {"$exists": true}}});
    let track = |key: &str| {
        json!({"experiment": {"key": key}, "result": {"variationId": 1, "inExperiment": true,
            "hashUsed": false, "hashAttribute": "id", "hashValue": "1"}})
    };
    let user = || UserContext::new("1");
    vec![
        Case::new("rule", rule.clone(), 1, 2),
        Case {
            evaluate: |gb| {
                gb.run(&Experiment::new("e", [0, 1]));
            },
            ..Case::new("inline", json!({}), 1, 0)
        },
        Case::new(
            "prerequisite",
            json!({"parent": {"rules": [experiment("p")]},
                "flag": {"rules": [{"parentConditions": [parent], "force": 1}]}}),
            1,
            4,
        ),
        Case::new(
            "shared prerequisite",
            json!({"parent": {"rules": [experiment("p")]},
                "left": {"rules": [{"parentConditions": [parent], "force": 1}]},
                "flag": {"rules": [{"parentConditions": [
                    {"id": "left", "condition": {"value": 1}}, parent], "force": 1}]}}),
            1,
            6,
        ),
        Case::new(
            "holdout that passes through",
            json!({"flag": {"rules": [
                {"key": "holdout", "variations": [0, 1], "weights": [0, 1],
                    "meta": [{"key": "h"}, {"key": "t", "passthrough": true}]},
                experiment("e")]}}),
            2,
            2,
        ),
        Case::new(
            "tracks",
            json!({"flag": {"rules": [{"force": 1, "tracks": [track("a"), track("b")]}]}}),
            2,
            2,
        ),
        Case::new(
            // A server repeats the exposures of prerequisites at each child.
            "remote evaluation",
            json!({"parent": {"defaultValue": 0, "rules": [{"force": 1, "tracks": [track("a")]}]},
                "flag": {"rules": [{"parentConditions": [parent], "force": 1,
                    "tracks": [track("a"), track("b")]}]}}),
            2,
            4,
        ),
        Case {
            user: user().forced_variation("e", 1),
            ..Case::new("forced variation", rule.clone(), 0, 2)
        },
        Case {
            user: user().url("https://example.com/?e=1"),
            ..Case::new("query string", rule.clone(), 0, 2)
        },
        Case { user: user().qa_mode(true), ..Case::new("QA mode", rule.clone(), 0, 2) },
        Case {
            user: user().forced_feature("flag", 1),
            ..Case::new("forced feature", rule.clone(), 0, 0)
        },
        Case::new(
            "excluded",
            json!({"flag": {"rules": [{"key": "e", "variations": [0, 1], "coverage": 0}]}}),
            0,
            2,
        ),
        Case::new("unknown feature", json!({}), 0, 2),
        Case {
            evaluate: |gb| {
                gb.evaluate_all();
                gb.explain("flag");
            },
            ..Case::new("all features, and an explanation", rule, 0, 0)
        },
    ]
}

#[test]
fn each_kind_of_exposure_is_reported_exactly() {
    for case in cases() {
        let (builder, log) = logged(builder(case.features.clone()));
        let client = builder.build().unwrap();
        let gb = client.for_user(case.user.clone());
        assert_eq!(case.count(&gb, &log), (case.exposures, case.usage), "{}", case.name);
    }
}

/// The server decides exposures, and the client reports them. Prerequisites are evaluated by the
/// server only, so their usage is not reported.
#[test]
#[cfg(feature = "fetch")]
fn each_kind_of_exposure_is_reported_remotely() {
    use growthbook::remote_eval::RemoteEvalRequest;

    for case in cases() {
        let evaluating = builder(case.features.clone()).build().unwrap();
        let server = test_server::FeaturesServer::start("{}");
        server.evaluate_with(move |body| {
            let request = RemoteEvalRequest::from_json(body).unwrap();
            (200, evaluating.remote_eval(&request).to_json_string())
        });
        let (builder, log) = logged(Client::remote_builder("sdk-1").api_host(server.url()));
        let remote = builder.start().unwrap();
        let user = remote.wait_for_user(case.user.clone(), Duration::from_secs(45));
        assert!(user.error.is_none(), "{}: {:?}", case.name, user.error);
        let expected = match case.name {
            // A server sends them as tracks, as GrowthBook's does.
            "forced variation" | "query string" => (1, 2),
            // It is not a part of the protocol.
            "QA mode" => (1, 2),
            _ => (case.exposures, case.usage.min(2)),
        };
        assert_eq!(case.count(&user.scope, &log), expected, "{}", case.name);
    }
}

/// Logs each exposure, usage and event.
fn logged<K>(builder: ClientBuilder<K>) -> (ClientBuilder<K>, Log) {
    let log = Log::default();
    let (viewed, used, logged) = (log.clone(), log.clone(), log.clone());
    let builder = builder
        .on_experiment_viewed(move |_| viewed.add("exposure"))
        .on_feature_usage(move |_| used.add("usage"))
        .event_logger(move |event| logged.add(event.name));
    (builder, log)
}

#[test]
fn kept_assignment_is_an_exposure() {
    let document = json!({"attributeName": "id", "attributeValue": "1",
        "assignments": {"exp__0": "0"}});
    let document: StickyBucketDocument = serde_json::from_value(document).unwrap();
    let buckets: StickyBuckets = [document].into_iter().collect();
    let features = json!({"flag": {"rules": [{"key": "exp", "variations": ["old", "new"],
        "weights": [0, 1], "meta": [{"key": "0"}, {"key": "1"}]}]}});
    let client = builder(features).build().unwrap();
    let gb = client.for_user_with_sticky("1", buckets).recording();
    assert_eq!(gb.feature_value("flag", ""), "old");
    assert!(gb.exposures()[0].result.sticky_bucket_used);
    assert_eq!(gb.exposures().len(), 1);
}

#[test]
fn policies_deduplicate_exposures() {
    let ttl = ExposureDeduplication::LruTtl(NonZeroUsize::MIN, Duration::from_secs(10));
    // Three scopes, two evaluations in each, and 6 seconds between scopes.
    let cases = [
        (ExposureDeduplication::Off, 6),
        (lru(10), 1),
        (ttl, 2),
        (ExposureDeduplication::PerScope, 3),
    ];
    for (policy, expected) in cases {
        let (log, time) = (Log::default(), Arc::new(AtomicU64::new(1_000)));
        let (viewed, clock) = (log.clone(), time.clone());
        let client = builder(checkout())
            .deduplicate_exposures(policy)
            .clock(move || clock.load(Ordering::Relaxed))
            .on_experiment_viewed(move |it| viewed.add(it.timestamp.to_string()))
            .build()
            .unwrap();
        for _ in 0..3 {
            let gb = client.for_user("1");
            assert!(gb.is_on("checkout") && gb.is_on("checkout"));
            time.fetch_add(6_000, Ordering::Relaxed);
        }
        assert_eq!(log.take().len(), expected, "{policy:?}");
    }
}

#[test]
fn new_phase_is_a_new_exposure() {
    let log = Log::default();
    let viewed = log.clone();
    let client = builder(json!({}))
        .on_experiment_viewed(move |it| viewed.add(format!("{:?}", it.experiment.phase())))
        .build()
        .unwrap();
    for phase in [json!(null), json!("0"), json!("1"), json!("1")] {
        let rule = json!({"key": "e", "variations": [0, 1], "phase": phase});
        client.set_features(&json!({"flag": {"rules": [rule]}})).unwrap();
        client.for_user("1").is_on("flag");
    }
    assert_eq!(log.take(), ["None", r#"Some("0")"#, r#"Some("1")"#]);
}

#[test]
fn usage_per_scope_is_reported_when_the_value_changes() {
    for (policy, expected) in [(UsageDeduplication::Off, 4), (UsageDeduplication::PerScope, 2)] {
        let log = Log::default();
        let used = log.clone();
        let client = builder(json!({"flag": {"defaultValue": {"a": 1}}}))
            .deduplicate_feature_usage(policy)
            .on_feature_usage(move |it| used.add(it.key))
            .build()
            .unwrap();
        for gb in [client.for_user("1"), client.for_user("1")] {
            gb.is_on("flag");
            gb.is_on("flag");
        }
        assert_eq!(log.take().len(), expected, "{policy:?}");
    }
}

#[test]
fn event_has_merged_attributes_and_extra_data() {
    struct Session;
    impl AttributeSource for Session {
        fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
            (name == "id").then_some(7.into())
        }

        fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
            visitor("id", 7.into());
        }
    }

    let log = Log::default();
    let (viewed, logged) = (log.clone(), log.clone());
    let client = builder(checkout())
        .attributes(json!({"region": "eu", "plan": "free"}))
        .url("https://example.com/")
        .clock(|| 42)
        .on_experiment_viewed(move |it| {
            let user = serde_json::to_string(&it.user.to_record()).unwrap();
            viewed.add(format!("{} {user} {:?}", it.timestamp, it.user.extra::<u8>()));
            viewed.add(format!("{:?} {}", it.user_id(), it.hash_value_text()));
        })
        .event_logger(move |it| {
            // Sorted, because the order depends on Cargo features of `serde_json`.
            let properties: BTreeMap<_, _> = it.properties.iter().collect();
            let properties = serde_json::to_string(&properties).unwrap();
            logged.add(format!("{} {properties} {:?}", it.name, it.user.id()));
        })
        .build()
        .unwrap();
    let user = UserContext::default().attribute("plan", "pro");
    let gb = client.for_user(user).with_source(&Session).with_extra(9_u8);
    gb.is_on("checkout");
    gb.log_event("Purchase", [("price", json!(9.5))]);
    client.log_event("Started", [("version", json!("1"))]);
    assert_eq!(
        log.take(),
        [
            r#"42 {"attributes":{"id":7,"plan":"pro","region":"eu"},"url":"https://example.com/"} Some(9)"#,
            r#"Some("7") 7"#,
            r#"Experiment Viewed {"experimentId":"exp","hashAttribute":"id","hashValue":7,"variationId":"1"} Some("7")"#,
            r#"Feature Evaluated {"feature":"checkout","ruleId":"","source":"experiment","value":"new","variationId":"1"} Some("7")"#,
            r#"Purchase {"price":9.5} Some("7")"#,
            r#"Started {"version":"1"} None"#,
        ]
    );
}

#[test]
fn plugin_lives_as_long_as_its_client() {
    let log = Log::default();
    let logger = Logger { name: "", log: log.clone() };
    let client = builder(checkout()).plugin(logger).build().unwrap();
    assert_eq!(log.take(), ["start None"]);
    let gb = client.for_user("1");
    gb.is_on("checkout");
    assert_eq!(log.take(), ["result exp true", "viewed exp", "usage checkout"]);
    client.set_features(&json!({})).unwrap();
    assert_eq!(log.take(), [r#"changed ["checkout"]"#]);
    assert!(client.flush(Duration::ZERO));
    drop(client.clone());
    assert_eq!(log.take(), ["flush"]);
    drop(client);
    assert_eq!(log.take(), ["stop"]);
    // The scope still exists. The plugin is not notified after its end.
    gb.log_event("late", [("a", json!(1))]);
    assert!(log.take().is_empty());
}

#[test]
fn scope_has_plugins_of_its_own() {
    let log = Log::default();
    let client =
        builder(checkout()).plugin(Logger { name: "client ", log: log.clone() }).build().unwrap();
    client.for_user("1").is_on("checkout");
    log.take();
    // The client has seen the exposure. The scope has not.
    let gb = client.for_user("1").with_plugin(Logger { name: "", log: log.clone() });
    gb.is_on("checkout");
    gb.is_on("checkout");
    drop(gb);
    let expected = [
        "start None",
        "result exp true",
        "viewed exp",
        "client usage checkout",
        "usage checkout",
        "client usage checkout",
        "usage checkout",
        "stop",
    ];
    assert_eq!(log.take(), expected);
}

#[test]
fn subscription_ends_when_it_is_dropped() {
    let log = Log::default();
    let client = builder(checkout()).build().unwrap();
    let before = client.for_user("0");
    let subscription = client.subscribe(Logger { name: "", log: log.clone() });
    let other = log.clone();
    client.subscribe(tracking::on_experiment_viewed(move |_| other.add("kept"))).keep();
    before.is_on("checkout");
    assert_eq!(log.take(), ["start None"]);
    let during = client.for_user("1");
    during.is_on("checkout");
    let expected = ["result exp true", "viewed exp", "kept", "usage checkout"];
    assert_eq!(log.take(), expected);
    drop(subscription);
    assert_eq!(log.take(), ["stop"]);
    during.is_on("checkout");
    client.for_user("2").is_on("checkout");
    assert_eq!(log.take(), ["kept"]);
    // A subscription does not keep its client alive.
    let subscription = client.subscribe(Logger { name: "", log: log.clone() });
    drop(client);
    assert_eq!(log.take(), ["start None", "stop"]);
    drop(subscription);
    assert!(log.take().is_empty());
}

#[test]
fn results_are_reported_when_they_change() {
    let log = Log::default();
    let results = log.clone();
    let client = builder(json!({})).build().unwrap();
    let subscription = client.subscribe(tracking::on_result(move |it| {
        results.add(format!("{} {}", it.result.in_experiment, it.result.variation_id));
    }));
    let coverages = [0, 0, 1, 1];
    for coverage in coverages {
        let rule =
            json!({"key": "e", "variations": [0, 1], "weights": [0, 1], "coverage": coverage});
        client.set_features(&json!({"flag": {"rules": [rule]}})).unwrap();
        client.for_user("1").is_on("flag");
    }
    assert_eq!(log.take(), ["false 0", "true 1"]);
    client.for_user("1").run(&Experiment::new("inline", [0, 1]).active(false));
    assert_eq!(log.take(), ["false 0"]);
    drop(subscription);
}

#[test]
fn recording_scope_has_results_and_tags() {
    let features = json!({"flag": {"rules": [
        {"key": "out", "variations": [0, 1], "coverage": 0},
        {"key": "b", "variations": [0, 1], "weights": [0, 1],
            "meta": [{"key": "c"}, {"key": "t=1", "passthrough": true}]},
        {"key": "a=b", "variations": [0, 1]},
    ]}});
    let client = builder(features).build().unwrap();
    let gb = client.for_user("1").recording();
    gb.is_on("flag");
    gb.is_on("flag");
    gb.run(&Experiment::new("a", [0, 1]).weights([1.0, 0.0]));
    let keys = |records: Vec<growthbook::ExperimentViewedRecord>| {
        records.iter().map(|it| it.experiment.key().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(gb.exposures()), ["b", "a=b", "a"]);
    assert_eq!(keys(gb.all_results()), ["out", "b", "a=b", "a"]);
    assert_eq!(gb.tracing_tags(), ["gb.exp:a=0", "gb.exp:b=t=1"]);
    assert_eq!(gb.take_deferred_calls().len(), 3);
    assert!(gb.take_deferred_calls().is_empty());

    let silent = client.for_user("1");
    silent.is_on("flag");
    assert!(silent.exposures().is_empty() && silent.all_results().is_empty());
}

#[test]
fn deferred_calls_are_fired_once() {
    let recording = builder(checkout()).clock(|| 42).build().unwrap();
    let gb = recording.for_user(UserContext::new("1").url("https://a/")).recording();
    gb.is_on("checkout");
    let calls = gb.take_deferred_calls().to_json();

    let log = Log::default();
    let viewed = log.clone();
    let client = builder(json!({}))
        .on_experiment_viewed(move |it| {
            let (user, value) = (it.user.id(), it.value);
            viewed.add(format!("{} {user:?} {} {value:?}", it.timestamp, it.user.url()));
        })
        .build()
        .unwrap();
    let calls = DeferredCalls::from_json(&calls).unwrap();
    client.fire_deferred_calls(&calls);
    client.fire_deferred_calls(&calls);
    assert_eq!(log.take(), [r#"42 Some("1") https://a/ Some(String("new"))"#]);

    // A call that cannot be read does not spoil the others.
    let mixed = r#"[null, {"experiment": {"key": "e"}, "result": {"variationId": 1}}, {}]"#;
    assert_eq!(DeferredCalls::from_json(mixed).unwrap().len(), 1);
    assert!(DeferredCalls::from_json("{}").is_err());
}

#[test]
fn deferred_exposures_reach_plugins_when_fired() {
    let policies = [lru(10), ExposureDeduplication::Off, ExposureDeduplication::PerScope];
    for policy in policies {
        let log = Log::default();
        let viewed = log.clone();
        let client = builder(checkout())
            .deduplicate_exposures(policy)
            .on_experiment_viewed(move |it| viewed.add(it.experiment.key()))
            .build()
            .unwrap();
        let gb = client.for_user("1").deferring_exposures();
        assert!(gb.is_on("checkout") && gb.is_on("checkout"));
        assert!(log.take().is_empty(), "{policy:?}");
        client.fire_deferred_calls(&gb.take_deferred_calls());
        assert_eq!(log.take().len(), 1, "{policy:?}");
        assert!(gb.take_deferred_calls().is_empty(), "{policy:?}");
        // The plugins of the scope do not wait.
        let own = log.clone();
        let gb = client.for_user("2").deferring_exposures();
        let gb = gb.on_experiment_viewed(move |it| own.add(it.experiment.key()));
        gb.is_on("checkout");
        assert_eq!(log.take().len(), 1, "{policy:?}");
    }
}

/// Panics in every method.
struct Broken(Arc<AtomicUsize>);

impl Broken {
    fn panic(&self) -> ! {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose");
    }
}

impl Plugin for Broken {
    fn name(&self) -> &str {
        self.panic()
    }

    fn start(&self, _: &PluginOwner<'_>) {
        self.panic()
    }

    fn experiment_viewed(&self, _: &ExperimentViewed<'_>) {
        self.panic()
    }

    fn wants_results(&self) -> bool {
        true
    }

    fn result(&self, _: &ExperimentViewed<'_>) {
        self.panic()
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn feature_usage(&self, _: &FeatureUsage<'_>) {
        self.panic()
    }

    fn event(&self, _: &CustomEvent<'_>) {
        self.panic()
    }

    fn payload_changed(&self, _: &PayloadChange) {
        self.panic()
    }

    fn flush(&self, _: Duration) -> bool {
        self.panic()
    }

    fn stop(&self, _: Duration) -> bool {
        self.panic()
    }
}

#[test]
fn plugin_that_panics_affects_no_other() {
    let (log, panics) = (Log::default(), Arc::new(AtomicUsize::new(0)));
    let client = builder(checkout())
        .plugin(Broken(panics.clone()))
        .plugin(Logger { name: "", log: log.clone() })
        .build()
        .unwrap();
    let gb = client.for_user("1").with_plugin(Broken(panics.clone()));
    assert_eq!(gb.feature_value("checkout", ""), "new");
    gb.log_event("e", [("a", json!(1))]);
    client.set_features(&json!({})).unwrap();
    client.flush(Duration::ZERO);
    drop(gb);
    drop(client);
    let expected = [
        "start None",
        "result exp true",
        "viewed exp",
        "usage checkout",
        "event e",
        r#"changed ["checkout"]"#,
        "flush",
        "stop",
    ];
    assert_eq!(log.take(), expected);
    // Eight methods of the client's plugin, six of the scope's, and the name of each once.
    assert_eq!(panics.load(Ordering::Relaxed), 8 + 6 + 2);
}

#[test]
fn clock_that_panics_gives_no_time() {
    let log = Log::default();
    let viewed = log.clone();
    let client = builder(checkout())
        .clock(|| panic!("on purpose"))
        .on_experiment_viewed(move |it| viewed.add(it.timestamp.to_string()))
        .build()
        .unwrap();
    assert!(client.for_user("1").is_on("checkout"));
    assert_eq!(log.take(), ["0"]);
}
