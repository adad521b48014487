//! From a payload's text to a [`Snapshot`], in one pass over the features. Whatever cannot be
//! read is reported and left out; compiling cannot fail.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};

use hashbrown::HashMap;
use serde_json::value::RawValue;

use crate::auto::{AutoExperiment, ChangeType};
use crate::bandit::{BanditDefinition, BanditRule};
use crate::condition::GroupIndex;
use crate::condition::{CaseFolding, ConditionParser, SavedGroups};
use crate::experiment::{Echo, Links, ParentFeature, Reader};
use crate::json::Json;
use crate::payload::{Payload, Section, items, members};
use crate::snapshot::{ExperimentRule, Feature, FeatureIndex, ForceRule, Rule, RuleKind, Snapshot};
use crate::value::FeatureValue;
use crate::warning::{Location, Warning, WarningKind};

mod depth;

/// Compiles a payload.
pub(crate) fn compile(payload: &Payload) -> Snapshot {
    let mut compiler =
        Compiler { folding: CaseFolding::default(), warnings: payload.warnings().to_vec() };
    let saved_groups = compiler.saved_groups(payload.saved_groups_section());
    let bandits = compiler.bandits(payload.contextual_bandits_section(), &saved_groups.by_id);
    let sources = compiler.feature_sources(payload.features_text());
    let by_key = index(sources.iter().map(|(key, _)| key.as_ref()), FeatureIndex);
    let links = Links {
        features: Some(&by_key),
        groups: Some(&saved_groups.by_id),
        bandits: Some(&bandits),
    };
    let features: Vec<Feature> =
        sources.into_iter().map(|(key, source)| compiler.feature(key, source, links)).collect();
    let auto_experiments = compiler.auto_experiments(payload.experiments_section(), links);
    depth::check(&features, &mut compiler.warnings);
    let sticky_attributes = features
        .iter()
        .flat_map(Feature::sticky_attributes)
        .chain(
            auto_experiments
                .iter()
                .flat_map(|experiment| experiment.definition.sticky_attributes().map(Box::from)),
        )
        .collect();
    Snapshot {
        by_key,
        features,
        auto_experiments,
        sticky_attributes,
        saved_groups,
        date_updated: payload.date_updated().map(Box::from),
        warnings: compiler.warnings,
    }
}

/// Numbers keys in their order.
fn index<'a, I>(
    keys: impl ExactSizeIterator<Item = &'a str>,
    new: impl Fn(u32) -> I,
) -> HashMap<Box<str>, I> {
    let mut index = HashMap::with_capacity(keys.len());
    for (number, key) in (0..).zip(keys) {
        index.insert(key.into(), new(number));
    }
    index
}

struct Compiler {
    folding: CaseFolding,
    warnings: Vec<Warning>,
}

/// The text of a feature's parts.
struct FeatureSource<'a> {
    default_value: Option<&'a str>,
    rules: Vec<&'a RawValue>,
}

impl Compiler {
    fn warn(&mut self, location: Location, kind: WarningKind) {
        self.warnings.push(Warning { location, kind });
    }

    fn warn_all(&mut self, location: &Location, kinds: Vec<WarningKind>) {
        for kind in kinds {
            self.warn(location.clone(), kind);
        }
    }

    fn saved_groups(&mut self, section: &Section) -> SavedGroups {
        let unavailable = || SavedGroups { unavailable: true, ..SavedGroups::default() };
        let text = match section {
            Section::Absent => return SavedGroups::default(),
            Section::Unreadable => return unavailable(),
            Section::Present(text) => text,
        };
        let Ok(entries) = members(text) else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(Location::Section("savedGroups"), kind);
            return unavailable();
        };
        let by_id = index(entries.0.iter().map(|(id, _)| id.as_ref()), GroupIndex);
        let mut groups = Vec::with_capacity(entries.0.len());
        for (id, entry) in &entries.0 {
            let location = Location::SavedGroup(id.as_ref().into());
            let entry: Json<'_> = serde_json::from_str(entry.get()).unwrap_or_else(|_| {
                self.warn(location.clone(), WarningKind::InvalidJson);
                Json::Null
            });
            let mut kinds = Vec::new();
            let mut parser = ConditionParser::new(Some(&by_id), &self.folding, &mut kinds);
            groups.push(parser.saved_group(id, &entry));
            self.warn_all(&location, kinds);
        }
        SavedGroups { by_id, groups, unavailable: false }
    }

    fn bandits(
        &mut self,
        section: &Section,
        groups: &HashMap<Box<str>, GroupIndex>,
    ) -> HashMap<Box<str>, Arc<BanditDefinition>> {
        let Section::Present(text) = section else {
            return HashMap::new();
        };
        let Ok(entries) = members(text) else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(Location::Section("contextualBandits"), kind);
            return HashMap::new();
        };
        let mut bandits = HashMap::with_capacity(entries.0.len());
        for (id, entry) in &entries.0 {
            let location = Location::ContextualBandit(id.as_ref().into());
            let entry: Json<'_> = serde_json::from_str(entry.get()).unwrap_or(Json::Null);
            let mut kinds = Vec::new();
            match &entry {
                Json::Object(object) => {
                    let links = Links { groups: Some(groups), ..Links::default() };
                    let mut reader = Reader::new(object, links, &self.folding, &mut kinds);
                    bandits.insert(id.as_ref().into(), Arc::new(reader.bandit()));
                }
                // It is there, but has no leaves: the fallback leaf. What is falsy is not there.
                other => {
                    kinds.push(WarningKind::WrongType { field: "", expected: "an object" });
                    if other.is_truthy() {
                        bandits.insert(id.as_ref().into(), Arc::default());
                    }
                }
            }
            self.warn_all(&location, kinds);
        }
        bandits
    }

    /// Every feature that is one, with its parts found but not read.
    fn feature_sources<'a>(&mut self, features: &'a str) -> Vec<(Cow<'a, str>, FeatureSource<'a>)> {
        let Ok(entries) = members(features) else {
            self.warn(Location::Section("features"), WarningKind::InvalidJson);
            return Vec::new();
        };
        let mut sources = Vec::with_capacity(entries.0.len());
        for (key, text) in entries.0 {
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

    fn feature(
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
        let Ok(json) = serde_json::from_str::<Json<'_>>(text) else {
            self.warn(location(""), WarningKind::InvalidJson);
            return None;
        };
        let Some(object) = json.as_object() else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(location(""), kind);
            return None;
        };
        let id = object.get("id").and_then(Json::as_str).unwrap_or_default();
        let mut kinds = Vec::new();
        let mut reader = Reader::new(object, links, &self.folding, &mut kinds);

        let parents = reader.parents();
        let filters = reader.filters();
        let (parents, filters, kind, error) = match (parents, filters) {
            (Ok(parents), Ok(filters)) => match rule_kind(&mut reader, feature, text) {
                Ok(kind) => (parents, filters, kind, None),
                Err(error) => (parents, filters, RuleKind::Nothing, Some(error)),
            },
            (Ok(parents), Err(error)) => (parents, None, RuleKind::Nothing, Some(error)),
            (Err(error), _) => (Box::default(), None, RuleKind::Nothing, Some(error)),
        };
        kinds.extend(error);
        self.warn_all(&location(id), kinds);
        Some(Rule { id: id.into(), parents, filters, kind })
    }
}

impl Compiler {
    fn auto_experiments(&mut self, section: &Section, links: Links<'_>) -> Vec<AutoExperiment> {
        let Section::Present(text) = section else {
            return Vec::new();
        };
        let Ok(sources) = items(text) else {
            let kind = WarningKind::WrongType { field: "", expected: "a list" };
            self.warn(Location::Section("experiments"), kind);
            return Vec::new();
        };
        let sources = sources.into_iter().enumerate();
        sources.filter_map(|(index, text)| self.auto_experiment(index, text.get(), links)).collect()
    }

    fn auto_experiment(
        &mut self,
        index: usize,
        text: &str,
        links: Links<'_>,
    ) -> Option<AutoExperiment> {
        let location = |key: &str| Location::Experiment { index, key: key.into() };
        let Ok(json) = serde_json::from_str::<Json<'_>>(text) else {
            self.warn(location(""), WarningKind::InvalidJson);
            return None;
        };
        let Some(object) = json.as_object() else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(location(""), kind);
            return None;
        };
        let key = object.get("key").and_then(Json::as_str).unwrap_or_default();
        let mut kinds = Vec::new();
        let mut reader = Reader::new(object, links, &self.folding, &mut kinds);
        let experiment = auto_experiment(&mut reader, text);
        let experiment = experiment.map_err(|kind| kinds.push(kind)).ok();
        self.warn_all(&location(key), kinds);
        experiment
    }
}

fn auto_experiment(reader: &mut Reader<'_>, text: &str) -> Result<AutoExperiment, WarningKind> {
    let variations = reader.variations()?.unwrap_or_default();
    let mut definition = reader.experiment("", variations.len())?;
    reader.inline_settings(&mut definition)?;
    definition.echo = Echo::Experiment(text.into());
    let variations: Box<[FeatureValue]> =
        variations.iter().map(|value| value.clone().into()).collect();
    let change_type = ChangeType::of(&variations, definition.url_patterns.as_ref());
    Ok(AutoExperiment {
        definition,
        variations,
        change_type,
        change_id: reader.text("changeId")?,
        manual: reader.truthy("manual").is_some(),
        persist_query_string: reader.truthy("persistQueryString").is_some(),
    })
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
    if definition.filters.take().is_some() {
        definition.namespace = None;
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
    fn sticky_attributes(&self) -> impl Iterator<Item = Box<str>> {
        self.rules.iter().flat_map(|rule| match &rule.kind {
            RuleKind::Experiment(rule) => {
                rule.definition.sticky_attributes().map(Box::from).collect()
            }
            _ => Vec::new(),
        })
    }

    /// The features whose values this one's rules look at.
    fn prerequisites(&self) -> impl Iterator<Item = FeatureIndex> {
        self.rules.iter().flat_map(|rule| rule.parents.iter()).filter_map(|parent| {
            match parent.feature {
                ParentFeature::Linked(index) => Some(index),
                ParentFeature::Named(_) => None,
            }
        })
    }
}
