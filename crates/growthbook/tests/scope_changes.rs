//! Scopes that are made from a scope: the same payload, documents and record.

#![expect(clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use growthbook::sticky::StickyBuckets;
use growthbook::tracking::{FeatureUsage, MAX_RECORDED_EVENTS, UsageDeduplication};
use growthbook::{AttributeRef, AttributeSource, Client, Experiment, UserContext, UserScope};
use serde_json::{Value, json};

fn features(version: u32) -> Value {
    json!({
        "version": {"defaultValue": version},
        "by-plan": {"defaultValue": "none", "rules": [
            {"condition": {"plan": "pro"}, "force": "pro"},
            {"condition": {"plan": "free"}, "force": "free"},
        ]},
        "checkout": {"defaultValue": "none", "rules": [
            {"key": "checkout-test", "variations": ["old", "new"], "weights": [0.5, 0.5]},
        ]},
    })
}

fn client() -> Client {
    Client::embedded().features(features(1)).build().expect("a client")
}

fn ids(scope: &UserScope<'_>) -> Vec<Value> {
    scope.exposures().into_iter().map(|it| it.result.hash_value).collect()
}

struct Session {
    plan: &'static str,
}

impl AttributeSource for Session {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        match name {
            "id" => Some("from-source".into()),
            "plan" => Some(self.plan.into()),
            _ => None,
        }
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        visitor("id", "from-source".into());
        visitor("plan", self.plan.into());
    }
}

#[test]
fn changed_scopes_keep_the_payload() {
    let client = client();
    let scope = client.for_user("user-1");
    client.set_features(&features(2)).expect("features");
    assert_eq!(client.for_user("user-1").feature_value("version", 0), 2);
    let changed = [
        scope.clone(),
        scope.with_attributes([("plan", "pro")]),
        scope.with_forced_features([("other", json!(1))]),
        scope.with_forced_variations([("other", 1)]),
        scope.for_user("user-2"),
    ];
    for scope in &changed {
        assert_eq!(scope.feature_value("version", 0), 1);
    }
}

#[test]
fn new_attributes_are_on_top() {
    let client = client();
    let scope = client.for_user(UserContext::new("user-1").attribute("plan", "free"));
    let pro = scope.with_attributes([("plan", "pro")]);
    assert_eq!(pro.feature_value("by-plan", ""), "pro");
    assert_eq!(scope.feature_value("by-plan", ""), "free");
    assert_eq!(pro.for_user("user-1").feature_value("by-plan", ""), "none");
}

#[test]
fn new_attributes_are_on_top_of_a_source() {
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let log = seen.clone();
    let client = Client::embedded()
        .features(features(1))
        .on_feature_usage(move |usage: &FeatureUsage<'_>| {
            let attributes = serde_json::to_value(usage.user.attributes()).expect("JSON");
            log.lock().expect("a log").push(attributes);
        })
        .build()
        .expect("a client");
    let session = Session { plan: "free" };
    let scope = client.for_source(&session);
    let pro = scope.with_attributes([("plan", "pro")]).with_attributes([("beta", true)]);
    assert_eq!(scope.feature_value("by-plan", ""), "free");
    assert_eq!(pro.feature_value("by-plan", ""), "pro");
    let expected = [
        json!({"id": "from-source", "plan": "free"}),
        json!({"id": "from-source", "plan": "pro", "beta": true}),
    ];
    assert_eq!(*seen.lock().expect("a log"), expected);
    // Another user has nothing of the source.
    assert_eq!(pro.for_user("user-1").feature_value("by-plan", ""), "none");
}

/// A source that always panics.
struct Broken;

impl AttributeSource for Broken {
    fn attribute(&self, _: &str) -> Option<AttributeRef<'_>> {
        panic!("this source is broken");
    }
}

#[test]
fn new_attributes_survive_a_broken_source() {
    let client = client();
    let scope = client.for_source(&Broken).with_attributes([("unused", "x"), ("plan", "pro")]);
    assert_eq!(scope.feature_value("by-plan", ""), "pro");
    assert_eq!(scope.feature_value("checkout", ""), "none");
}

#[test]
fn remote_group_ids_stay() {
    let user = UserContext::new("user-1").remote_group_ids(["staff"]);
    let scope = client().for_user(user).with_attributes([("__gb_remoteGroupIds", "x")]);
    let ids = scope.user().attributes().get("__gb_remoteGroupIds").expect("ids");
    assert_eq!(ids.to_json(), json!(["staff"]));
}

#[test]
fn forced_values_add_up() {
    let client = Client::embedded()
        .features(features(1))
        .forced_features([("by-plan", json!("global"))])
        .build()
        .expect("a client");
    let user = UserContext::new("user-1").forced_feature("version", 7).forced_variation("x", 1);
    let scope = client.for_user(user).with_forced_features([("by-plan", json!("forced"))]);
    assert_eq!(scope.feature_value("version", 0), 7);
    assert_eq!(scope.feature_value("by-plan", ""), "forced");
    for (variation, value) in [(0, "old"), (1, "new")] {
        let scope = scope.with_forced_variations([("checkout-test", variation)]);
        assert_eq!(scope.feature_value("checkout", ""), value);
        assert_eq!(scope.feature_value("version", 0), 7);
        assert_eq!(scope.run(&Experiment::new("x", ["a", "b"])).value, &"b");
    }
}

#[test]
fn changed_scopes_share_sticky_documents() {
    let client = client();
    let scope = client.for_user_with_sticky("user-1", StickyBuckets::new());
    let pro = scope.with_attributes([("plan", "pro")]);
    let value = pro.feature_value("checkout", "");
    assert_eq!(scope.clone().feature_value("checkout", ""), value);
    scope.for_user("user-2").is_on("checkout");
    let mut keys: Vec<String> =
        scope.take_changed_sticky_buckets().iter().map(|it| it.key().to_string()).collect();
    keys.sort();
    assert_eq!(keys, ["id||user-1", "id||user-2"]);
    assert!(scope.clone().take_changed_sticky_buckets().is_empty());
}

#[test]
fn changed_scopes_share_their_record() {
    let client = client();
    let scope = client.for_user("user-1").recording().with_extra(5_u32);
    scope.clone().is_on("checkout");
    scope.with_attributes([("plan", "pro")]).is_on("checkout");
    scope.for_user("user-2").is_on("checkout");
    assert_eq!(ids(&scope), ["user-1", "user-2"]);
    assert_eq!(scope.clone().take_deferred_calls().len(), 2);
    assert!(scope.take_deferred_calls().is_empty());
    // A scope that begins to record later does so alone.
    let before = client.for_user("user-1");
    let later = before.clone().recording();
    later.is_on("checkout");
    assert_eq!((before.exposures().len(), later.exposures().len()), (0, 1));
}

#[test]
fn usage_is_reported_for_each_user_of_a_scope() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    let client = Client::embedded()
        .features(features(1))
        .deduplicate_feature_usage(UsageDeduplication::PerScope)
        .on_feature_usage(move |usage: &FeatureUsage<'_>| {
            let id = usage.user.id().unwrap_or_default().into_owned();
            log.lock().expect("a log").push(format!("{id} {}", usage.result.value()));
        })
        .build()
        .expect("a client");
    let scope = client.for_user("user-1");
    let other = scope.for_user("user-2");
    for scope in [&scope, &scope.clone(), &other, &other.with_attributes([("plan", "pro")])] {
        scope.is_on("version");
        scope.is_on("by-plan");
    }
    let expected = ["user-1 1", "user-1 \"none\"", "user-2 1", "user-2 \"none\"", "user-2 \"pro\""];
    assert_eq!(*seen.lock().expect("a log"), expected);
}

/// A plugin that counts its exposures and its ends.
#[derive(Clone, Default)]
struct Counter {
    viewed: Arc<AtomicUsize>,
    stopped: Arc<AtomicUsize>,
}

impl growthbook::Plugin for Counter {
    fn experiment_viewed(&self, _: &growthbook::ExperimentViewed<'_>) {
        self.viewed.fetch_add(1, Ordering::Relaxed);
    }

    fn wants_exposures(&self) -> bool {
        true
    }

    fn stop(&self, _: std::time::Duration) -> bool {
        self.stopped.fetch_add(1, Ordering::Relaxed);
        true
    }
}

#[test]
fn plugin_stops_with_its_last_scope() {
    let client = client();
    let (first, second) = (Counter::default(), Counter::default());
    let scope = client.for_user("user-1").with_plugin(first.clone());
    let other = scope.for_user("user-2").with_plugin(second.clone());
    scope.is_on("checkout");
    other.is_on("checkout");
    let counts =
        |it: &Counter| (it.viewed.load(Ordering::Relaxed), it.stopped.load(Ordering::Relaxed));
    assert_eq!((counts(&first), counts(&second)), ((2, 0), (1, 0)));
    drop(scope);
    assert_eq!(counts(&first), (2, 0));
    drop(other);
    assert_eq!((counts(&first), counts(&second)), ((2, 1), (1, 1)));
}

#[test]
fn clones_evaluate_on_other_threads() {
    let client = client();
    let scope: UserScope<'static> = client.for_user("user-1").recording();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let scope = scope.clone();
            thread::spawn(move || scope.feature_value("checkout", String::new()))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("a value"), scope.feature_value("checkout", ""));
    }
    assert_eq!(ids(&scope), ["user-1"]);
}

#[test]
fn memory_of_a_scope_is_bounded() {
    let client = client();
    let scope = client.for_user("user-1").recording();
    for number in 0..MAX_RECORDED_EVENTS + 100 {
        scope.run(&Experiment::new(format!("experiment-{number}"), [1, 2]));
    }
    assert_eq!(scope.exposures().len(), MAX_RECORDED_EVENTS);
    assert_eq!(scope.all_results().len(), MAX_RECORDED_EVENTS);
}
