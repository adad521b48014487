//! The section `features`, and the rules in it.

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};

use serde_json::value::RawValue;

use super::Compiler;
use crate::bandit::BanditRule;
use crate::experiment::{Echo, Links, ParentCondition, ParentFeature, Reader, text_of};
use crate::json::{Json, Object};
use crate::payload::{items, members};
use crate::snapshot::{ExperimentRule, Feature, FeatureIndex, ForceRule, Rule, RuleKind};
use crate::value::FeatureValue;
use crate::warning::{Location, WarningKind};

/// The text of a feature's parts.
pub(super) struct FeatureSource<'a> {
    default_value: Option<&'a str>,
    rules: Vec<&'a RawValue>,
}

impl Compiler {
    /// Every feature that is one, with its parts found but not read.
    pub(super) fn feature_sources<'a>(
        &mut self,
        features: &'a str,
    ) -> Vec<(Cow<'a, str>, FeatureSource<'a>)> {
        let Ok(entries) = members(features) else {
            self.warn(Location::Section("features"), WarningKind::InvalidJson);
            return Vec::new();
        };
        self.warn_unnamed(&entries.unnamed, Location::Feature);
        let mut sources = Vec::with_capacity(entries.named.len());
        for (key, text) in entries.named {
            let location = Location::Feature(key.as_ref().into());
            let Ok(parts) = members(text.get()) else {
                let kind = WarningKind::WrongType { field: "", expected: "an object" };
                self.warn(location, kind);
                continue;
            };
            let rules = match parts.get("rules").map(items) {
                None => Vec::new(),
                Some(Ok(rules)) => rules,
                Some(Err(_)) => {
                    let kind = WarningKind::WrongType { field: "rules", expected: "a list" };
                    self.warn(location, kind);
                    Vec::new()
                }
            };
            let default_value = parts.get("defaultValue");
            sources.push((key, FeatureSource { default_value, rules }));
        }
        sources
    }

    pub(super) fn feature(
        &mut self,
        key: Cow<'_, str>,
        source: FeatureSource<'_>,
        links: Links<'_>,
    ) -> Feature {
        let default_value = match source.default_value.map(serde_json::from_str::<Json<'_>>) {
            None => FeatureValue::NULL.clone(),
            Some(Ok(value)) => value.into(),
            Some(Err(_)) => {
                self.warn(Location::Feature(key.as_ref().into()), WarningKind::InvalidJson);
                FeatureValue::NULL.clone()
            }
        };
        let rules = source
            .rules
            .into_iter()
            .enumerate()
            .filter_map(|(index, text)| self.rule(&key, index, text.get(), links))
            .collect();
        Feature { key: String::from(key).into(), default_value, rules }
    }

    fn rule(&mut self, feature: &str, index: usize, text: &str, links: Links<'_>) -> Option<Rule> {
        let location = |id: &str| Location::Rule { feature: feature.into(), index, id: id.into() };
        let Some(object) = self.object(text, || location("")) else {
            return Some(self.unreadable_rule(text, links)).filter(|rule| !rule.parents.is_empty());
        };
        let id = object.get("id").and_then(text_of).unwrap_or_default();
        let mut kinds = Vec::new();
        let mut reader = Reader::new(&object, links, &self.patterns, &mut kinds);

        let parents = reader.parents();
        let (filters, kind, error) = match reader.filters() {
            Ok(filters) => match rule_kind(&mut reader, feature, text) {
                Ok(kind) => (filters, kind, None),
                Err(error) => (filters, RuleKind::Nothing, Some(error)),
            },
            Err(error) => (None, RuleKind::Nothing, Some(error)),
        };
        kinds.extend(error);
        self.warn_all(&location(&id), kinds);
        Some(Rule { id, parents, filters, kind })
    }

    /// What is left of a rule that cannot be read as a whole: its prerequisites, whose gates hold.
    fn unreadable_rule(&mut self, text: &str, links: Links<'_>) -> Rule {
        let parents = members(text).ok().and_then(|members| members.get("parentConditions"));
        let parents = match parents.map(serde_json::from_str::<Json<'_>>) {
            None => Box::default(),
            Some(Err(_)) => [ParentCondition::unreadable(true)].into(),
            Some(Ok(parents)) => {
                let object = Object::ordered([("parentConditions".into(), parents)].into());
                // The rule as a whole was warned of.
                Reader::new(&object, links, &self.patterns, &mut Vec::new()).parents()
            }
        };
        Rule { id: Box::default(), parents, filters: None, kind: RuleKind::Nothing }
    }
}

fn rule_kind(reader: &mut Reader<'_>, feature: &str, text: &str) -> Result<RuleKind, WarningKind> {
    if let Some(value) = reader.get("force") {
        return Ok(RuleKind::Force(Box::new(ForceRule {
            condition: reader.condition(),
            rollout: reader.rollout(feature)?,
            value: value.clone().into(),
        })));
    }
    let Some(variations) = reader.variations()? else {
        return Ok(RuleKind::Nothing);
    };
    let mut definition = reader.experiment(feature, variations.len())?;
    definition.echo = Echo::Rule(text.into());
    // The rule has tested its filters by the time its experiment runs; what is left of them is
    // that a namespace beside them does not count.
    if let Some(filters) = &mut definition.filters {
        *filters = Box::default();
    }
    let bandit = reader.bandit_reference().map(|bandit| {
        BanditRule::new(
            bandit,
            definition.variations,
            definition.coverage.unwrap_or(1.0),
            definition.weights.as_deref(),
            definition.explicit_ranges.is_some(),
        )
    });
    let variations = variations.iter().map(|value| value.clone().into()).collect();
    Ok(RuleKind::Experiment(Box::new(ExperimentRule { definition, variations, bandit })))
}

impl Feature {
    pub(super) fn sticky_attributes(&self) -> impl Iterator<Item = Box<str>> {
        self.rules.iter().flat_map(|rule| match &rule.kind {
            RuleKind::Experiment(rule) => {
                rule.definition.sticky_attributes().map(Box::from).collect()
            }
            _ => Vec::new(),
        })
    }

    /// The features whose values this one's rules look at.
    pub(super) fn prerequisites(&self) -> impl Iterator<Item = FeatureIndex> {
        self.rules.iter().flat_map(|rule| rule.parents.iter()).filter_map(|parent| {
            match parent.feature {
                ParentFeature::Linked(index) => Some(index),
                _ => None,
            }
        })
    }
}
