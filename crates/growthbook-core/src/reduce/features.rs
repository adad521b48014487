//! The features that a reduced payload keeps: those that match the filters, and prerequisites.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::options::{PrerequisiteMode, ReduceOptions};
use super::prune::Pruner;
use crate::json::{Json, Object, items, members};
use crate::payload::Entries;

/// The prefix of holdouts: features that GrowthBook adds as prerequisites of experiments.
const HOLDOUT: &str = "$holdout:";

/// Every feature of a payload.
pub(super) struct Features<'p, 'o> {
    definitions: Vec<Definition<'p>>,
    by_key: HashMap<&'p str, usize>,
    options: &'o ReduceOptions,
}

struct Definition<'p> {
    key: &'p str,
    members: Object<'p>,
    /// Whether the feature is kept. Then its rules are reduced.
    kept: bool,
}

impl<'p, 'o> Features<'p, 'o> {
    pub(super) fn read(entries: &'p Entries, options: &'o ReduceOptions) -> Self {
        let definitions: Vec<Definition<'p>> = entries
            .iter()
            .filter_map(|entry| {
                let members = definition(&entry.text)?;
                Some(Definition { key: &entry.key, members, kept: false })
            })
            .collect();
        let by_key = (0..).zip(&definitions).map(|(index, feature)| (feature.key, index));
        Features { by_key: by_key.collect(), definitions, options }
    }

    /// Keeps the features that match the filters.
    pub(super) fn keep_matching(&mut self, pruner: &mut Pruner<'_, 'p>) {
        let matching = |definition: &Definition<'p>| self.options.matches(&definition.members);
        let matching: Vec<usize> = (0..)
            .zip(&self.definitions)
            .filter(|(_, definition)| matching(definition))
            .map(|(index, _)| index)
            .collect();
        self.keep(matching, pruner);
    }

    /// Keeps the prerequisites of auto experiments.
    pub(super) fn keep_parents(&mut self, experiments: &[Json<'p>], pruner: &mut Pruner<'_, 'p>) {
        let parents = experiments.iter().flat_map(|experiment| self.parents(experiment)).collect();
        self.keep(parents, pruner);
    }

    /// Keeps features and their prerequisites. It does not recurse, since a chain may be as long as
    /// the payload.
    fn keep(&mut self, mut pending: Vec<usize>, pruner: &mut Pruner<'_, 'p>) {
        while let Some(index) = pending.pop() {
            let Some(definition) = self.definitions.get_mut(index) else { continue };
            if core::mem::replace(&mut definition.kept, true) {
                continue;
            }
            reduce_rules(&mut definition.members, self.options, pruner);
            if let Some(definition) = self.definitions.get(index) {
                pending.extend(rules(&definition.members).flat_map(|rule| self.parents(rule)));
            }
        }
    }

    /// Returns the prerequisites of a rule or experiment that are kept for it.
    fn parents<'s>(&'s self, item: &'s Json<'p>) -> impl Iterator<Item = usize> + 's {
        let parents = item.as_object().and_then(|item| item.get("parentConditions"));
        parents
            .and_then(Json::as_array)
            .unwrap_or_default()
            .iter()
            .filter_map(|parent| parent.as_object()?.get("id")?.as_str())
            .filter(|id| {
                self.options.prerequisites == PrerequisiteMode::Keep || id.starts_with(HOLDOUT)
            })
            .filter_map(|id| self.by_key.get(id).copied())
    }

    /// Returns the kept features in the payload's order.
    pub(super) fn into_kept(self) -> Json<'p> {
        let kept = self.definitions.into_iter().filter(|definition| definition.kept);
        let members =
            kept.map(|definition| (definition.key.into(), Json::Object(definition.members)));
        Json::Object(Object::ordered(members.collect()))
    }
}

/// Leaves out rules of other projects, and prunes the rest. A feature of another project is kept as
/// a prerequisite only. It keeps all its rules.
fn reduce_rules<'p>(
    feature: &mut Object<'p>,
    options: &ReduceOptions,
    pruner: &mut Pruner<'_, 'p>,
) {
    let is_in_projects = options.in_projects(feature);
    let Some(Json::Array(rules)) = feature.get_mut("rules") else {
        return;
    };
    rules.retain_mut(|rule| {
        let Json::Object(rule) = rule else {
            return true;
        };
        let is_kept = !is_in_projects || options.rule_in_projects(rule);
        if is_kept {
            pruner.rule(rule);
        }
        is_kept
    });
}

/// Iterates over the rules of a feature.
pub(super) fn rules<'f, 'p>(feature: &'f Object<'p>) -> impl Iterator<Item = &'f Json<'p>> {
    feature.get("rules").and_then(Json::as_array).unwrap_or_default().iter()
}

/// Reads a feature, without its unreadable members. `None` if it is not an object.
fn definition(text: &str) -> Option<Object<'_>> {
    match Json::parse(text) {
        Some(Json::Object(definition)) => return Some(definition),
        Some(_) => return None,
        None => {}
    }
    let members = members(text).ok()?.named.into_iter();
    let readable = members.filter_map(|(name, text)| {
        let value = match Json::parse(text) {
            Some(value) => value,
            None if name == "rules" => Json::Array(readable_rules(text)),
            None => return None,
        };
        Some((name.into(), value))
    });
    Some(Object::ordered(readable.collect()))
}

/// Reads rules. Of an unreadable rule it keeps the prerequisites, since evaluation checks them.
fn readable_rules(text: &str) -> Vec<Json<'_>> {
    let rules = items(text).unwrap_or_default();
    rules
        .into_iter()
        .filter_map(|text| Json::parse(text).or_else(|| unreadable_rule(text)))
        .collect()
}

fn unreadable_rule(text: &str) -> Option<Json<'_>> {
    const PARENTS: &str = "parentConditions";
    let parents = members(text).ok()?.get(PARENTS)?;
    // Unreadable prerequisites become one that is never met.
    let never_met = || Json::Array([Json::Null].into());
    let parents = Json::parse(parents).unwrap_or_else(never_met);
    Some(Json::Object(Object::ordered([(PARENTS.into(), parents)].into())))
}

/// Reads the items of a list, without the unreadable ones.
pub(super) fn readable_items(text: &str) -> Vec<Json<'_>> {
    let items = items(text).unwrap_or_default();
    items.into_iter().filter_map(Json::parse).collect()
}
