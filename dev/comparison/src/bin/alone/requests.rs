//! The time of a whole request: its user's attributes, a scope, and one flag.

use comparison::measure::{Contestant, ROUNDS, alternate};
use comparison::report::{Quantity, Report, Row, Target};
use growthbook::{Client, UserContext};
use serde_json::json;

use crate::people::{Person, people};

const FLAG: &str = "experiment";

pub(crate) fn measure(report: &mut Report) {
    let client = client();
    let people = people();
    let all_people = || -> Vec<&Person> { people.iter().collect() };
    let mut contestants = [
        Contestant::new("with tags and an object", all_people(), |person| {
            client.for_user(person.context()).is_on(FLAG)
        }),
        Contestant::new("all of them plain", all_people(), |person| {
            client.for_user(plain(person)).is_on(FLAG)
        }),
        Contestant::new("in the application's own struct", all_people(), |person| {
            client.for_source(*person).is_on(FLAG)
        }),
    ];
    let samples = alternate(&mut contestants, ROUNDS);
    for (contestant, samples) in contestants.iter().zip(samples) {
        report.rows.push(Row {
            number: 4,
            what: format!("8 attributes, {}", contestant.name),
            figure: Quantity::Nanoseconds(samples.spread()),
            beside: None,
            ratio: None,
            target: Target::AtMost(1_000.0),
        });
    }
}

fn client() -> Client {
    let payload = json!({"features": {FLAG: {"defaultValue": false, "rules": [
        {"variations": [false, true], "hashVersion": 2, "seed": FLAG, "key": FLAG},
    ]}}});
    Client::from_json(payload.to_string()).expect("a payload")
}

fn plain(person: &Person) -> UserContext {
    UserContext::new(person.id.as_str())
        .attribute("country", person.country)
        .attribute("age", person.age)
        .attribute("plan", person.plan)
        .attribute("version", person.version.as_str())
        .attribute("email", person.email.as_str())
        .attribute("company", person.company.name)
        .attribute("employees", person.company.size)
}
