//! A snapshot that is compiled after another one answers, explains and warns exactly like one that
//! is compiled from scratch, whatever was edited in between.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fmt::Write;

use growthbook_core::auto::AutoExperimentOptions;
use growthbook_core::observe::{Exposure, Observer};
use growthbook_core::sticky::StickyBuckets;
use growthbook_core::{FeatureResult, Payload, Snapshot, UserContext};
use serde_json::{Value, json};

const EDITS: u32 = 3_000;
const FEATURES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "7", "12", "long-feature-key", "é"];
const GROUPS: [&str; 5] = ["g0", "g1", "g2", "g3", "g4"];
const BANDITS: [&str; 3] = ["b0", "b1", "b2"];

#[test]
fn random_edits_change_nothing_but_the_cost() {
    let users = users();
    for seed in 0..4 {
        let mut random = Random(seed * 7919 + 1);
        let mut document = Document::random(&mut random);
        let mut payload = Payload::from_json(document.to_text()).unwrap();
        let mut snapshot = payload.compile();
        for edit in 0..EDITS / 4 {
            let edits = 1 + random.below(3);
            (0..edits).for_each(|_| document.edit(&mut random));
            let text = document.to_text();
            let next = Payload::from_json(&text).unwrap();
            // A client shares the memory of equal entries first. Others do not.
            payload = if random.below(2) == 0 { next.replacing(&payload) } else { next };
            snapshot = payload.compile_after(&snapshot);
            let expected = payload.compile();
            assert_eq!(
                answers(&snapshot, &users),
                answers(&expected, &users),
                "seed {seed}, edit {edit}: {text}"
            );
        }
    }
}

/// Every answer, explanation, exposure, sticky document and warning, as text.
fn answers(snapshot: &Snapshot, users: &[UserContext]) -> String {
    let mut text = String::new();
    for warning in snapshot.warnings() {
        writeln!(text, "{warning}").unwrap();
    }
    let keys: Vec<&str> = snapshot.feature_keys().collect();
    writeln!(text, "{keys:?}").unwrap();
    for user in users {
        let evaluator = snapshot.for_user(user);
        for key in FEATURES.iter().chain(&["missing"]) {
            let mut exposures = Exposures::default();
            let mut buckets = StickyBuckets::new();
            let result = evaluator.observed(&mut exposures).sticky(&mut buckets).eval_feature(*key);
            let result = serde_json::to_string(&result).unwrap();
            let explanation = evaluator.explain(*key);
            let documents = serde_json::to_string(&buckets.take_changed()).unwrap();
            let known = snapshot.contains_feature(key);
            writeln!(text, "{key} {known} {result} {documents} {}", exposures.0).unwrap();
            writeln!(text, "{explanation} {}", json!(explanation)).unwrap();
        }
        writeln!(text, "{}", json!(evaluator.evaluate_all())).unwrap();
        for result in evaluator.run_auto_experiments(&AutoExperimentOptions::default()) {
            writeln!(text, "{} {:?}", json!(result.result), result.change).unwrap();
        }
    }
    text
}

#[derive(Default)]
struct Exposures(String);

impl Observer for Exposures {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        write!(self.0, "{} {} ", exposure.experiment.key(), json!(exposure.result)).unwrap();
    }

    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        write!(self.0, "{key}={} ", result.value()).unwrap();
    }
}

fn users() -> Vec<UserContext> {
    let attributes = [
        json!({"id": "u1", "plan": "pro", "tags": ["x"], "age": 20}),
        json!({"id": "u2", "plan": "free", "__gb_remoteGroupIds": ["g0", "g3"]}),
        json!({"id": 3, "age": 41, "email": "a@example.com"}),
    ];
    let at = |attributes| UserContext::from(attributes).url("https://example.com/a");
    attributes.into_iter().map(at).collect()
}

/// The sections of a payload, in their order. An entry is JSON text, which may be invalid.
struct Document {
    features: Vec<(String, String)>,
    groups: Vec<(String, String)>,
    bandits: Vec<(String, String)>,
    experiments: Vec<String>,
}

impl Document {
    fn random(random: &mut Random) -> Self {
        let entries = |names: &[&str], random: &mut Random, new: fn(&mut Random) -> String| {
            names.iter().map(|name| ((*name).to_owned(), new(random))).collect()
        };
        Document {
            features: entries(&FEATURES[..6], random, feature),
            groups: entries(&GROUPS[..3], random, group),
            bandits: entries(&BANDITS[..2], random, bandit),
            experiments: vec![auto_experiment(random)],
        }
    }

    fn edit(&mut self, random: &mut Random) {
        match random.below(10) {
            0..=5 => edit_entries(&mut self.features, &FEATURES, random, feature),
            6 | 7 => edit_entries(&mut self.groups, &GROUPS, random, group),
            8 => edit_entries(&mut self.bandits, &BANDITS, random, bandit),
            _ if random.below(2) == 0 => self.experiments.push(auto_experiment(random)),
            _ => _ = self.experiments.pop(),
        }
    }

    fn to_text(&self) -> String {
        let section = |entries: &[(String, String)]| {
            let members = entries.iter().map(|(key, text)| format!("{}:{text}", json!(key)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        format!(
            r#"{{"features":{},"savedGroups":{},"contextualBandits":{},"experiments":[{}]}}"#,
            section(&self.features),
            section(&self.groups),
            section(&self.bandits),
            self.experiments.join(",")
        )
    }
}

/// Adds, changes, removes, moves or renames an entry.
fn edit_entries(
    entries: &mut Vec<(String, String)>,
    names: &[&str],
    random: &mut Random,
    new: fn(&mut Random) -> String,
) {
    let name = (*random.pick(names)).to_owned();
    let at = entries.iter().position(|(key, _)| *key == name);
    match (random.below(6), at) {
        (0..=2, Some(at)) => entries[at].1 = new(random),
        (3, Some(at)) => _ = entries.remove(at),
        (4, Some(at)) => {
            let entry = entries.remove(at);
            let to = random.below(entries.len() as u32 + 1) as usize;
            entries.insert(to, entry);
        }
        (5, Some(at)) => {
            let new_name = (*random.pick(names)).to_owned();
            if entries.iter().all(|(key, _)| *key != new_name) {
                entries[at].0 = new_name;
            }
        }
        (_, Some(_)) => {}
        (_, None) => {
            let to = random.below(entries.len() as u32 + 1) as usize;
            entries.insert(to, (name, new(random)));
        }
    }
}

fn feature(random: &mut Random) -> String {
    match random.below(30) {
        0 => return "5".to_owned(),
        1 => return r#"{"defaultValue": 1e400, "rules": [{"force": 1}]}"#.to_owned(),
        2 => {
            let parent = random.pick(&FEATURES);
            let parents = format!(r#"[{{"id": "{parent}", "gate": true}}]"#);
            return format!(
                r#"{{"rules": [{{"parentConditions": {parents}, "force": "\ud800"}}, {{"force": 2}}]}}"#
            );
        }
        3 => return r#"{"defaultValue": true, "rules": 7}"#.to_owned(),
        _ => {}
    }
    let rules: Vec<Value> = (0..random.below(4)).map(|number| rule(number, random)).collect();
    json!({"defaultValue": random.below(3), "rules": rules}).to_string()
}

fn rule(number: u32, random: &mut Random) -> Value {
    let mut rule = json!({"id": format!("r{number}")});
    if random.below(3) == 0 {
        let condition = json!({"value": random.below(3)});
        let gate = random.below(2) == 0;
        rule["parentConditions"] =
            json!([{"id": random.pick(&FEATURES), "condition": condition, "gate": gate}]);
    }
    if random.below(2) == 0 {
        rule["condition"] = condition(random);
    }
    match random.below(5) {
        0 => rule["force"] = json!(random.below(9)),
        1 => {
            rule["force"] = json!([random.below(9)]);
            rule["coverage"] = json!(0.5);
        }
        2 => {
            rule["contextualBanditRef"] = json!(random.pick(&BANDITS));
            rule["contextualVariations"] = json!(["x", "y"]);
            rule["key"] = json!("bandit");
        }
        3 => {
            rule["variations"] = json!([random.below(3), "b", {"c": [1]}]);
            rule["hashVersion"] = json!(1 + random.below(3));
            rule["meta"] = json!([{"key": "0", "name": "Control"}, {"key": "1"}]);
        }
        _ => {
            rule["variations"] = json!([false, true]);
            rule["filters"] = json!([{"seed": "s", "ranges": [[0, 0.7]]}]);
        }
    }
    rule
}

fn condition(random: &mut Random) -> Value {
    let group = *random.pick(&GROUPS);
    match random.below(8) {
        0 => json!({"plan": random.pick(&["pro", "free"])}),
        1 => json!({"id": {"$inGroup": group}}),
        2 => json!({"id": {"$notInGroup": group}}),
        3 => json!({"$savedGroup": {"id": group}}),
        4 => json!({"$not": {"$savedGroup": {"id": group}}, "age": {"$gt": 18}}),
        5 => json!({"email": {"$regex": format!("^[a-z]+@{}", random.pick(&["example", "test"]))}}),
        6 => json!({"tags": {"$elemMatch": {"$unknown": 1}}}),
        _ => json!({"$or": [{"age": {"$lt": 30}}, {"id": {"$inGroup": group}}]}),
    }
}

fn group(random: &mut Random) -> String {
    match random.below(6) {
        0 => json!(["u1", 3]),
        1 => json!({"type": "list", "attributeKey": "id", "values": ["u2"]}),
        2 => json!({"type": "remote", "attributeKey": "id"}),
        3 => json!({"type": "later"}),
        _ => json!({"type": "condition", "condition": condition(random)}),
    }
    .to_string()
}

fn bandit(random: &mut Random) -> String {
    let weight = f64::from(random.below(10)) / 10.0;
    let contexts = json!([
        {"leafId": random.below(9), "weights": [weight, 1.0 - weight], "condition": condition(random)},
        {"leafId": 9, "weights": [1, 0]},
    ]);
    match random.below(8) {
        0 => "null".to_owned(),
        1 => "[]".to_owned(),
        _ => json!({"banditVersion": random.below(9), "contexts": contexts}).to_string(),
    }
}

fn auto_experiment(random: &mut Random) -> String {
    let mut experiment = json!({
        "key": format!("auto-{}", random.below(5)),
        "variations": [{}, {"css": "x"}],
        "urlPatterns": [{"type": "simple", "pattern": "*/a", "include": true}],
        "condition": condition(random),
    });
    if random.below(2) == 0 {
        experiment["parentConditions"] =
            json!([{"id": random.pick(&FEATURES), "condition": {"value": random.below(3)}}]);
    }
    experiment.to_string()
}

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % limit.max(1)
    }

    fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len() as u32) as usize]
    }
}
