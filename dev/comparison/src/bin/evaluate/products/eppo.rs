//! Eppo's core. Each flag contains its own audiences. Flags cannot have prerequisites, and an
//! attribute cannot be a list.

use std::sync::Arc;

use chrono::Utc;
use comparison::measure::Contestant;
use eppo_core::eval::get_assignment;
use eppo_core::ufc::{AssignmentValue, UniversalFlagConfig};
use eppo_core::{Attributes, Configuration, SdkMetadata, Str};
use serde_json::{Map, Value, json};

use crate::cases::Case;
use crate::people::Person;

pub(crate) const NAME: &str = "eppo_core";

pub(crate) const NOTES: [&str; 2] = [
    "`eppo_core` knows no prerequisites.",
    "`eppo_core` has no lists among attributes: in the targeted experiment an attribute of its own \
     says whether somebody has the tag.",
];

pub(crate) fn contestant<'a>(case: Case, people: &[Person]) -> Option<Contestant<'a>> {
    let is_on = evaluation(case)?;
    let users = people.iter().map(user).collect();
    Some(Contestant::new(NAME, users, move |(id, attributes)| is_on(id, attributes)))
}

/// Returns a contestant that also makes the context for each evaluation.
pub(crate) fn request<'a>(case: Case, people: &'a [Person]) -> Option<Contestant<'a>> {
    let is_on = evaluation(case)?;
    let ask = move |person: &&Person| {
        let (id, attributes) = user(person);
        is_on(&id, &attributes)
    };
    Some(Contestant::new(NAME, people.iter().collect(), ask))
}

fn evaluation(case: Case) -> Option<impl Fn(&Str, &Arc<Attributes>) -> bool> {
    let configuration = configuration(flags(case)?);
    let now = Utc::now();
    Some(move |id: &Str, attributes: &Arc<Attributes>| {
        let found = get_assignment(Some(&configuration), case.flag(), id, attributes, None, now);
        matches!(found, Ok(Some(found)) if matches!(found.value, AssignmentValue::Boolean(true)))
    })
}

fn user(person: &Person) -> (Str, Arc<Attributes>) {
    (Str::new(&person.id), Arc::new(attributes(person)))
}

fn attributes(person: &Person) -> Attributes {
    let has_beta = person.tags.contains(&"beta");
    Attributes::from([
        ("country".into(), person.country.into()),
        ("age".into(), (person.age as f64).into()),
        ("plan".into(), person.plan.into()),
        ("beta".into(), has_beta.into()),
        ("version".into(), person.version.as_str().into()),
        ("email".into(), person.email.as_str().into()),
        ("company".into(), person.company.name.into()),
    ])
}

fn configuration(flags: Map<String, Value>) -> Configuration {
    let document = json!({
        "createdAt": "2026-11-22T00:00:00Z",
        "format": "SERVER",
        "environment": {"name": "test"},
        "flags": flags,
    });
    let metadata = SdkMetadata { name: "comparison", version: "0" };
    let flags = UniversalFlagConfig::from_json(metadata, document.to_string().into_bytes());
    Configuration::from_server_response(flags.expect("a configuration"), None)
}

fn flags(case: Case) -> Option<Map<String, Value>> {
    let payload = case.payload();
    let features = payload.get("features")?.as_object()?;
    let mut flags: Map<String, Value> =
        features.keys().map(|key| (key.clone(), flag(key, &[allocation(&[], &[])]))).collect();
    let allocations = match case {
        Case::DefaultValue => return Some(flags),
        Case::Prerequisites => return None,
        Case::TargetedForce => {
            let rule = [one_of("country", western()), at_least("age", json!(30))];
            vec![allocation(&[&rule], &[])]
        }
        Case::Experiment | Case::ExperimentAmongMany => {
            vec![allocation(&[], &[shard("experiment", 5_000)])]
        }
        Case::TargetedExperiment => {
            let common = [
                condition("email", "MATCHES", json!(r"@example\.com$")),
                at_least("version", json!("3.2.0")),
                one_of("beta", json!(["true"])),
            ];
            let either = [one_of("country", western()), one_of("plan", json!(["enterprise"]))];
            let rules = either.map(|first| [&[first], common.as_slice()].concat());
            let shards = [shard("layer", 7_500), shard("targeted-experiment", 6_000)];
            vec![allocation(&rules.each_ref().map(Vec::as_slice), &shards)]
        }
        Case::GroupHit | Case::GroupMiss => {
            let rule = [one_of("id", payload.pointer("/savedGroups/group")?.clone())];
            vec![allocation(&[&rule], &[])]
        }
        Case::LongList => {
            let list = payload.pointer("/features/in-list/rules/0/condition/id/$in")?.clone();
            vec![allocation(&[&[one_of("id", list)]], &[])]
        }
    };
    flags.insert(case.flag().into(), flag(case.flag(), &allocations));
    Some(flags)
}

fn western() -> Value {
    json!(["US", "CA", "GB", "DE", "FR"])
}

fn flag(key: &str, allocations: &[Value]) -> Value {
    json!({
        "key": key,
        "enabled": true,
        "variationType": "BOOLEAN",
        "variations": {"on": {"key": "on", "value": true}},
        "allocations": allocations,
        "totalShards": 10_000,
    })
}

/// Gives "on" to users who pass one of the rules and are in all shards.
fn allocation(rules: &[&[Value]], shards: &[Value]) -> Value {
    let rules: Vec<Value> = rules.iter().map(|rule| json!({"conditions": rule})).collect();
    json!({
        "key": "allocation",
        "rules": rules,
        "splits": [{"variationKey": "on", "shards": shards}],
        "doLog": false,
    })
}

fn shard(salt: &str, end: u32) -> Value {
    json!({"salt": salt, "ranges": [{"start": 0, "end": end}]})
}

fn one_of(attribute: &str, values: Value) -> Value {
    condition(attribute, "ONE_OF", values)
}

fn at_least(attribute: &str, value: Value) -> Value {
    condition(attribute, "GTE", value)
}

fn condition(attribute: &str, operator: &str, value: Value) -> Value {
    json!({"attribute": attribute, "operator": operator, "value": value})
}
