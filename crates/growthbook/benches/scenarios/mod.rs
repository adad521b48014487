//! The scenarios: payloads with one flag to evaluate, and users.

#![allow(dead_code, reason = "each benchmark uses only a part of this module")]

mod cases;
pub(crate) mod people;
pub(crate) mod request;

use std::sync::LazyLock;
use std::time::Duration;

use criterion::Criterion;
use growthbook::{Client, ClientBuilder, Embedded, UserContext, UserScope};
use serde_json::Value;

use cases::Case;
use people::id;

/// The number of users. The benchmarks use them in turn.
pub(crate) const USERS: usize = people::USERS;

/// The flag of the 50/50 experiment.
pub(crate) const EXPERIMENT: &str = "experiment";

/// A payload, and the flag to evaluate.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) flag: &'static str,
    /// The client; it is built on first use.
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

    /// Returns a client with the same payload and other options.
    pub(crate) fn client_with(&self, builder: ClientBuilder<Embedded>) -> Client {
        builder.payload(self.case.payload().to_string()).build().expect("a payload")
    }

    /// Returns one scope for each user.
    pub(crate) fn scopes(&self, users: &[UserContext]) -> Vec<UserScope<'static>> {
        users.iter().map(|user| self.client.for_user(user.clone())).collect()
    }
}

pub(crate) fn all() -> Vec<Scenario> {
    Case::ALL.into_iter().map(Scenario::new).collect()
}

/// Returns a client with only the 50/50 experiment.
pub(crate) fn experiment_client() -> Client {
    Client::from_json(Case::Experiment.payload().to_string()).expect("a payload")
}

/// Returns the definition of the flag [`EXPERIMENT`].
pub(crate) fn experiment() -> Value {
    let payload = Case::Experiment.payload();
    payload.pointer("/features/experiment").cloned().expect("the flag")
}

/// Returns the users, with attributes as in a real application.
pub(crate) fn users() -> Vec<UserContext> {
    people::people().iter().map(people::Person::context).collect()
}

/// Returns a criterion with shorter times by default, for benchmarks that also print their own
/// figures. Arguments can change the times.
pub(crate) fn short_criterion() -> Criterion {
    let criterion = Criterion::default().warm_up_time(Duration::from_secs(1));
    criterion.measurement_time(Duration::from_secs(3)).configure_from_args()
}

/// Whether the benchmarks only run and do not measure, as in `cargo bench -- --test`.
pub(crate) fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}
