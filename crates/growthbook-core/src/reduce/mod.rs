//! Smaller payloads for a browser. Conditions are decided as far as the user is known. Unwanted
//! definitions, and saved groups without references, are left out.

mod features;
mod groups;
mod options;
mod prune;

use alloc::{sync::Arc, vec::Vec};

use hashbrown::HashSet;
use serde::{Serialize, Serializer};

use crate::attributes::{AttributeLookup, Attributes};
use crate::compile;
use crate::condition::{self, Condition, Fields, Remainder};
use crate::json::{Json, Object};
use crate::payload::{Entries, Payload, Section, Sections};
use crate::snapshot::Snapshot;
use features::{Features, readable_items, rules};
use groups::Groups;
pub use options::{PayloadFilters, PrerequisiteMode, ReduceOptions};
use prune::Pruner;

/// Reduces a payload for a user who is known in part. For example, a server that renders the first
/// page knows some attributes. This is GrowthBook's `reducePayload`.
///
/// For every user with the known attributes, the kept features have the same value from the same
/// source, and experiments assign the same variation. An experiment in a result shows the reduced
/// condition. Two options make the payload smaller, but may change results:
///
/// - With [included](ReduceOptions::include) projects, rules of other projects are left out.
/// - With [`PrerequisiteMode::Filter`], filtered prerequisites are left out.
///
/// The reduced payload is not encrypted, even if this one was. A section that could not be
/// decrypted stays as it is. A definition that is not valid JSON is left out, as when
/// [compiling](Payload::compile).
///
/// ```
/// use growthbook_core::{Attributes, Payload};
/// use growthbook_core::reduce::{ReduceOptions, reduce_payload};
///
/// let payload = Payload::from_json(r#"{"features": {"checkout": {
///     "defaultValue": "old",
///     "rules": [
///         {"condition": {"plan": "pro"}, "force": "newest"},
///         {"condition": {"plan": "free", "country": "US"}, "force": "new"}
///     ]
/// }}}"#)?;
/// let known = Attributes::from_iter([("plan", "free")]);
/// let reduced = reduce_payload(&payload, &ReduceOptions::new().attributes(known));
/// assert_eq!(reduced.to_json_string(), concat!(
///     r#"{"features":{"checkout":{"defaultValue":"old","rules":["#,
///     r#"{"condition":{"$not":{}},"force":null},"#,
///     r#"{"condition":{"country":"US"},"force":"new"}]}},"#,
///     r#""experiments":[],"savedGroups":{}}"#,
/// ));
/// # Ok::<(), growthbook_core::PayloadError>(())
/// ```
pub fn reduce_payload(payload: &Payload, options: &ReduceOptions) -> Payload {
    let saved_groups = compile::saved_groups(payload.saved_groups_section());
    let attributes = AttributeLookup {
        source: None,
        user: &options.attributes,
        global: Some(&options.global_attributes),
    };
    let known = Fields::Known(&attributes);
    let mut pruner = Pruner::new(&known, &saved_groups);

    let mut features = Features::read(payload.feature_entries(), options);
    features.keep_matching(&mut pruner);
    let experiments = experiments(payload.experiments_section(), options, &mut pruner);
    features.keep_parents(&experiments, &mut pruner);
    let features = features.into_kept();
    let used = bandit_references(&features, &experiments);
    let bandits = bandits(payload.contextual_bandits_section(), used, &mut pruner);

    let experiments = Json::Array(experiments);
    let groups = match Groups::read(payload.saved_groups_section(), &saved_groups, &known) {
        Some(groups) => {
            let roots = [&features, &experiments, &bandits];
            Section::Present(groups.kept(&roots, pruner.undecidable()))
        }
        None => payload.saved_groups_section().clone(),
    };
    payload.with_sections(Sections {
        features: features.as_object().map(Entries::of_object).unwrap_or_default(),
        experiments: match payload.experiments_section() {
            Section::Unreadable => Section::Unreadable,
            _ => Section::Present(experiments.to_text().into()),
        },
        saved_groups: groups,
        contextual_bandits: match payload.contextual_bandits_section() {
            Section::Malformed(text) if !is_truthy(text) => Section::Absent,
            Section::Present(_) | Section::Malformed(_) => {
                Section::Present(bandits.as_object().map(Entries::of_object).unwrap_or_default())
            }
            section => section.clone(),
        },
    })
}

fn is_truthy(text: &str) -> bool {
    Json::parse(text).is_none_or(|value| value.is_truthy())
}

/// Returns the auto experiments that match the filters. An item that is not an object is left out.
fn experiments<'p>(
    section: &'p Section<Arc<str>>,
    options: &ReduceOptions,
    pruner: &mut Pruner<'_, 'p>,
) -> Vec<Json<'p>> {
    let Section::Present(text) = section else {
        return Vec::new();
    };
    let experiments = readable_items(text).into_iter().filter_map(|experiment| match experiment {
        Json::Object(mut experiment) if options.matches(&experiment) => {
            pruner.experiment(&mut experiment);
            Some(Json::Object(experiment))
        }
        _ => None,
    });
    experiments.collect()
}

/// Returns the ids of contextual bandits that kept rules and auto experiments refer to.
fn bandit_references<'r>(features: &'r Json<'_>, experiments: &'r [Json<'_>]) -> HashSet<&'r str> {
    let features = features.as_object().into_iter().flat_map(Object::iter);
    features
        .filter_map(|(_, feature)| feature.as_object())
        .flat_map(rules)
        .chain(experiments)
        .filter_map(|item| item.as_object()?.get("contextualBanditRef")?.as_str())
        .collect()
}

/// Returns the used contextual bandits, with their leaves reduced. A bandit that is not an object
/// stays.
fn bandits<'p>(
    section: &'p Section<Entries>,
    used: HashSet<&str>,
    pruner: &mut Pruner<'_, 'p>,
) -> Json<'p> {
    let Section::Present(entries) = section else {
        return Json::Object(Object::ordered(Vec::new()));
    };
    let used = entries.iter().filter(|entry| used.contains(&*entry.key));
    let bandits = used.filter_map(|entry| {
        let mut bandit = Json::parse(&entry.text)?;
        if let Json::Object(bandit) = &mut bandit {
            pruner.bandit(bandit);
        }
        Some(((&*entry.key).into(), bandit))
    });
    Json::Object(Object::ordered(bandits.collect()))
}

/// The result of [`prune_condition`].
///
/// Serializes to `true`, `false` or the condition.
#[derive(Clone, Debug)]
pub enum Pruned {
    /// Every user with the known attributes passes.
    True,
    /// No user with the known attributes passes.
    False,
    /// It depends on unknown attributes. This is the condition without its decided parts.
    Condition(Condition),
}

/// Decides a condition as far as the known attributes allow. This is GrowthBook's `pruneCondition`.
///
/// A missing attribute is unknown, and so is every path into an attribute (`father.age`). An
/// attribute that is null is known. These parts of a condition stay:
///
/// - a reference to a saved group that cannot be decided
/// - an operator or a type of saved group that this SDK does not know: another SDK may know it
/// - the whole condition, if its evaluation fails because it is malformed or reaches a limit
///
/// The saved groups come from a snapshot. [`Snapshot::empty`] does not have any.
///
/// ```
/// use growthbook_core::{Attributes, Snapshot};
/// use growthbook_core::condition::Condition;
/// use growthbook_core::reduce::{Pruned, prune_condition};
///
/// let condition = Condition::from_json(r#"{"plan": "pro", "country": {"$in": ["US", "CA"]}}"#)?;
/// let prune = |known| prune_condition(&known, &condition, &Snapshot::empty());
///
/// assert!(matches!(prune(Attributes::from_iter([("plan", "free")])), Pruned::False));
/// let Pruned::Condition(rest) = prune(Attributes::from_iter([("plan", "pro")])) else { panic!() };
/// assert_eq!(rest.to_json(), serde_json::json!({"country": {"$in": ["US", "CA"]}}));
/// # Ok::<(), growthbook_core::condition::ConditionError>(())
/// ```
pub fn prune_condition(
    attributes: &Attributes,
    condition: &Condition,
    saved_groups: &Snapshot,
) -> Pruned {
    let attributes = AttributeLookup { source: None, user: attributes, global: None };
    let known = Fields::Known(&attributes);
    let groups = &saved_groups.saved_groups;
    match condition::prune(condition.clauses(), condition.json(), &known, groups) {
        Remainder::Pass => Pruned::True,
        Remainder::Fail => Pruned::False,
        Remainder::Open(rest) => Pruned::Condition(Condition::new(rest)),
        Remainder::Abort => Pruned::Condition(condition.clone()),
    }
}

impl Serialize for Pruned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Pruned::True => serializer.serialize_bool(true),
            Pruned::False => serializer.serialize_bool(false),
            Pruned::Condition(condition) => condition.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    fn reduce(payload: &str, known: &str) -> String {
        let options = ReduceOptions::new().attributes(Attributes::from_json(known).unwrap());
        reduce_payload(&Payload::from_json(payload).unwrap(), &options).to_json_string()
    }

    fn pruned(condition: &str, known: &str, groups: &str) -> String {
        let groups = format!(r#"{{"features":{{}},"savedGroups":{groups}}}"#);
        let pruned = prune_condition(
            &Attributes::from_json(known).unwrap(),
            &Condition::from_json(condition).unwrap(),
            &Payload::from_json(groups).unwrap().compile(),
        );
        serde_json::to_string(&pruned).unwrap()
    }

    #[test]
    fn pruned_condition_keeps_its_order() {
        let condition = r#"{"z":1,"$or":[{"c":1},{"b":{"$lt":2,"$gt":1}}],"id":"u","a":1.0}"#;
        let rest = r#"{"z":1,"$or":[{"b":{"$lt":2,"$gt":1}}],"a":1.0}"#;
        assert_eq!(pruned(condition, r#"{"id":"u","c":2}"#, "{}"), rest);
    }

    #[test]
    fn condition_that_may_abort_is_not_decided() {
        // With `{"tags": []}` the whole evaluation fails, even under `$not`.
        let condition = r#"{"$not":{"tags":{"$elemMatch":null},"id":"x"}}"#;
        assert_eq!(pruned(condition, r#"{"id":"u"}"#, "{}"), condition);
        assert_eq!(pruned(condition, r#"{"id":"u","tags":1}"#, "{}"), "true");
    }

    #[test]
    fn remote_group_is_decided_by_the_users_groups() {
        let condition = r#"{"$savedGroup":{"id":"g"}}"#;
        let cases = [
            ("{}", condition),
            (r#"{"__gb_remoteGroupIds":["g"]}"#, "true"),
            (r#"{"__gb_remoteGroupIds":[]}"#, "false"),
            (r#"{"__gb_remoteGroupIds":null}"#, "false"),
        ];
        for (known, expected) in cases {
            let got = pruned(condition, known, r#"{"g":{"type":"remote"}}"#);
            assert_eq!(got, expected, "{known}");
        }
    }

    #[test]
    fn other_members_stay_as_written() {
        let payload = concat!(
            r#"{"status":200,"savedGroups":{"g":[1,  2],"unused":[]},"features":{"b":{"meta":1e2,"#,
            r#""rules":[{"id":"r","condition":{"x":{"$inGroup":"g"}},"force":1.0}]},"#,
            r#""a":{"defaultValue":9007199254740993}},"dateUpdated":"now","new":[ 1e400 ]}"#
        );
        let expected = concat!(
            r#"{"status":200,"savedGroups":{"g":[1,  2]},"features":{"b":{"meta":100.0,"#,
            r#""rules":[{"id":"r","condition":{"x":{"$inGroup":"g"}},"force":1.0}]},"#,
            r#""a":{"defaultValue":9007199254740993}},"dateUpdated":"now","new":[ 1e400 ],"#,
            r#""experiments":[]}"#
        );
        assert_eq!(reduce(payload, "{}"), expected);
    }

    #[test]
    fn unreadable_parts_are_left_out() {
        let payload = concat!(
            r#"{"features":{"f":{"defaultValue":1e400,"rules":[{"force":1e400},{"force":2}]},"#,
            r#""none":5},"experiments":[1e400,7,{"key":"e"}]}"#
        );
        let expected = concat!(
            r#"{"features":{"f":{"rules":[{"force":2}]}},"#,
            r#""experiments":[{"key":"e"}],"savedGroups":{}}"#
        );
        assert_eq!(reduce(payload, "{}"), expected);
    }

    #[test]
    fn unreadable_groups_stay_and_decide_nothing() {
        for groups in [r#""encryptedSavedGroups":"YQ==.YQ==""#, r#""savedGroups":5"#] {
            let rule = r#"{"condition":{"$savedGroup":{"id":"g"}},"force":1}"#;
            let payload = format!(r#"{{"features":{{"f":{{"rules":[{rule}]}}}},{groups}}}"#);
            let reduced = reduce(&payload, r#"{"id":"u"}"#);
            assert!(reduced.contains(rule) && reduced.contains(groups), "{reduced}");
        }
    }

    #[test]
    fn holdouts_are_kept_if_prerequisites_are_filtered() {
        let payload = Payload::from_json(
            r#"{"features":{
                "f":{"metadata":{"tags":["web"]},"rules":[{"force":1,"parentConditions":[
                    {"id":"$holdout:h","condition":{"value":"genpop"}},{"id":"other"}]}]},
                "other":{},"$holdout:h":{"defaultValue":"genpop"}}}"#,
        );
        let options = ReduceOptions::new()
            .include(PayloadFilters::new().tags(["web"]))
            .prerequisites(PrerequisiteMode::Filter);
        let reduced = reduce_payload(&payload.unwrap(), &options).compile();
        assert_eq!(reduced.feature_keys().collect::<Vec<_>>(), ["f", "$holdout:h"]);
    }

    #[test]
    fn long_chains_are_followed() {
        const LENGTH: usize = 5_000;
        let list = |link: &dyn Fn(usize, usize) -> String| {
            (0..LENGTH).map(|index| link(index, index + 1)).collect::<Vec<_>>().join(",")
        };
        let features = list(&|index, next| {
            format!(
                r#""f{index}":{{"rules":[{{"force":1,"parentConditions":[{{"id":"f{next}"}}]}}]}}"#
            )
        });
        let groups = list(&|index, next| {
            let condition = format!(r#"{{"x":1,"$savedGroup":{{"id":"g{next}"}}}}"#);
            format!(r#""g{index}":{{"type":"condition","condition":{condition}}}"#)
        });
        let payload = format!(
            r#"{{"features":{{"f":{{"rules":[{{"condition":{{"$savedGroup":{{"id":"g0"}}}}}}]}},
                {features}}},"savedGroups":{{{groups}}}}}"#
        );
        // The chain of groups is longer than the limit of evaluation, so all groups stay.
        let reduced = Payload::from_json(reduce(&payload, "{}")).unwrap().compile();
        assert_eq!(reduced.feature_keys().len(), LENGTH + 1);
        let groups = &reduced.saved_groups;
        let is_kept = |id: String| groups.index_of(&id).is_some_and(|it| groups.get(it).is_some());
        assert!((0..LENGTH).all(|index| is_kept(format!("g{index}"))));
    }

    #[test]
    fn groups_that_branch_at_each_level_end_in_time() {
        const LEVELS: usize = 60;
        let groups: Vec<String> = (0..LEVELS)
            .map(|level| {
                let next = format!(r#"{{"$savedGroup":{{"id":"g{}"}}}}"#, level + 1);
                let condition =
                    format!(r#"{{"x":1,"$or":[{next},{next}],"$and":[{next},{next}]}}"#);
                format!(r#""g{level}":{{"type":"condition","condition":{condition}}}"#)
            })
            .collect();
        let groups = format!(r#"{{{},"g{LEVELS}":{{"type":"later"}}}}"#, groups.join(","));
        let condition = r#"{"$savedGroup":{"id":"g0"}}"#;
        assert_eq!(pruned(condition, "{}", &groups), condition);
        let payload = format!(
            r#"{{"features":{{"f":{{"rules":[{{"condition":{condition}}}]}}}},"savedGroups":{groups}}}"#
        );
        assert!(reduce(&payload, "{}").contains(&groups));
    }
}
