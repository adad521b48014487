//! Prints the scenarios for scripts in other languages, as JSON.

#[path = "../attributes.rs"]
mod attributes;
#[path = "../../../../crates/growthbook/benches/scenarios/cases.rs"]
mod cases;
#[path = "../../../../crates/growthbook-core/benches/payloads/mod.rs"]
mod payloads;
#[expect(dead_code, reason = "attributes replace user contexts")]
#[path = "../../../../crates/growthbook/benches/scenarios/people.rs"]
mod people;

use serde_json::{Value, json};

fn main() {
    let scenarios: Vec<Value> = cases::Case::ALL
        .into_iter()
        .map(|case| json!({"name": case.name(), "flag": case.flag(), "payload": case.payload()}))
        .collect();
    let users: Vec<Value> = people::people().iter().map(attributes::attributes).collect();
    let load = payloads::payload(1_000);
    println!("{}", json!({"scenarios": scenarios, "users": users, "load": load}));
}
