//! The memory that definitions take, estimated from their JSON before they are compiled. The
//! estimates are upper bounds. A test compares them with the allocator.

use core::mem::size_of;

use serde_json::Value;

use crate::auto::AutoExperiment;
use crate::event::Track;
use crate::experiment::{Filter, ParentCondition, VariationMeta};
use crate::json::{Json, Object};
use crate::limits::{MAX_SNAPSHOT_FACTOR, MIN_SNAPSHOT_MEMORY, MIN_VALUES_MEMORY};
use crate::memory::Memory;
use crate::snapshot::{ExperimentRule, Feature, RolloutRule, Rule};
use crate::warning::{Warning, WarningKind};

/// An allocation with its pointer: a shared one also has two counters.
const POINTER: usize = 4 * size_of::<usize>();
/// An entry of a section: its slot, its place in tables, and the allocations of its key and text.
const ENTRY: usize = size_of::<Feature>() + 6 * POINTER;
/// A saved group or a bandit, in its hash table.
const GROUP: usize = 4 * POINTER;
/// A member of a condition: a clause or an operator.
const CONDITION_MEMBER: usize = 72;
/// An item of a list in a condition: a test, or a text in a hash set.
const CONDITION_ITEM: usize = 64;
/// An item of a list of numbers: a weight, or half a range.
const NUMBER: usize = 24;
/// A variation without its value: its range, its description, and its index as text.
const VARIATION: usize = 80;
/// A URL pattern: each part becomes a regular expression.
const URL_PATTERN: usize = 600;
/// A byte of a URL pattern. A query string has a part for every two bytes.
const URL_PATTERN_BYTE: usize = 40;

/// The memory that the definitions of a payload may still take.
pub(super) struct MemoryBudget {
    left: Memory,
    is_exceeded: bool,
}

impl MemoryBudget {
    /// Makes the budget of a payload of this length.
    pub(super) fn of_text(length: usize) -> Self {
        let multiple = length.saturating_mul(MAX_SNAPSHOT_FACTOR);
        let left = Memory {
            definition: multiple.max(MIN_SNAPSHOT_MEMORY),
            values: multiple.max(MIN_VALUES_MEMORY),
        };
        MemoryBudget { left, is_exceeded: false }
    }

    pub(super) fn left(&self) -> Memory {
        self.left
    }

    /// Takes the memory of a definition. False if the rest is not enough: then the definition must
    /// be left out.
    pub(super) fn take(&mut self, memory: Memory) -> bool {
        let left = self.left.checked_sub(memory);
        self.is_exceeded |= left.is_none();
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// Whether a definition was left out.
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }
}

/// Estimates an entry of a section without its definition.
pub(super) fn of_entry(key: &str) -> Memory {
    Memory::of_definition(ENTRY + 2 * key.len())
}

/// Estimates a rule.
pub(super) fn of_rule(rule: &Json<'_>) -> Memory {
    let Json::Object(rule) = rule else {
        return Memory::default();
    };
    let mut memory = of_members(rule);
    memory.definition += size_of::<Rule>();
    memory
}

/// Estimates an unreadable rule without its prerequisites.
pub(super) fn of_unreadable_rule() -> Memory {
    Memory::of_definition(size_of::<Rule>() + POINTER)
}

/// Returns the memory of the warnings about a definition. It is known after compiling only.
pub(super) fn of_warnings(warnings: &[Warning]) -> Memory {
    let of_kind = |warning: &Warning| match &warning.kind {
        WarningKind::Regex { .. } | WarningKind::UnknownOperator(_) => POINTER,
        _ => 0,
    };
    let of_warning = |warning| size_of::<Warning>() + of_kind(warning);
    Memory::of_definition(warnings.iter().map(of_warning).sum())
}

/// Estimates the prerequisites of a rule.
pub(super) fn of_parents(parents: &Json<'_>) -> Memory {
    of_member("parentConditions", parents)
}

/// Estimates an auto experiment with this text.
pub(super) fn of_auto_experiment(experiment: &Object<'_>, text: &str) -> Memory {
    // The box of its own settings is smaller than a rule's experiment.
    let own = size_of::<AutoExperiment>() + size_of::<ExperimentRule>();
    let mut memory = of_members(experiment);
    memory.definition += own + POINTER + text.len();
    memory
}

/// Estimates a saved group or a bandit.
pub(super) fn of_group_or_bandit(key: &str, entry: &Json<'_>) -> Memory {
    let mut memory = of_entry(key);
    memory.definition += GROUP
        + match entry {
            Json::Object(object) => object.iter().map(|(_, value)| of_condition(value)).sum(),
            other => of_condition(other),
        };
    memory
}

/// Estimates the value of a feature or variation.
pub(super) fn of_value(value: &Json<'_>) -> Memory {
    match value {
        Json::Null | Json::Bool(_) => Memory::default(),
        Json::Number(_) | Json::String(_) => {
            Memory::of_definition(size_of::<Value>() + of_caller_value(value))
        }
        Json::Array(_) | Json::Object(_) => Memory {
            definition: size_of::<Json<'_>>() + POINTER + of_ordered_value(value),
            values: size_of::<Value>() + of_caller_value(value),
        },
    }
}

/// Estimates what a value allocates in the form with its order.
fn of_ordered_value(value: &Json<'_>) -> usize {
    const MEMBER: usize = size_of::<Json<'_>>() + 3 * size_of::<usize>();
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => of_text(text),
        Json::Array(items) => {
            items.iter().map(|item| size_of::<Json<'_>>() + of_ordered_value(item)).sum()
        }
        Json::Object(object) => object
            .iter()
            .map(|(name, value)| MEMBER + of_text(name) + of_ordered_value(value))
            .sum(),
    }
}

/// Estimates a text that is stored in place if it is short.
fn of_text(text: &str) -> usize {
    const IN_PLACE: usize = 23;
    if text.len() <= IN_PLACE { 0 } else { POINTER + text.len() }
}

/// Estimates what a value allocates in the form for callers.
fn of_caller_value(value: &Json<'_>) -> usize {
    /// A node of a `BTreeMap` is allocated as a whole, for up to eleven members.
    const NODE: usize = 11 * (size_of::<Value>() + 3 * size_of::<usize>()) + 2 * size_of::<usize>();
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len(),
        Json::Array(items) => {
            items.iter().map(|item| size_of::<Value>() + of_caller_value(item)).sum()
        }
        Json::Object(object) if object.len() == 0 => 0,
        Json::Object(object) => {
            // A full node is split, so nodes have five members or more.
            let of_member = |(name, value): (&str, _)| name.len() + of_caller_value(value);
            NODE * (1 + object.len() / 5) + object.iter().map(of_member).sum::<usize>()
        }
    }
}

/// Estimates the members of a rule or an experiment.
fn of_members(rule: &Object<'_>) -> Memory {
    let mut memory = Memory::default();
    rule.iter().for_each(|(name, value)| memory += of_member(name, value));
    memory
}

fn of_member(name: &str, value: &Json<'_>) -> Memory {
    Memory::of_definition(match (name, value) {
        ("variations" | "contextualVariations", Json::Array(variations)) => {
            let mut memory = Memory::of_definition(size_of::<ExperimentRule>());
            for variation in variations {
                memory += Memory::of_definition(VARIATION);
                memory += of_value(variation);
            }
            return memory;
        }
        ("force", value) => {
            let mut memory = of_value(value);
            memory.definition += POINTER;
            return memory;
        }
        ("tracks", Json::Array(tracks)) => {
            let mut memory = Memory::default();
            tracks.iter().for_each(|track| memory += of_track(track));
            return memory;
        }
        ("coverage" | "range", _) => size_of::<RolloutRule>(),
        ("parentConditions", Json::Array(parents)) => {
            // Each may name a feature that does not exist, which gets a slot.
            let parent = size_of::<ParentCondition>() + 3 * POINTER;
            parents.iter().map(|it| parent + of_condition(it)).sum()
        }
        ("filters", Json::Array(filters)) => {
            filters.iter().map(|it| size_of::<Filter>() + of_lists(it)).sum()
        }
        ("urlPatterns", Json::Array(patterns)) => {
            patterns.iter().map(|pattern| POINTER + of_url_pattern(pattern)).sum()
        }
        ("meta", Json::Array(metas)) => {
            metas.iter().map(|meta| size_of::<VariationMeta>() + of_lists(meta)).sum()
        }
        ("condition", condition) => of_condition(condition),
        (_, value) => of_lists(value),
    })
}

/// Estimates an exposure that a rule reports. The text of its experiment is copied.
fn of_track(track: &Json<'_>) -> Memory {
    let member = |object: &str, name: &str| track.as_object()?.get(object)?.as_object()?.get(name);
    let variations = member("experiment", "variations").and_then(Json::as_array);
    let variations = variations.unwrap_or_default().len() * VARIATION;
    let lists = 2 * of_lists(track);
    let mut memory = Memory::of_definition(size_of::<Track>() + variations + lists);
    if let Some(value) = member("result", "value") {
        memory += of_value(value);
    }
    memory
}

/// Estimates lists of numbers, texts and descriptions.
fn of_lists(value: &Json<'_>) -> usize {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => NUMBER,
        Json::String(text) => POINTER + text.len(),
        Json::Array(items) => POINTER + items.iter().map(of_lists).sum::<usize>(),
        Json::Object(object) => {
            CONDITION_ITEM + object.iter().map(|(_, value)| of_lists(value)).sum::<usize>()
        }
    }
}

fn of_url_pattern(pattern: &Json<'_>) -> usize {
    let Json::Object(object) = pattern else {
        return 0;
    };
    match object.get("pattern") {
        Some(Json::String(text)) => URL_PATTERN + URL_PATTERN_BYTE * text.len(),
        _ => POINTER,
    }
}

/// Estimates a condition, a saved group, a bandit, or a part of one.
fn of_condition(value: &Json<'_>) -> usize {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => 2 * text.len(),
        Json::Array(items) => items.iter().map(|item| CONDITION_ITEM + of_condition(item)).sum(),
        Json::Object(object) => object
            .iter()
            .map(|(name, value)| CONDITION_MEMBER + 2 * name.len() + of_condition(value))
            .sum(),
    }
}
