//! This SDK: the core, and the client with and without tracking.

use std::sync::Arc;

use comparison::measure::Contestant;
use growthbook::{Client, FeatureKey, Snapshot, UserContext};

use crate::people::Person;

pub(crate) const CORE: &str = "core";
/// The core with a [`FeatureKey`], which finds its feature without hashing a name.
pub(crate) const CORE_BY_KEY: &str = "core, by key";
pub(crate) const FACADE: &str = "facade";
pub(crate) const TRACKED: &str = "facade, tracking";

pub(crate) struct GrowthBook {
    snapshot: Arc<Snapshot>,
    users: Vec<UserContext>,
    client: Client,
    tracked: Client,
}

impl GrowthBook {
    pub(crate) fn new(payload: &str, people: &[Person]) -> Self {
        let client = Client::from_json(payload).expect("a payload");
        let tracked = Client::embedded()
            .payload(payload)
            .on_experiment_viewed(|viewed| {
                std::hint::black_box(viewed.result);
            })
            .build()
            .expect("a payload");
        let users = people.iter().map(Person::context).collect();
        GrowthBook { snapshot: client.snapshot(), users, client, tracked }
    }

    pub(crate) fn core<'a>(&'a self, flag: &'a str) -> Contestant<'a> {
        let evaluators = self.users.iter().map(|user| self.snapshot.for_user(user)).collect();
        Contestant::new(CORE, evaluators, move |evaluator| evaluator.is_on(flag))
    }

    pub(crate) fn core_by_key<'a>(&'a self, flag: &'static str) -> Contestant<'a> {
        let key = FeatureKey::new(flag);
        let evaluators = self.users.iter().map(|user| self.snapshot.for_user(user)).collect();
        Contestant::new(CORE_BY_KEY, evaluators, move |evaluator| evaluator.is_on(&key))
    }

    pub(crate) fn facade<'a>(&'a self, flag: &'a str) -> Contestant<'a> {
        self.scopes(FACADE, &self.client, flag)
    }

    /// Returns the client with tracking. After the warm-up, it knows all exposures.
    pub(crate) fn tracked<'a>(&'a self, flag: &'a str) -> Contestant<'a> {
        self.scopes(TRACKED, &self.tracked, flag)
    }

    /// Returns the client, with a context and a scope for each evaluation.
    pub(crate) fn request<'a>(&'a self, people: &'a [Person], flag: &'a str) -> Contestant<'a> {
        let ask = move |person: &&Person| self.client.for_user(person.context()).is_on(flag);
        Contestant::new(FACADE, people.iter().collect(), ask)
    }

    fn scopes<'a>(&'a self, name: &'static str, client: &Client, flag: &'a str) -> Contestant<'a> {
        let scopes = self.users.iter().map(|user| client.for_user(user.clone())).collect();
        Contestant::new(name, scopes, move |scope| scope.is_on(flag))
    }
}
