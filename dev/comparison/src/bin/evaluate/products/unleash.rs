//! Unleash's engine. Attributes are strings, and a prerequisite cannot have a prerequisite.

use comparison::measure::Contestant;
use serde_json::{Value, json};
use unleash_yggdrasil::{ClientFeatures, Context, EngineState};

use crate::cases::Case;
use crate::people::Person;

pub(crate) const NAME: &str = "unleash-yggdrasil";

pub(crate) const NOTES: [&str; 2] = [
    "`unleash-yggdrasil` allows no chain of prerequisites.",
    "`unleash-yggdrasil` has neither lists among attributes nor filters: no targeted experiment.",
];

pub(crate) fn contestant<'a>(case: Case, people: &[Person]) -> Option<Contestant<'a>> {
    let engine = engine(case)?;
    let users = people.iter().map(context).collect();
    Some(Contestant::new(NAME, users, move |user| engine.is_enabled(case.flag(), user, &None)))
}

/// Returns a contestant that also makes the context for each evaluation.
pub(crate) fn request<'a>(case: Case, people: &'a [Person]) -> Option<Contestant<'a>> {
    let engine = engine(case)?;
    let ask = move |person: &&Person| engine.is_enabled(case.flag(), &context(person), &None);
    Some(Contestant::new(NAME, people.iter().collect(), ask))
}

fn engine(case: Case) -> Option<EngineState> {
    let engine = EngineState::default();
    let features: ClientFeatures = serde_json::from_value(definitions(case)?).expect("definitions");
    let warnings = engine.apply_client_features(features);
    assert!(warnings.is_none(), "{}", serde_json::to_string(&warnings).unwrap_or_default());
    Some(engine)
}

fn context(person: &Person) -> Context {
    let properties = [
        ("country", person.country.to_owned()),
        ("age", person.age.to_string()),
        ("plan", person.plan.to_owned()),
        ("tags", person.tags.join(",")),
        ("version", person.version.clone()),
        ("email", person.email.clone()),
        ("company", person.company.name.to_owned()),
    ];
    Context {
        user_id: Some(person.id.clone()),
        properties: Some(properties.map(|(name, value)| (name.to_owned(), value)).into()),
        ..Context::default()
    }
}

fn definitions(case: Case) -> Option<Value> {
    let payload = case.payload();
    let mut features: Vec<Value> = payload
        .get("features")?
        .as_object()?
        .keys()
        .filter(|key| *key != case.flag() || case == Case::DefaultValue)
        .map(|key| json!({"name": key, "enabled": true}))
        .collect();
    let mut segments = Vec::new();
    let strategy = match case {
        Case::DefaultValue => None,
        Case::Prerequisites | Case::TargetedExperiment => return None,
        Case::TargetedForce => Some(json!({"name": "default", "constraints": [
            {"contextName": "country", "operator": "IN", "values": ["US", "CA", "GB", "DE", "FR"]},
            {"contextName": "age", "operator": "NUM_GTE", "value": "30"},
        ]})),
        Case::Experiment | Case::ExperimentAmongMany => Some(json!({
            "name": "flexibleRollout",
            "parameters": {"rollout": "50", "stickiness": "userId", "groupId": "experiment"},
        })),
        Case::GroupHit | Case::GroupMiss => {
            let ids = payload.pointer("/savedGroups/group")?;
            segments.push(json!({"id": 1, "constraints": [in_list(ids)]}));
            Some(json!({"name": "default", "segments": [1]}))
        }
        Case::LongList => {
            let ids = payload.pointer("/features/in-list/rules/0/condition/id/$in")?;
            Some(json!({"name": "default", "constraints": [in_list(ids)]}))
        }
    };
    if let Some(strategy) = strategy {
        features.push(json!({"name": case.flag(), "enabled": true, "strategies": [strategy]}));
    }
    Some(json!({"version": 2, "features": features, "segments": segments}))
}

fn in_list(ids: &Value) -> Value {
    json!({"contextName": "userId", "operator": "IN", "values": ids})
}
