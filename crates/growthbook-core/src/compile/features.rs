//! Compiles the section `features`.

use alloc::{sync::Arc, vec::Vec};

use super::rules::RuleCompiler;
use super::{Compiler, not_an_object};
use crate::experiment::{ExperimentDefinition, ParentFeature};
use crate::feature_index::FeatureIndex;
use crate::json::{Json, items, members};
use crate::payload::{Entries, Entry};
use crate::snapshot::{Feature, Rule, RuleKind};
use crate::value::FeatureValue;
use crate::warning::{Location, WarningKind};
use crate::wire::FeatureWire;

impl Compiler<'_> {
    pub(super) fn features(&mut self, entries: &Entries) {
        self.warnings.add_unnamed(entries.unnamed_keys(), Location::Feature);
        let features = self.parts.features.get_mut();
        features.reserve(entries.iter().len());
        let indices: Vec<FeatureIndex> =
            entries.iter().map(|entry| features.link_shared(&entry.key)).collect();
        for (entry, index) in entries.iter().zip(indices) {
            let shared = self.shared_feature(entry, index).cloned();
            let feature = match shared {
                Some(same) if self.memory.take(same.memory) => same,
                _ => match self.feature(entry) {
                    Ok(feature) => Arc::new(feature),
                    Err(kind) => {
                        self.warn(Location::Feature(entry.key.clone()), kind);
                        continue;
                    }
                },
            };
            self.warnings.extend(feature.warnings());
            self.parts.features.get_mut().add(index, feature);
        }
    }

    /// Returns the feature of the older snapshot, if neither its text nor its bandits changed.
    fn shared_feature(&self, entry: &Entry, index: FeatureIndex) -> Option<&Arc<Feature>> {
        let before = self.before?;
        let (_, feature) = before.features.get(index)?;
        if feature.text != entry.text {
            return None;
        }
        let is_same_bandit = |id: &str| match (before.bandits.get(id), self.parts.bandits.get(id)) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (before, now) => before.is_none() && now.is_none(),
        };
        feature.bandits().iter().all(|id| is_same_bandit(id)).then_some(feature)
    }

    /// Compiles a feature. The error is the warning for an entry that is left out.
    fn feature(&mut self, entry: &Entry) -> Result<Feature, WarningKind> {
        let mut rules = RuleCompiler::new(&self.parts, entry, self.memory.left());
        let default_value = match Json::parse(&entry.text) {
            Some(feature) => whole_feature(&feature, &mut rules)?,
            None => partial_feature(&entry.text, &mut rules)?,
        };
        let memory = rules.memory();
        let has_memory = self.memory.take(memory);
        has_memory.then(|| rules.into_feature(default_value)).ok_or(WarningKind::TooMuchMemory)
    }
}

/// Compiles a feature that can be read as a whole. Nearly every feature can. Returns its default
/// value.
fn whole_feature(
    feature: &Json<'_>,
    rules: &mut RuleCompiler<'_>,
) -> Result<FeatureValue, WarningKind> {
    let wire = FeatureWire::of(feature.as_object().ok_or_else(not_an_object)?);
    match wire.rules.get() {
        None | Some(Json::Null) => {}
        // All rules are estimated before the first one is compiled.
        Some(Json::Array(list)) if list.iter().all(|rule| rules.has_memory(rule)) => {
            list.iter().for_each(|rule| rules.rule(rule));
        }
        Some(Json::Array(_)) => {}
        Some(_) => rules.warn(malformed_rules()),
    }
    Ok(wire.default_value.get().map_or_else(|| FeatureValue::NULL.clone(), |it| rules.value(it)))
}

/// Compiles the readable parts of a feature. Returns its default value.
fn partial_feature(text: &str, rules: &mut RuleCompiler<'_>) -> Result<FeatureValue, WarningKind> {
    let feature = members(text).map_err(|_| not_an_object())?;
    let list = feature.get("rules").map(items);
    if let Some(None) = list {
        rules.warn(malformed_rules());
    }
    let default_value = match feature.get("defaultValue").map(Json::parse) {
        None => FeatureValue::NULL.clone(),
        Some(Some(value)) => rules.value(&value),
        Some(None) => {
            rules.warn(WarningKind::InvalidJson);
            FeatureValue::NULL.clone()
        }
    };
    for text in list.flatten().unwrap_or_default() {
        match Json::parse(text) {
            Some(rule) if rules.has_memory(&rule) => rules.rule(&rule),
            Some(_) => break,
            None => rules.unreadable_rule(text),
        }
    }
    Ok(default_value)
}

fn malformed_rules() -> WarningKind {
    WarningKind::WrongType { field: "rules", expected: "a list" }
}

impl Feature {
    pub(super) fn experiments(&self) -> impl Iterator<Item = &ExperimentDefinition> {
        self.rules.iter().filter_map(|rule| match &rule.kind {
            RuleKind::Experiment(rule) => Some(&rule.definition),
            _ => None,
        })
    }

    /// Iterates over the prerequisites of the rules.
    pub(super) fn prerequisites(&self) -> impl Iterator<Item = FeatureIndex> {
        self.rules.iter().flat_map(Rule::parents).filter_map(|parent| match parent.feature {
            ParentFeature::Linked(index) => Some(index),
            _ => None,
        })
    }
}
