//! How a definition is shown in results: as GrowthBook echoes an experiment.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::ops::Range;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::definition::ExperimentDefinition;
use crate::condition::Condition;
use crate::json::{Json, Object};
use crate::url::{UrlTarget, UrlTargets};

/// What a definition serializes to.
#[derive(Clone)]
pub(crate) enum Echo {
    /// The members to show of the rule it was read from.
    Rule(SharedText),
    /// The experiment it was read from, all of which is shown.
    Experiment(Box<str>),
    /// Members as they were set.
    Members(Vec<(&'static str, Json<'static>)>),
}

/// A part of a payload's text, which it shares.
#[derive(Clone)]
pub(crate) struct SharedText {
    whole: Arc<str>,
    start: u32,
    end: u32,
}

impl SharedText {
    pub(crate) fn new(whole: &Arc<str>, range: Range<usize>) -> Self {
        match (u32::try_from(range.start), u32::try_from(range.end)) {
            (Ok(start), Ok(end)) => SharedText { whole: whole.clone(), start, end },
            // Of more than 4 GiB of text the part is copied.
            _ => {
                let part: Arc<str> = whole.get(range).unwrap_or_default().into();
                let end = u32::try_from(part.len()).unwrap_or(u32::MAX);
                SharedText { whole: part, start: 0, end }
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The members of a rule that its experiment copies, when they are truthy.
const COPIED_IF_TRUTHY: [&str; 13] = [
    "weights",
    "hashAttribute",
    "fallbackAttribute",
    "disableStickyBucketing",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hashVersion",
    "filters",
    "condition",
];
/// The members it copies whenever they are there.
const COPIED_IF_PRESENT: [&str; 3] = ["coverage", "bucketVersion", "minBucketVersion"];

impl Serialize for ExperimentDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_entries(&mut map, None)?;
        map.end()
    }
}

impl ExperimentDefinition {
    /// Writes the members, with other weights than its own where a bandit chose some.
    pub(crate) fn serialize_entries<M: SerializeMap>(
        &self,
        map: &mut M,
        weights: Option<&[f64]>,
    ) -> Result<(), M::Error> {
        map.serialize_entry("key", self.key())?;
        if let Some(weights) = weights {
            map.serialize_entry("weights", weights)?;
        }
        match &self.echo {
            Echo::Members(members) => {
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
            }
            Echo::Experiment(text) => {
                let experiment = Json::parse(text).unwrap_or(Json::Null);
                let members = experiment.as_object().into_iter().flat_map(Object::iter);
                for (name, value) in members.filter(|(name, _)| *name != "key") {
                    map.serialize_entry(name, value)?;
                }
            }
            Echo::Rule(text) => {
                let rule = Json::parse(text.as_str()).unwrap_or(Json::Null);
                let Some(rule) = rule.as_object() else {
                    return Ok(());
                };
                let variations = rule
                    .get("contextualVariations")
                    .filter(|variations| !matches!(variations, Json::Null))
                    .or_else(|| rule.get("variations"));
                if let Some(variations) = variations {
                    map.serialize_entry("variations", variations)?;
                }
                for (name, value) in rule.iter() {
                    if name == "weights" && weights.is_some() {
                        continue;
                    }
                    if COPIED_IF_PRESENT.contains(&name)
                        || COPIED_IF_TRUTHY.contains(&name) && value.is_truthy()
                    {
                        map.serialize_entry(name, value)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Collects what an inline experiment was given, for its echo.
pub(crate) fn echo_json(value: &impl Serialize) -> Json<'static> {
    serde_json::to_value(value).map_or(Json::Null, |value| Json::from(&value))
}

impl ExperimentDefinition {
    pub(crate) fn echo(&mut self, name: &'static str, value: Json<'static>) {
        if let Echo::Members(members) = &mut self.echo {
            members.retain(|(member, _)| *member != name);
            members.push((name, value));
        }
    }

    pub(crate) fn set_condition(&mut self, condition: &Condition) {
        self.condition = Some(condition.clauses().clone());
        self.echo("condition", condition.json().clone());
    }

    pub(crate) fn set_url_patterns(&mut self, targets: &[UrlTarget], compiled: UrlTargets) {
        self.own_mut().url_patterns = Some(compiled);
        self.echo("urlPatterns", echo_json(&targets));
    }
}
