//! The section `features`, and the rules in it.

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};

use super::Compiler;
use crate::bandit::BanditRule;
use crate::experiment::{Echo, Links, ParentCondition, ParentFeature, Reader, text_of};
use crate::json::{Json, Object, TextReader};
use crate::payload::members;
use crate::snapshot::{ExperimentRule, Feature, FeatureIndex, ForceRule, Rule, RuleKind};
use crate::value::FeatureValue;
use crate::warning::{Location, WarningKind};

/// A feature's parts.
#[derive(Default)]
struct Parts<'a> {
    /// `None` for one that cannot be read.
    default_value: Option<Option<Json<'a>>>,
    rules: Vec<RuleSource<'a>>,
    /// The last `rules` are no list.
    has_malformed_rules: bool,
}

/// A rule as far as it can be read, and its text.
struct RuleSource<'a> {
    json: Option<Json<'a>>,
    text: &'a str,
}

impl Compiler {
    /// The text of every feature that is one.
    pub(super) fn feature_texts<'a>(&mut self, features: &'a str) -> Vec<(Cow<'a, str>, &'a str)> {
        let Some(mut entries) = members(features) else {
            self.warn(Location::Section("features"), WarningKind::InvalidJson);
            return Vec::new();
        };
        self.warn_unnamed(&entries.unnamed, Location::Feature);
        entries.named.retain(|(key, text)| {
            let is_object = text.starts_with('{');
            if !is_object {
                let kind = WarningKind::WrongType { field: "", expected: "an object" };
                self.warn(Location::Feature(key.as_ref().into()), kind);
            }
            is_object
        });
        entries.named
    }

    pub(super) fn feature(&mut self, key: Cow<'_, str>, text: &str, links: Links<'_>) -> Feature {
        // What was found to be an object has parts.
        let parts = Parts::read(text).unwrap_or_default();
        if parts.has_malformed_rules {
            let kind = WarningKind::WrongType { field: "rules", expected: "a list" };
            self.warn(Location::Feature(key.as_ref().into()), kind);
        }
        let default_value = match parts.default_value {
            None => FeatureValue::NULL.clone(),
            Some(Some(value)) => value.into(),
            Some(None) => {
                self.warn(Location::Feature(key.as_ref().into()), WarningKind::InvalidJson);
                FeatureValue::NULL.clone()
            }
        };
        let rules = parts
            .rules
            .into_iter()
            .enumerate()
            .filter_map(|(index, source)| self.rule(&key, index, source, links))
            .collect();
        Feature { key: String::from(key).into(), default_value, rules }
    }

    fn rule(
        &mut self,
        feature: &str,
        index: usize,
        source: RuleSource<'_>,
        links: Links<'_>,
    ) -> Option<Rule> {
        let text = source.text;
        let location = |id: &str| Location::Rule { feature: feature.into(), index, id: id.into() };
        let Some(object) = self.object(source.json, || location("")) else {
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
        let parents = members(text).and_then(|members| members.get("parentConditions"));
        let parents = match parents.map(Json::parse) {
            None => Box::default(),
            Some(None) => [ParentCondition::unreadable(true)].into(),
            Some(Some(parents)) => {
                let object = Object::ordered([("parentConditions".into(), parents)].into());
                // The rule as a whole was warned of.
                Reader::new(&object, links, &self.patterns, &mut Vec::new()).parents()
            }
        };
        Rule { id: Box::default(), parents, filters: None, kind: RuleKind::Nothing }
    }
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut reader = TextReader::new(text);
        let mut parts = Parts::default();
        let mut entries = reader.enter_object()?;
        while reader.next_entry(&mut entries)? {
            match reader.name()?.as_deref() {
                Ok("defaultValue") => {
                    let (value, text) = reader.read()?;
                    parts.default_value = (text != "null").then_some(value);
                }
                Ok("rules") => parts.read_rules(&mut reader)?,
                _ => _ = reader.skip()?,
            }
        }
        Some(parts)
    }

    fn read_rules(&mut self, reader: &mut TextReader<'a>) -> Option<()> {
        self.rules.clear();
        let Some(mut entries) = reader.enter_list() else {
            self.has_malformed_rules = reader.skip()? != "null";
            return Some(());
        };
        self.has_malformed_rules = false;
        while reader.next_entry(&mut entries)? {
            let (json, text) = reader.read()?;
            self.rules.push(RuleSource { json, text });
        }
        Some(())
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
