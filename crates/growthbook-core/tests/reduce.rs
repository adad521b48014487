//! Reducing loses nothing. For a user with the known attributes, a reduced payload evaluates like
//! the full one, and a pruned condition like the whole one.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::condition::Condition;
use growthbook_core::reduce::{Pruned, ReduceOptions, prune_condition, reduce_payload};
use growthbook_core::{Attributes, Payload, Snapshot, UserContext};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

const ATTRIBUTES: &[&str] = &["a", "b", "c", "d", "__gb_remoteGroupIds"];
const PATHS: &[&str] = &["a", "b", "c", "d", "a.k", "b.0", "__gb_remoteGroupIds"];
const GROUPS: &[&str] = &["g0", "g1", "g2", "g3", "g4", "g5"];
const FEATURES: &[&str] = &["f0", "f1", "f2", "f3"];
const VALUES: &[&str] = &[
    "1",
    "2",
    r#""x""#,
    "null",
    "true",
    r#"[1,"x"]"#,
    r#"[{"k":1},{"k":2}]"#,
    r#"{"k":1}"#,
    r#"["g4"]"#,
];

fn value() -> impl Strategy<Value = String> {
    select(VALUES).prop_map(str::to_owned)
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A test of a value.
fn test() -> impl Strategy<Value = String> {
    let operator = prop_oneof![
        (select(&["$eq", "$ne", "$gt", "$lte", "$exists", "$size", "$later"][..]), value()),
        (
            select(&["$in", "$nin", "$all"][..]),
            vec(value(), 0..3).prop_map(|items| format!("[{}]", items.join(",")))
        ),
        (
            select(&["$inGroup", "$notInGroup"][..]),
            select(GROUPS).prop_map(|group| format!("{group:?}"))
        ),
        (
            Just("$elemMatch"),
            prop_oneof![
                4 => Just(r#"{"k":1}"#.to_owned()),
                4 => Just(r#"{"$gt":1}"#.to_owned()),
                4 => select(GROUPS).prop_map(|id| format!(r#"{{"$savedGroup":{{"id":{id:?}}}}}"#)),
                1 => Just("null".to_owned()),
            ]
        ),
    ];
    let operators = vec(operator.prop_map(|(name, operand)| (name.to_owned(), operand)), 1..3);
    prop_oneof![
        value(),
        operators.clone().prop_map(object),
        operators.prop_map(|operators| format!(r#"{{"$not":{}}}"#, object(operators))),
    ]
}

fn reference() -> impl Strategy<Value = String> {
    (select(GROUPS), option::weighted(0.2, select(PATHS))).prop_map(|(id, attribute)| {
        let mut reference = vec![("id".to_owned(), format!("{id:?}"))];
        reference.extend(attribute.map(|name| ("attributeKey".to_owned(), format!("{name:?}"))));
        object(reference)
    })
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => (select(PATHS).prop_map(str::to_owned), test()),
        2 => (Just("$savedGroup".to_owned()), reference()),
    ];
    let leaves = vec(leaf.clone(), 0..4).prop_map(object);
    leaves.prop_recursive(4, 24, 3, move |inner| {
        let list = vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(",")));
        let member = prop_oneof![
            8 => leaf.clone(),
            8 => (select(&["$and", "$or", "$nor"][..]).prop_map(str::to_owned), list),
            4 => (Just("$not".to_owned()), inner),
            1 => (Just("$or".to_owned()), Just("null".to_owned())),
        ];
        vec(member, 0..4).prop_map(object)
    })
}

fn group() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => condition().prop_map(|condition| {
            format!(r#"{{"type":"condition","condition":{condition}}}"#)
        }),
        3 => (select(PATHS), vec(value(), 0..3)).prop_map(|(path, values)| {
            format!(r#"{{"type":"list","attributeKey":{path:?},"values":[{}]}}"#, values.join(","))
        }),
        1 => Just(r#"[1,"x"]"#.to_owned()),
        1 => Just(r#"{"type":"remote"}"#.to_owned()),
        1 => Just(r#"{"type":"later","of":["g1"]}"#.to_owned()),
        1 => Just("null".to_owned()),
    ]
}

fn saved_groups() -> impl Strategy<Value = String> {
    vec(group(), GROUPS.len())
        .prop_map(|groups| object(GROUPS.iter().map(|id| (*id).to_owned()).zip(groups).collect()))
}

fn parent() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        Just(r#"{"value":1}"#.to_owned()),
        Just(r#"{"value":{"$gt":0}}"#.to_owned()),
        reference().prop_map(|reference| format!(r#"{{"$savedGroup":{reference}}}"#)),
    ];
    (select(FEATURES), condition, any::<bool>()).prop_map(|(id, condition, gate)| {
        format!(r#"{{"id":{id:?},"condition":{condition},"gate":{gate}}}"#)
    })
}

fn rule() -> impl Strategy<Value = String> {
    let kind = prop_oneof![
        value().prop_map(|value| format!(r#""force":{value}"#)),
        Just(r#""key":"e","variations":[1,2]"#.to_owned()),
        Just(r#""key":"e","variations":[1,2],"contextualBanditRef":"cb""#.to_owned()),
    ];
    (condition(), vec(parent(), 0..2), kind, 0..1000).prop_map(|(condition, parents, kind, id)| {
        let parents = parents.join(",");
        format!(r#"{{"id":"r{id}","condition":{condition},"parentConditions":[{parents}],{kind}}}"#)
    })
}

fn payload() -> impl Strategy<Value = String> {
    let feature = vec(rule(), 0..4)
        .prop_map(|rules| format!(r#"{{"defaultValue":0,"rules":[{}]}}"#, rules.join(",")));
    let features = vec(feature, FEATURES.len()).prop_map(|features| {
        object(FEATURES.iter().map(|key| (*key).to_owned()).zip(features).collect())
    });
    (features, saved_groups(), condition(), condition()).prop_map(
        |(features, groups, first, second)| {
            format!(
                r#"{{"features":{features},"savedGroups":{groups},"contextualBandits":{{"cb":{{
                    "banditVersion":1,"contexts":[
                    {{"leafId":1,"condition":{first},"weights":[0.1,0.9]}},
                    {{"leafId":2,"condition":{second},"weights":[0.9,0.1]}}]}}}}}}"#
            )
        },
    )
}

/// A user, and the attributes that are known of the user.
fn user() -> impl Strategy<Value = (UserContext, Attributes)> {
    vec((option::weighted(0.8, value()), any::<bool>()), ATTRIBUTES.len()).prop_map(|attributes| {
        let mut user = UserContext::new("user-1");
        let mut known = Attributes::new();
        for (name, (value, is_known)) in ATTRIBUTES.iter().zip(attributes) {
            let value: Option<Value> = value.map(|text| serde_json::from_str(&text).unwrap());
            if is_known {
                known.insert(*name, value.clone());
            }
            if let Some(value) = value {
                user = user.attribute(*name, value);
            }
        }
        (user, known)
    })
}

/// A result without the rule's condition, which the experiment repeats.
fn result(snapshot: &Snapshot, user: &UserContext, key: &str) -> Value {
    let mut result = serde_json::to_value(snapshot.for_user(user).eval_feature(key)).unwrap();
    if let Some(experiment) = result.get_mut("experiment").and_then(Value::as_object_mut) {
        experiment.remove("condition");
    }
    result
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_reduced_payload_evaluates_like_the_full_one(text in payload(), (user, known) in user()) {
        let payload = Payload::from_json(&text).unwrap();
        let reduced = reduce_payload(&payload, &ReduceOptions::new().attributes(known));
        let again = Payload::from_json(reduced.to_json_string()).unwrap();
        let (full, small) = (payload.compile(), again.compile());
        for key in FEATURES {
            prop_assert_eq!(
                result(&full, &user, key),
                result(&small, &user, key),
                "{} of {}\n\nreduced to {}", key, text, reduced.to_json_string()
            );
        }
    }

    #[test]
    fn a_pruned_condition_passes_like_the_whole_one(
        (text, groups) in (condition(), saved_groups()),
        (user, known) in user(),
    ) {
        let groups = Payload::from_json(format!(r#"{{"features":{{}},"savedGroups":{groups}}}"#));
        let snapshot = groups.unwrap().compile();
        let condition = Condition::from_json(&text).unwrap();
        let passes = |condition| snapshot.for_user(&user).eval_condition(condition);
        let pruned = prune_condition(&known, &condition, &snapshot);
        let pruned_passes = match &pruned {
            Pruned::True => true,
            Pruned::False => false,
            Pruned::Condition(rest) => passes(rest),
        };
        prop_assert_eq!(passes(&condition), pruned_passes, "{} pruned to {:?}", text, pruned);
    }
}
