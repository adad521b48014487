//! What is measured: payloads with a flag to ask for, and users to ask it for.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

pub(crate) mod request;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use criterion::Criterion;
use growthbook::{Client, ClientBuilder, UserContext, UserScope};
use serde_json::{Map, Value, json};

/// How many users take turns.
pub(crate) const USERS: usize = 1024;

/// The flag of the 50/50 experiment.
pub(crate) const EXPERIMENT: &str = "experiment";

/// A payload, and the flag that is asked.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) flag: &'static str,
    /// Built on first use.
    pub(crate) client: LazyLock<Client, Box<dyn FnOnce() -> Client>>,
    payload: Arc<Value>,
}

impl Scenario {
    fn new(name: &'static str, flag: &'static str, features: Value, saved_groups: Value) -> Self {
        let payload = Arc::new(json!({"features": features, "savedGroups": saved_groups}));
        let of_client = payload.clone();
        let client = move || {
            let client = Client::from_json(of_client.to_string()).expect("a payload");
            assert!(client.warnings().is_empty(), "{name}: {:?}", client.warnings());
            client
        };
        Scenario { name, flag, client: LazyLock::new(Box::new(client)), payload }
    }

    /// A client on the same payload, set up otherwise.
    pub(crate) fn client_with(&self, builder: ClientBuilder) -> Client {
        builder.payload(self.payload.to_string()).build().expect("a payload")
    }

    /// The payload held by every user in turn.
    pub(crate) fn scopes(&self, users: &[UserContext]) -> Vec<UserScope<'static>> {
        users.iter().map(|user| self.client.for_user(user.clone())).collect()
    }
}

pub(crate) fn all() -> Vec<Scenario> {
    let one = |flag: &str, feature: Value| json!({flag: feature});
    let experiment = experiment();
    let targeted = json!({"defaultValue": false, "rules": [{
        "condition": {"country": {"$in": ["US", "CA", "GB", "DE", "FR"]}, "age": {"$gte": 30}},
        "force": true,
    }]});
    let in_group = json!({"defaultValue": false, "rules": [
        {"condition": {"id": {"$inGroup": "group"}}, "force": true},
    ]});
    let in_list = json!({"defaultValue": false, "rules": [
        {"condition": {"id": {"$in": ids(0..1_000)}}, "force": true},
    ]});
    let mut many = plain_flags(5_000);
    many.insert("experiment".into(), experiment.clone());

    vec![
        Scenario::new("default value, 100 flags", "flag-50", plain_flags(100).into(), json!({})),
        Scenario::new("targeted force", "targeted", one("targeted", targeted), json!({})),
        Scenario::new("50/50 experiment", "experiment", one("experiment", experiment), json!({})),
        Scenario::new(
            "saved group of 10,000, hit",
            "in-group",
            one("in-group", in_group.clone()),
            json!({"group": ids(0..10_000)}),
        ),
        Scenario::new(
            "saved group of 10,000, miss",
            "in-group",
            one("in-group", in_group),
            json!({"group": ids(10_000..20_000)}),
        ),
        Scenario::new("prerequisite chain of 3", "flag", prerequisite_chain(), json!({})),
        Scenario::new("50/50 experiment, 5,000 flags", "experiment", many.into(), json!({})),
        Scenario::new("id in 1,000 strings", "in-list", one("in-list", in_list), json!({})),
    ]
}

/// A client that has the 50/50 experiment alone.
pub(crate) fn experiment_client() -> Client {
    let payload = json!({"features": {EXPERIMENT: experiment()}});
    Client::from_json(payload.to_string()).expect("a payload")
}

/// How the flag [`EXPERIMENT`] is defined.
pub(crate) fn experiment() -> Value {
    json!({"defaultValue": false, "rules": [
        {"variations": [false, true], "hashVersion": 2, "seed": "experiment", "key": "experiment"},
    ]})
}

fn plain_flags(count: usize) -> Map<String, Value> {
    (0..count).map(|flag| (format!("flag-{flag}"), json!({"defaultValue": true}))).collect()
}

fn prerequisite_chain() -> Value {
    let needs = |parent: &str| {
        let parents = json!([{"id": parent, "condition": {"value": true}, "gate": true}]);
        json!({"defaultValue": true, "rules": [{"parentConditions": parents}]})
    };
    json!({
        "flag": needs("first"),
        "first": needs("second"),
        "second": needs("third"),
        "third": {"defaultValue": true},
    })
}

fn ids(range: std::ops::Range<usize>) -> Value {
    range.map(id).collect()
}

fn id(user: usize) -> String {
    format!("user-{user:06}")
}

/// Users as an application has them.
pub(crate) fn users() -> Vec<UserContext> {
    const COUNTRIES: [&str; 8] = ["US", "DE", "CA", "JP", "GB", "BR", "FR", "IN"];
    const PLANS: [&str; 3] = ["free", "pro", "enterprise"];
    let user = |(number, (country, plan)): (usize, (&&str, &&str))| {
        UserContext::new(id(number))
            .attribute("country", *country)
            .attribute("age", 18 + number % 60)
            .attribute("plan", *plan)
            .attribute("tags", ["reader", "beta", "2026"])
            .attribute("version", format!("3.{}.{}", number % 12, number % 7))
            .attribute("email", format!("{}@example.com", id(number)))
            .attribute("company", json!({"name": "Example", "size": number, "region": "eu"}))
    };
    let choices = COUNTRIES.iter().cycle().zip(PLANS.iter().cycle());
    (0..USERS).zip(choices).map(user).collect()
}

/// Criterion, in half the time unless arguments say otherwise: for what also prints figures of its
/// own.
pub(crate) fn short_criterion() -> Criterion {
    let criterion = Criterion::default().warm_up_time(Duration::from_secs(1));
    criterion.measurement_time(Duration::from_secs(3)).configure_from_args()
}

/// Whether benchmarks are only to run, and not to measure: `cargo bench -- --test`.
pub(crate) fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}
