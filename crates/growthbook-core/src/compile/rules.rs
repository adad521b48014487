//! Compiles the rules of one feature.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use smol_str::SmolStr;

use super::{Parts, at, memory, object};
use crate::bandit::BanditRule;
use crate::bucket::{BucketHasher, BucketRange};
use crate::event::Track;
use crate::experiment::{DefinitionReader, Echo, ParentCondition, hash_version};
use crate::json::{Json, members};
use crate::memory::Memory;
use crate::payload::Entry;
use crate::snapshot::{
    ExperimentRule, Feature, FeatureNotes, ForceRule, Gates, Rollout, RolloutRule, Rule, RuleKind,
};
use crate::value::FeatureValue;
use crate::warning::{Location, Warning, WarningKind};
use crate::wire::{Read, RuleWire, TrackWire, bucket_range, text};

/// Compiles the rules of a feature, one after another.
pub(super) struct RuleCompiler<'c> {
    parts: &'c Parts,
    entry: &'c Entry,
    /// The position of the next rule.
    index: usize,
    rules: Vec<Rule>,
    notes: FeatureNotes,
    /// The memory that the feature takes so far, as estimated, and may take.
    memory: Memory,
    max_memory: Memory,
}

impl<'c> RuleCompiler<'c> {
    pub(super) fn new(parts: &'c Parts, entry: &'c Entry, max_memory: Memory) -> Self {
        let (rules, notes) = (Vec::new(), FeatureNotes::default());
        let memory = memory::of_entry(&entry.key);
        RuleCompiler { parts, entry, index: 0, rules, notes, memory, max_memory }
    }

    /// Returns the memory that the feature takes: the estimate, and that of the warnings.
    pub(super) fn memory(&self) -> Memory {
        let mut memory = self.memory;
        memory += memory::of_warnings(&self.notes.warnings);
        memory
    }

    /// Reads a value of the feature.
    pub(super) fn value(&mut self, value: &Json<'_>) -> FeatureValue {
        if self.take(memory::of_value(value)) { value.into() } else { FeatureValue::NULL.clone() }
    }

    fn take(&mut self, memory: Memory) -> bool {
        self.memory += memory;
        self.max_memory.checked_sub(self.memory).is_some()
    }

    /// Adds a warning about the feature.
    pub(super) fn warn(&mut self, kind: WarningKind) {
        let location = Location::Feature(self.entry.key.clone());
        self.notes.warnings.push(Warning { location, kind });
    }

    pub(super) fn into_feature(self, default_value: FeatureValue) -> Feature {
        let memory = self.memory();
        Feature::new(self.entry.text.clone(), default_value, self.rules, self.notes, memory)
    }

    /// Whether there is memory to compile the rule. Without it the feature will be left out.
    pub(super) fn has_memory(&mut self, rule: &Json<'_>) -> bool {
        self.take(memory::of_rule(rule))
    }

    /// Compiles the next rule.
    pub(super) fn rule(&mut self, json: &Json<'_>) {
        let wire = match object(Some(json)) {
            Ok(object) => RuleWire::of(object),
            Err(kind) => return self.left_out(kind),
        };
        let id = wire.id.get().and_then(text).unwrap_or_default();
        let ((gates, kind), kinds) = self.parts.read(|reader| {
            let parents = reader.parents(wire.parent_conditions).into();
            let (filters, kind) = match reader.filters(wire.filters) {
                Ok(filters) => {
                    let has_filters = filters.is_some();
                    (filters, self.kind(reader, &wire, has_filters))
                }
                Err(error) => (None, Err(error)),
            };
            let kind = kind.unwrap_or_else(|error| {
                reader.warnings.push(error);
                RuleKind::Nothing
            });
            (Gates { parents, filters }, kind)
        });
        if let RuleKind::Experiment(_) = &kind
            && let Some(bandit) = bandit_id(&wire)
        {
            self.notes.bandits.push(bandit.into());
        }
        self.notes.warnings.extend(at(&self.location(&id), kinds));
        self.rules.push(Rule::new(self.index, SmolStr::from(id), gates, kind));
        self.index += 1;
    }

    /// Compiles the next rule, which could not be read as a whole. Only its prerequisites are kept,
    /// since evaluation checks them before the rest of a rule.
    pub(super) fn unreadable_rule(&mut self, text: &str) {
        if !self.take(memory::of_unreadable_rule()) {
            return;
        }
        let members = members(text).ok();
        let parents = members.and_then(|members| members.get("parentConditions"));
        let parents = match parents.map(Json::parse) {
            None => Box::default(),
            Some(None) => [ParentCondition::unreadable(true)].into(),
            Some(Some(json)) => {
                if !self.take(memory::of_parents(&json)) {
                    return;
                }
                let parents = RuleWire::empty().parent_conditions.with(&json);
                // These warnings are dropped: the whole rule gets a warning below.
                self.parts.read(|reader| reader.parents(parents)).0
            }
        };
        self.left_out(WarningKind::InvalidJson);
        if !parents.is_empty() {
            let gates = Gates { parents: parents.into(), filters: None };
            let index = self.index - 1;
            self.rules.push(Rule::new(index, SmolStr::default(), gates, RuleKind::Nothing));
        }
    }

    fn left_out(&mut self, kind: WarningKind) {
        self.notes.warnings.push(Warning { location: self.location(""), kind });
        self.index += 1;
    }

    fn location(&self, id: &str) -> Location {
        Location::Rule { feature: self.entry.key.clone(), index: self.index, id: id.into() }
    }

    fn kind(
        &self,
        reader: &mut DefinitionReader<'_>,
        wire: &RuleWire<'_>,
        has_filters: bool,
    ) -> Read<RuleKind> {
        if let Some(value) = wire.force.get() {
            let force = ForceRule {
                condition: reader.condition(wire.condition),
                value: value.into(),
                tracks: tracks(reader, wire).map(Box::new),
            };
            return Ok(match rollout(reader, wire, &self.entry.key)? {
                Some(rollout) => RuleKind::Rollout(Box::new(RolloutRule { force, rollout })),
                None => RuleKind::Force(Box::new(force)),
            });
        }
        let Some(variations) = variations(wire)? else {
            return Ok(RuleKind::Nothing);
        };
        let count = variations.len();
        let mut definition = reader.rule_experiment(wire, &self.entry.key, count, has_filters)?;
        definition.echo = Echo::Rule {
            feature: self.entry.text.clone(),
            index: self.index.try_into().unwrap_or(u32::MAX),
        };
        let bandit = bandit_id(wire).and_then(|id| self.parts.bandits.get(id));
        let bandit = bandit.and_then(|bandit| bandit.definition.clone());
        let bandit =
            bandit.map(|bandit| Box::new(BanditRule::new(bandit, count, &definition.allocation)));
        let variations = reader.values(variations);
        Ok(RuleKind::Experiment(Box::new(ExperimentRule { definition, variations, bandit })))
    }
}

/// Reads the variations of a rule. `None` if the rule is not an experiment.
pub(super) fn variations<'t>(wire: &RuleWire<'t>) -> Read<Option<&'t [Json<'t>]>> {
    match wire.contextual_variations.get() {
        None | Some(Json::Null) => wire.variations.list(),
        Some(Json::Array(variations)) => Ok(Some(variations)),
        Some(_) => Err(wire.contextual_variations.wrong_type("a list")),
    }
}

/// Reads the exposures that a rule reports. An unreadable one is left out with a warning.
fn tracks(reader: &mut DefinitionReader<'_>, wire: &RuleWire<'_>) -> Option<Vec<Track>> {
    let list = match wire.tracks.list() {
        Ok(list) => list?,
        Err(kind) => {
            reader.warnings.push(kind);
            return None;
        }
    };
    let mut tracks = Vec::new();
    for item in list {
        match Track::from_wire(&TrackWire::of_value(item)) {
            Ok(track) => tracks.push(track),
            Err(kind) => reader.warnings.push(kind),
        }
    }
    (!tracks.is_empty()).then_some(tracks)
}

fn bandit_id<'t>(wire: &RuleWire<'t>) -> Option<&'t str> {
    wire.contextual_bandit_ref.as_str().filter(|id| !id.is_empty())
}

/// Reads the share of users that a force rule applies to. `None` for all users.
fn rollout(
    reader: &mut DefinitionReader<'_>,
    wire: &RuleWire<'_>,
    feature: &Arc<str>,
) -> Read<Option<Rollout>> {
    let range = match wire.range.truthy() {
        Some(range) => bucket_range(range).unwrap_or_else(|| {
            // An empty list means that no user is included. It does not need a warning.
            if range.as_array().is_none_or(|bounds| !bounds.is_empty()) {
                reader.warn(wire.range, "a pair of numbers");
            }
            BucketRange::EMPTY
        }),
        None => match wire.coverage.number()? {
            // Buckets start at 0, so this is `bucket < coverage`.
            Some(coverage) => BucketRange { start: 0.0, end: coverage },
            None => return Ok(None),
        },
    };
    let seed = wire.seed.text()?;
    let seed = seed.as_deref().unwrap_or(feature);
    let hasher = BucketHasher::new(seed, hash_version(wire.hash_version, 1));
    if hasher.is_none() {
        reader.warnings.push(WarningKind::UnknownHashVersion);
    }
    let fallback_attribute = if wire.disable_sticky_bucketing.is_truthy() {
        None
    } else {
        wire.fallback_attribute.text()?.map(Box::from)
    };
    let hash_attribute = reader.hash_attribute(wire.hash_attribute)?;
    Ok(Some(Rollout { hash_attribute, fallback_attribute, seed: seed.into(), hasher, range }))
}
