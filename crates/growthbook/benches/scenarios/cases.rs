//! The cases: payloads with one flag to evaluate. `dev/comparison` uses the same cases for other
//! products.

use serde_json::{Map, Value, json};

use super::people::id;

/// A measured case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    DefaultValue,
    TargetedForce,
    Experiment,
    TargetedExperiment,
    GroupHit,
    GroupMiss,
    Prerequisites,
    ExperimentAmongMany,
    LongList,
}

impl Case {
    pub(crate) const ALL: [Case; 9] = [
        Case::DefaultValue,
        Case::TargetedForce,
        Case::Experiment,
        Case::TargetedExperiment,
        Case::GroupHit,
        Case::GroupMiss,
        Case::Prerequisites,
        Case::ExperimentAmongMany,
        Case::LongList,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Case::DefaultValue => "default value, 100 flags",
            Case::TargetedForce => "targeted force",
            Case::Experiment => "50/50 experiment",
            Case::TargetedExperiment => "targeted experiment",
            Case::GroupHit => "saved group of 10,000, hit",
            Case::GroupMiss => "saved group of 10,000, miss",
            Case::Prerequisites => "prerequisite chain of 3",
            Case::ExperimentAmongMany => "50/50 experiment, 5,000 flags",
            Case::LongList => "id in 1,000 strings",
        }
    }

    /// Returns the key of the flag to evaluate.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Case::DefaultValue => "flag-50",
            Case::TargetedForce => "targeted",
            Case::Experiment | Case::ExperimentAmongMany => "experiment",
            Case::TargetedExperiment => "targeted-experiment",
            Case::GroupHit | Case::GroupMiss => "in-group",
            Case::Prerequisites => "flag",
            Case::LongList => "in-list",
        }
    }

    pub(crate) fn payload(self) -> Value {
        let saved_groups = match self {
            Case::GroupHit => json!({"group": ids(0..10_000)}),
            Case::GroupMiss => json!({"group": ids(10_000..20_000)}),
            _ => json!({}),
        };
        json!({"features": self.features(), "savedGroups": saved_groups})
    }

    fn features(self) -> Value {
        match self {
            Case::DefaultValue => plain_flags(100).into(),
            Case::Prerequisites => prerequisite_chain(),
            Case::ExperimentAmongMany => {
                let mut features = plain_flags(5_000);
                features.insert(self.flag().into(), with_rule(experiment()));
                features.into()
            }
            Case::TargetedForce => json!({self.flag(): with_rule(targeted())}),
            Case::Experiment => json!({self.flag(): with_rule(experiment())}),
            Case::TargetedExperiment => json!({self.flag(): with_rule(targeted_experiment())}),
            Case::GroupHit | Case::GroupMiss => json!({self.flag(): with_rule(in_group())}),
            Case::LongList => json!({self.flag(): with_rule(in_list())}),
        }
    }
}

fn with_rule(rule: Value) -> Value {
    json!({"defaultValue": false, "rules": [rule]})
}

fn targeted() -> Value {
    json!({
        "condition": {"country": {"$in": ["US", "CA", "GB", "DE", "FR"]}, "age": {"$gte": 30}},
        "force": true,
    })
}

fn experiment() -> Value {
    json!({
        "key": "experiment", "seed": "experiment", "hashVersion": 2, "variations": [false, true],
    })
}

fn targeted_experiment() -> Value {
    json!({
        "key": "targeted-experiment",
        "seed": "targeted-experiment",
        "hashVersion": 2,
        "filters": [{"attribute": "id", "seed": "layer", "hashVersion": 2, "ranges": [[0, 0.75]]}],
        "condition": {"$and": [
            {"$or": [
                {"country": {"$in": ["US", "CA", "GB", "DE", "FR"]}},
                {"plan": "enterprise"},
            ]},
            {"email": {"$regex": r"@example\.com$"}},
            {"version": {"$vgte": "3.2.0"}},
            {"tags": {"$elemMatch": {"$eq": "beta"}}},
        ]},
        "variations": [false, true, true],
        "weights": [0.4, 0.3, 0.3],
    })
}

fn in_group() -> Value {
    json!({"condition": {"id": {"$inGroup": "group"}}, "force": true})
}

fn in_list() -> Value {
    json!({"condition": {"id": {"$in": ids(0..1_000)}}, "force": true})
}

fn plain_flags(count: usize) -> Map<String, Value> {
    (0..count).map(|flag| (format!("flag-{flag}"), json!({"defaultValue": true}))).collect()
}

fn prerequisite_chain() -> Value {
    let needs = |parent: &str| {
        let parents = json!([{"id": parent, "condition": {"value": true}, "gate": true}]);
        json!({"defaultValue": true, "rules": [{"parentConditions": parents}]})
    };
    json!({
        "flag": needs("first"),
        "first": needs("second"),
        "second": needs("third"),
        "third": {"defaultValue": true},
    })
}

fn ids(range: std::ops::Range<usize>) -> Value {
    range.map(id).collect()
}
