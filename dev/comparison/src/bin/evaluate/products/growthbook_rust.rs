//! The official Rust SDK, which takes the same payloads.

use comparison::measure::Contestant;
use growthbook_rust::client::{GrowthBookClient, GrowthBookClientBuilder, GrowthBookClientTrait};
use growthbook_rust::dto::GrowthBookResponse;
use growthbook_rust::model_public::GrowthBookAttribute;

use crate::attributes::attributes;
use crate::people::Person;

pub(crate) const CORE: &str = "growthbook-rust core";
pub(crate) const CLIENT: &str = "growthbook-rust client";

type User = Option<Vec<GrowthBookAttribute>>;

pub(crate) fn load(payload: &[u8]) -> GrowthBookClient {
    let response: GrowthBookResponse = serde_json::from_slice(payload).expect("a payload");
    let builder = GrowthBookClientBuilder::new()
        .features(response.features.unwrap_or_default())
        .saved_groups(response.saved_groups.unwrap_or_default());
    // It does not wait, because it has its features already.
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(builder.build()).expect("a client")
}

pub(crate) fn contestants<'a>(
    payload: &str,
    flag: &'a str,
    people: &[Person],
) -> [Contestant<'a>; 2] {
    let client = load(payload.as_bytes());
    let core = client.gb.read().expect("no thread should have panicked").clone();
    [
        Contestant::new(CORE, users(people), move |user| core.check(flag, user).on),
        // It takes attributes by value, so each call needs a clone.
        Contestant::new(CLIENT, users(people), move |user| client.is_on(flag, user.clone())),
    ]
}

fn users(people: &[Person]) -> Vec<User> {
    let user = |person| GrowthBookAttribute::from(attributes(person)).ok();
    people.iter().map(user).collect()
}
