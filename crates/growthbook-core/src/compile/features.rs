//! The section `features`, and the rules in it.

use alloc::{borrow::Cow, boxed::Box, sync::Arc, vec::Vec};
use core::ops::Range;

use smol_str::SmolStr;

use super::Compiler;
use crate::bandit::BanditRule;
use crate::experiment::{
    Echo, ExperimentDefinition, Field, Links, ParentCondition, ParentFeature, Reader, SharedText,
    text_of,
};
use crate::json::{Entries, Place, Tape, TextReader, View, property_order};
use crate::payload::members;
use crate::snapshot::{
    ExperimentRule, Feature, FeatureIndex, ForceRule, Gates, RolloutRule, Rule, RuleKind,
};
use crate::value::FeatureValue;
use crate::warning::{Location, Warning, WarningKind};

/// A feature's parts. Those of one serve for the next, so that reading them allocates nothing.
#[derive(Default)]
struct Parts<'a> {
    tape: Tape<'a>,
    /// `None` for one that cannot be read.
    default_value: Option<Option<Place>>,
    rules: Vec<RuleSource>,
    /// The last `rules` are no list.
    has_malformed_rules: bool,
}

/// Where a rule stands: on the tape, if it can be read, and in the text of all features.
struct RuleSource {
    place: Option<Place>,
    range: Range<usize>,
}

/// A feature, unless it is none, and what is wrong with it.
type Entry = (Option<Feature>, Vec<Warning>);

impl Compiler {
    /// The section `features`. Read in the text's order, and then put in JavaScript's: a key that
    /// comes again has what it says last.
    pub(super) fn features(&mut self, text: &Arc<str>, links: Links<'_>) -> Vec<Feature> {
        let before = core::mem::take(&mut self.warnings);
        let (mut entries, mut unnamed) = (Vec::new(), Vec::new());
        let complete = self.read_features(text, links, &mut entries, &mut unnamed).is_some();
        self.warnings = before;
        if !complete {
            self.warn(Location::Section("features"), WarningKind::InvalidJson);
            return Vec::new();
        }
        self.warn_unnamed(&unnamed, Location::Feature);
        let mut features = Vec::with_capacity(entries.len());
        for (_, (feature, warnings)) in property_order(entries) {
            features.extend(feature);
            self.warnings.extend(warnings);
        }
        features
    }

    fn read_features<'a>(
        &mut self,
        text: &'a Arc<str>,
        links: Links<'_>,
        entries: &mut Vec<(Cow<'a, str>, Entry)>,
        unnamed: &mut Vec<&'a str>,
    ) -> Option<()> {
        let mut reader = TextReader::new(text);
        let mut parts = Parts::default();
        let mut members = reader.enter_object()?;
        while reader.next_entry(&mut members)? {
            match reader.name()? {
                Ok(key) => {
                    let feature = self.feature(&key, text, &mut reader, &mut parts, links)?;
                    entries.push((key, (feature, core::mem::take(&mut self.warnings))));
                }
                Err(key) => {
                    unnamed.push(key);
                    reader.skip()?;
                }
            }
        }
        reader.end()
    }

    /// `None` where the text ends, nothing inside for what is no feature.
    fn feature<'a>(
        &mut self,
        key: &str,
        text: &Arc<str>,
        reader: &mut TextReader<'a>,
        parts: &mut Parts<'a>,
        links: Links<'_>,
    ) -> Option<Option<Feature>> {
        let key: Box<str> = key.into();
        let location = || Location::Feature((*key).into());
        let Some(members) = reader.enter_object() else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(location(), kind);
            reader.skip()?;
            return Some(None);
        };
        parts.read(reader, members)?;
        if parts.has_malformed_rules {
            let kind = WarningKind::WrongType { field: "rules", expected: "a list" };
            self.warn(location(), kind);
        }
        let default_value = match parts.default_value {
            None => FeatureValue::NULL.clone(),
            Some(Some(value)) => parts.tape.view(value).into(),
            Some(None) => {
                self.warn(location(), WarningKind::InvalidJson);
                FeatureValue::NULL.clone()
            }
        };
        let mut rules = Vec::with_capacity(parts.rules.len());
        for (index, source) in parts.rules.iter().enumerate() {
            let json = source.place.map(|place| parts.tape.view(place));
            let text = SharedText::new(text, source.range.clone());
            rules.extend(self.rule(&key, index, json, text, links));
        }
        Some(Some(Feature { key, default_value, rules: rules.into() }))
    }

    fn rule(
        &mut self,
        feature: &str,
        index: usize,
        json: Option<View<'_>>,
        text: SharedText,
        links: Links<'_>,
    ) -> Option<Rule> {
        let location = |id: &str| Location::Rule { feature: feature.into(), index, id: id.into() };
        let Some(object) = self.object(json, || location("")) else {
            return Some(self.unreadable_rule(text.as_str(), links))
                .filter(|rule| !rule.parents().is_empty());
        };
        let id = object.get("id").and_then(text_of).unwrap_or_default();
        let mut kinds = Vec::new();
        let mut reader = Reader::new(object, links, &self.patterns, &mut kinds);

        let parents = reader.parents();
        let (filters, kind, error) = match reader.filters() {
            Ok(filters) => match rule_kind(&mut reader, feature, text, filters.is_some()) {
                Ok(kind) => (filters, kind, None),
                Err(error) => (filters, RuleKind::Nothing, Some(error)),
            },
            Err(error) => (None, RuleKind::Nothing, Some(error)),
        };
        kinds.extend(error);
        self.warn_all(|| location(&id), kinds);
        Some(Rule::new(id.into(), Gates { parents: parents.into(), filters }, kind))
    }

    /// What is left of a rule that cannot be read as a whole: its prerequisites, whose gates hold.
    fn unreadable_rule(&mut self, text: &str, links: Links<'_>) -> Rule {
        let parents = members(text).and_then(|members| members.get("parentConditions"));
        let parents = match parents.map(Tape::parse) {
            None => Box::default(),
            Some(None) => [ParentCondition::unreadable(true)].into(),
            // The rule as a whole was warned of.
            Some(Some(parents)) => {
                Reader::of_parents(parents.root(), links, &self.patterns, &mut Vec::new()).parents()
            }
        };
        Rule::new(
            SmolStr::default(),
            Gates { parents: parents.into(), filters: None },
            RuleKind::Nothing,
        )
    }
}

impl<'a> Parts<'a> {
    fn read(&mut self, reader: &mut TextReader<'a>, mut members: Entries) -> Option<()> {
        self.tape.clear();
        self.rules.clear();
        self.default_value = None;
        self.has_malformed_rules = false;
        while reader.next_entry(&mut members)? {
            match reader.name()?.as_deref() {
                Ok("defaultValue") => {
                    let (value, _) = reader.read(&mut self.tape)?;
                    self.default_value = Some(value);
                }
                Ok("rules") => self.read_rules(reader)?,
                _ => _ = reader.skip()?,
            }
        }
        Some(())
    }

    fn read_rules(&mut self, reader: &mut TextReader<'a>) -> Option<()> {
        self.rules.clear();
        let Some(mut entries) = reader.enter_list() else {
            self.has_malformed_rules = reader.skip()? != "null";
            return Some(());
        };
        self.has_malformed_rules = false;
        while reader.next_entry(&mut entries)? {
            let (place, range) = reader.read(&mut self.tape)?;
            self.rules.push(RuleSource { place, range });
        }
        Some(())
    }
}

fn rule_kind(
    reader: &mut Reader<'_>,
    feature: &str,
    text: SharedText,
    has_filters: bool,
) -> Result<RuleKind, WarningKind> {
    if let Some(value) = reader.get(Field::Force) {
        let force = ForceRule { condition: reader.condition(), value: value.into() };
        return Ok(match reader.rollout(feature)? {
            Some(rollout) => RuleKind::Rollout(Box::new(RolloutRule { force, rollout })),
            None => RuleKind::Force(Box::new(force)),
        });
    }
    let Some(variations) = reader.variations()? else {
        return Ok(RuleKind::Nothing);
    };
    // The rule has tested its filters by the time its experiment runs; what is left of them is
    // that a namespace beside them does not count.
    let filters = has_filters.then(Box::default);
    let mut definition = reader.experiment(feature, variations.len(), |_| Ok(filters))?;
    definition.echo = Echo::Rule(text);
    let bandit = reader.bandit_reference().map(|bandit| {
        Box::new(BanditRule::new(bandit, definition.variations, &definition.allocation))
    });
    let variations = reader.values(variations);
    Ok(RuleKind::Experiment(Box::new(ExperimentRule { definition, variations, bandit })))
}

impl Feature {
    pub(super) fn experiments(&self) -> impl Iterator<Item = &ExperimentDefinition> {
        self.rules.iter().filter_map(|rule| match &rule.kind {
            RuleKind::Experiment(rule) => Some(&rule.definition),
            _ => None,
        })
    }

    /// The features whose values this one's rules look at.
    pub(super) fn prerequisites(&self) -> impl Iterator<Item = FeatureIndex> {
        self.rules.iter().flat_map(Rule::parents).filter_map(|parent| match parent.feature {
            ParentFeature::Linked(index) => Some(index),
            _ => None,
        })
    }
}
