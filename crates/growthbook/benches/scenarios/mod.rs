//! What is measured: payloads with a flag to ask for, and users to ask it for.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

mod cases;
mod people;
pub(crate) mod request;

use std::sync::LazyLock;
use std::time::Duration;

use criterion::Criterion;
use growthbook::{Client, ClientBuilder, Embedded, UserContext, UserScope};
use serde_json::Value;

use cases::Case;
use people::id;

/// How many users take turns.
pub(crate) const USERS: usize = people::USERS;

/// The flag of the 50/50 experiment.
pub(crate) const EXPERIMENT: &str = "experiment";

/// A payload, and the flag that is asked.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) flag: &'static str,
    /// Built on first use.
    pub(crate) client: LazyLock<Client, Box<dyn FnOnce() -> Client>>,
    case: Case,
}

impl Scenario {
    fn new(case: Case) -> Self {
        let client = move || {
            let client = Client::from_json(case.payload().to_string()).expect("a payload");
            assert!(client.warnings().is_empty(), "{case:?}: {:?}", client.warnings());
            client
        };
        let client = LazyLock::new(Box::new(client) as Box<dyn FnOnce() -> Client>);
        Scenario { name: case.name(), flag: case.flag(), client, case }
    }

    /// A client on the same payload, set up otherwise.
    pub(crate) fn client_with(&self, builder: ClientBuilder<Embedded>) -> Client {
        builder.payload(self.case.payload().to_string()).build().expect("a payload")
    }

    /// The payload held by every user in turn.
    pub(crate) fn scopes(&self, users: &[UserContext]) -> Vec<UserScope<'static>> {
        users.iter().map(|user| self.client.for_user(user.clone())).collect()
    }
}

pub(crate) fn all() -> Vec<Scenario> {
    Case::ALL.into_iter().map(Scenario::new).collect()
}

/// A client that has the 50/50 experiment alone.
pub(crate) fn experiment_client() -> Client {
    Client::from_json(Case::Experiment.payload().to_string()).expect("a payload")
}

/// How the flag [`EXPERIMENT`] is defined.
pub(crate) fn experiment() -> Value {
    let payload = Case::Experiment.payload();
    payload.pointer("/features/experiment").cloned().expect("the flag")
}

/// Users as an application has them.
pub(crate) fn users() -> Vec<UserContext> {
    people::people().iter().map(people::Person::context).collect()
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
