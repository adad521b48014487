//! LaunchDarkly's evaluation engine, with flags in a hash map.

use std::collections::HashMap;

use comparison::measure::Contestant;
use launchdarkly_server_sdk_evaluation::{
    AttributeValue, Context, ContextBuilder, Flag, FlagValue, Segment, Store, evaluate,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cases::Case;
use crate::people::Person;

pub(crate) const NAME: &str = "launchdarkly evaluation";

struct Definitions {
    flags: HashMap<String, Flag>,
    segments: HashMap<String, Segment>,
}

/// The engine needs prerequisites and segments by value.
impl Store for Definitions {
    fn flag(&self, key: &str) -> Option<Flag> {
        self.flags.get(key).cloned()
    }

    fn segment(&self, key: &str) -> Option<Segment> {
        self.segments.get(key).cloned()
    }
}

pub(crate) fn contestant<'a>(case: Case, people: &[Person]) -> Option<Contestant<'a>> {
    let users = people.iter().map(context).collect();
    Some(Contestant::new(NAME, users, evaluation(case)?))
}

/// Returns a contestant that also makes the context for each evaluation.
pub(crate) fn request<'a>(case: Case, people: &'a [Person]) -> Option<Contestant<'a>> {
    let is_on = evaluation(case)?;
    let ask = move |person: &&Person| is_on(&context(person));
    Some(Contestant::new(NAME, people.iter().collect(), ask))
}

fn evaluation(case: Case) -> Option<impl Fn(&Context) -> bool> {
    let definitions = Definitions { flags: read(flags(case)?), segments: read(segments(case)?) };
    Some(move |user: &Context| {
        let flag = definitions.flags.get(case.flag());
        let value = flag.map(|flag| evaluate(&definitions, flag, user, None).value);
        matches!(value, Some(Some(FlagValue::Bool(true))))
    })
}

fn read<T: DeserializeOwned>(definitions: Vec<Value>) -> HashMap<String, T> {
    let keyed = |definition: Value| {
        let key = definition.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
        (key, serde_json::from_value(definition).expect("a definition"))
    };
    definitions.into_iter().map(keyed).collect()
}

fn context(person: &Person) -> Context {
    let text = |text: &str| AttributeValue::String(text.to_owned());
    let company = HashMap::from([
        ("name".to_owned(), text(person.company.name)),
        ("size".to_owned(), AttributeValue::Number(person.company.size as f64)),
        ("region".to_owned(), text(person.company.region)),
    ]);
    let mut builder = ContextBuilder::new(person.id.as_str());
    builder
        .set_string("country", person.country)
        .set_float("age", person.age as f64)
        .set_string("plan", person.plan)
        .set_value("tags", AttributeValue::Array(person.tags.map(text).to_vec()))
        .set_string("version", person.version.as_str())
        .set_string("email", person.email.as_str())
        .set_value("company", AttributeValue::Object(company));
    builder.build().expect("a context")
}

fn flags(case: Case) -> Option<Vec<Value>> {
    let payload = case.payload();
    let keys = payload.get("features")?.as_object()?.keys();
    let others = keys.filter(|key| *key != case.flag());
    let own = match case {
        Case::Prerequisites => {
            return Some(vec![
                prerequisite("flag", &["first"]),
                prerequisite("first", &["second"]),
                prerequisite("second", &["third"]),
                prerequisite("third", &[]),
            ]);
        }
        Case::DefaultValue => flag(case.flag(), &[], &json!({"variation": 1})),
        Case::Experiment | Case::ExperimentAmongMany => {
            flag(case.flag(), &[], &rollout(&[(0, 50_000), (1, 50_000)]))
        }
        Case::TargetedForce => {
            with_rules(case, &[vec![western(), clause("age", "greaterThanOrEqual", json!([30]))]])
        }
        Case::TargetedExperiment => targeted_experiment(case),
        Case::GroupHit | Case::GroupMiss => {
            with_rules(case, &[vec![clause("", "segmentMatch", json!(["group"]))]])
        }
        Case::LongList => {
            let list = payload.pointer("/features/in-list/rules/0/condition/id/$in")?;
            with_rules(case, &[vec![clause("key", "in", list.clone())]])
        }
    };
    let on = json!({"variation": 1});
    Some(others.map(|key| flag(key, &[], &on)).chain([own]).collect())
}

fn segments(case: Case) -> Option<Vec<Value>> {
    let payload = case.payload();
    let segment = |key: &str, included: &Value, rules: Value| {
        json!({
            "key": key, "included": included, "excluded": [], "rules": rules, "salt": key,
            "version": 1,
        })
    };
    Some(match case {
        Case::GroupHit | Case::GroupMiss => {
            vec![segment("group", payload.pointer("/savedGroups/group")?, json!([]))]
        }
        Case::TargetedExperiment => {
            let rules = json!([{"id": "layer", "clauses": [], "weight": 75_000}]);
            vec![segment("layer", &json!([]), rules)]
        }
        _ => Vec::new(),
    })
}

fn with_rules(case: Case, rules: &[Vec<Value>]) -> Value {
    let rule = |clauses: &Vec<Value>| rule(clauses, json!({"variation": 1}));
    let rules: Vec<Value> = rules.iter().map(rule).collect();
    flag(case.flag(), &rules, &json!({"variation": 0}))
}

fn targeted_experiment(case: Case) -> Value {
    let common = [
        clause("email", "matches", json!([r"@example\.com$"])),
        json!({"attribute": "version", "op": "semVerLessThan", "values": ["3.2.0"], "negate": true}),
        clause("tags", "in", json!(["beta"])),
    ];
    let layer = clause("", "segmentMatch", json!(["layer"]));
    let rules = [western(), clause("plan", "in", json!(["enterprise"]))].map(|either| {
        let clauses = [&[layer.clone(), either], common.as_slice()].concat();
        rule(&clauses, rollout(&[(0, 40_000), (1, 30_000), (2, 30_000)]))
    });
    flag(case.flag(), &rules, &json!({"variation": 0}))
}

fn western() -> Value {
    clause("country", "in", json!(["US", "CA", "GB", "DE", "FR"]))
}

fn clause(attribute: &str, operator: &str, values: Value) -> Value {
    json!({"attribute": attribute, "op": operator, "values": values, "negate": false})
}

fn rule(clauses: &[Value], outcome: Value) -> Value {
    let mut rule = json!({"id": "rule", "clauses": clauses, "trackEvents": false});
    if let (Some(rule), Value::Object(outcome)) = (rule.as_object_mut(), outcome) {
        rule.extend(outcome);
    }
    rule
}

fn rollout(weights: &[(usize, u32)]) -> Value {
    let variations: Vec<Value> = weights
        .iter()
        .map(|(variation, weight)| json!({"variation": variation, "weight": weight}))
        .collect();
    json!({"rollout": {"variations": variations}})
}

fn prerequisite(key: &str, needs: &[&str]) -> Value {
    let needs: Vec<Value> = needs.iter().map(|key| json!({"key": key, "variation": 1})).collect();
    let mut flag = flag(key, &[], &json!({"variation": 1}));
    if let Some(flag) = flag.as_object_mut() {
        flag.insert("prerequisites".into(), needs.into());
    }
    flag
}

fn flag(key: &str, rules: &[Value], fallthrough: &Value) -> Value {
    json!({
        "key": key,
        "version": 1,
        "on": true,
        "targets": [],
        "rules": rules,
        "prerequisites": [],
        "fallthrough": fallthrough,
        "offVariation": 0,
        "variations": [false, true, true],
        "salt": key,
    })
}
