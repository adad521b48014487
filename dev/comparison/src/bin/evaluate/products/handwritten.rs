//! Hand-written code, as in an application without a flag service. It finds flags by name in a hash
//! map. A function on a plain struct decides each flag.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comparison::measure::Contestant;
use serde_json::Value;

use crate::cases::Case;
use crate::people::Person;

pub(crate) const NAME: &str = "hand-written";

struct Flags {
    by_name: HashMap<String, Arc<Flag>>,
    /// The ids of a group or a list.
    ids: HashSet<String>,
}

struct Flag {
    default: bool,
    needs: Option<Arc<Flag>>,
    decide: fn(&Flags, &Person) -> Option<bool>,
}

impl Flags {
    fn is_on(&self, name: &str, person: &Person) -> bool {
        self.by_name.get(name).is_some_and(|flag| self.is_flag_on(flag, person))
    }

    fn is_flag_on(&self, flag: &Flag, person: &Person) -> bool {
        flag.needs.as_ref().is_none_or(|needed| self.is_flag_on(needed, person))
            && (flag.decide)(self, person).unwrap_or(flag.default)
    }
}

pub(crate) fn contestant<'a>(case: Case, people: &'a [Person]) -> Contestant<'a> {
    let flags = flags(case);
    let people: Vec<&Person> = people.iter().collect();
    Contestant::new(NAME, people, move |person| flags.is_on(case.flag(), person))
}

/// Returns flags with the names and defaults of the payload.
fn flags(case: Case) -> Flags {
    let payload = case.payload();
    let features = payload.get("features").and_then(Value::as_object);
    let names = features.into_iter().flatten().map(|(name, _)| name.as_str());
    let list = match case {
        Case::LongList => payload.pointer("/features/in-list/rules/0/condition/id/$in"),
        _ => payload.pointer("/savedGroups/group"),
    };
    let ids = list.and_then(Value::as_array).into_iter().flatten();
    Flags {
        by_name: names.map(|name| (name.to_owned(), flag(&payload, case, name))).collect(),
        ids: ids.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn flag(payload: &Value, case: Case, name: &str) -> Arc<Flag> {
    let feature = payload.pointer(&format!("/features/{name}")).unwrap_or(&Value::Null);
    let parent = feature.pointer("/rules/0/parentConditions/0/id").and_then(Value::as_str);
    Arc::new(Flag {
        default: feature.get("defaultValue") == Some(&Value::Bool(true)),
        needs: parent.map(|parent| flag(payload, case, parent)),
        decide: if name == case.flag() { decision(case) } else { |_, _| None },
    })
}

fn decision(case: Case) -> fn(&Flags, &Person) -> Option<bool> {
    match case {
        Case::DefaultValue | Case::Prerequisites => |_, _| None,
        Case::TargetedForce => |_, person| (is_western(person) && person.age >= 30).then_some(true),
        Case::Experiment | Case::ExperimentAmongMany => {
            |_, person| Some(bucket("experiment", &person.id) >= 0.5)
        }
        Case::TargetedExperiment => |_, person| targeted_experiment(person),
        Case::GroupHit | Case::GroupMiss | Case::LongList => {
            |flags, person| flags.ids.contains(&person.id).then_some(true)
        }
    }
}

fn targeted_experiment(person: &Person) -> Option<bool> {
    let is_included = bucket("layer", &person.id) < 0.75
        && (is_western(person) || person.plan == "enterprise")
        && person.email.ends_with("@example.com")
        && version(&person.version) >= [3, 2, 0]
        && person.tags.contains(&"beta");
    is_included.then(|| match bucket("targeted-experiment", &person.id) {
        ..0.4 => false,
        ..0.7 => true,
        _ => true,
    })
}

fn is_western(person: &Person) -> bool {
    matches!(person.country, "US" | "CA" | "GB" | "DE" | "FR")
}

fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or_default());
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

/// Computes GrowthBook's hash version 2: the FNV-1a of the decimal digits of an FNV-1a.
fn bucket(seed: &str, id: &str) -> f64 {
    const START: u32 = 0x811c_9dc5;
    let mut number = fnv(fnv(START, seed.as_bytes()), id.as_bytes());
    let mut digits = [0; 10];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        length += 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.get(digits.len() - length..).unwrap_or_default();
    f64::from(fnv(START, digits) % 10_000) / 10_000.0
}

fn fnv(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
