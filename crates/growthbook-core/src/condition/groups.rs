//! Saved groups: lists of values, conditions with a name, and groups from another system.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use hashbrown::HashMap;

use super::eval::{Outcome, Scope};
use super::path::Path;
use super::tree::Clauses;
use super::value_set::ValueSet;
use crate::attributes::Node;
use crate::compiled::Compiled;
use crate::tag::Name;

/// The attribute that lists the remote groups of a user.
pub(crate) const REMOTE_GROUP_IDS: &str = "__gb_remoteGroupIds";

/// The position of a saved group's id among the ids of a snapshot. A snapshot that is compiled
/// after another one keeps the positions, so that links to groups stay valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GroupIndex(pub(crate) u32);

/// Links a group by id. `None` means that evaluation looks it up.
pub(crate) type GroupLinker<'c> = &'c dyn Fn(&str) -> Option<GroupIndex>;

/// The group of an id, if there is one.
type Slot = Option<Arc<Compiled<SavedGroup>>>;

/// The saved groups of a snapshot. It also has ids without a group, because conditions refer to
/// them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedGroups {
    /// The ids and groups by position.
    slots: Vec<(Arc<str>, Slot)>,
    by_id: HashMap<Arc<str>, GroupIndex>,
    /// Whether the payload's groups could not be read. Then an unknown id is not an empty group,
    /// and users do not pass for being outside of it.
    pub(crate) is_unavailable: bool,
}

/// An entry of `savedGroups`.
#[derive(Debug)]
pub(crate) enum SavedGroup {
    /// A list without an object around it, from an older payload.
    LegacyList(ValueSet),
    /// `type: "list"`
    List { attribute: Option<Path>, values: Option<ValueSet> },
    /// `type: "condition"`
    Condition(Option<Clauses>),
    /// `type: "remote"`: an attribute of the user says whether the user is in the group.
    Remote { id: Box<str>, attribute: Option<Box<str>> },
    /// A group of an unknown type.
    Unknown,
    /// An entry that is not a group.
    Malformed,
}

impl SavedGroup {
    /// Returns the groups that the condition refers to, with repetitions.
    pub(crate) fn references(&self) -> Vec<GroupIndex> {
        let mut references = Vec::new();
        if let SavedGroup::Condition(Some(condition)) = self {
            condition.collect_references(&mut references);
        }
        references
    }
}

/// The group that a condition names. It is linked in a payload, and named by id in a condition from
/// the caller.
#[derive(Clone, Debug)]
pub(super) enum GroupId {
    Linked(GroupIndex),
    Named(Box<str>),
}

/// The operand of `$savedGroup`.
#[derive(Clone, Debug)]
pub(super) struct GroupReference {
    pub(super) group: GroupId,
    /// The attribute to look up instead of the group's own.
    pub(super) attribute: Option<(Box<str>, Path)>,
}

impl SavedGroups {
    /// Copies the table without its groups. Each id keeps its position.
    pub(crate) fn without_groups(&self) -> Self {
        let slots = self.slots.iter().map(|(id, _)| (id.clone(), None)).collect();
        SavedGroups { slots, by_id: self.by_id.clone(), is_unavailable: false }
    }

    /// Makes room for this many groups.
    pub(crate) fn reserve(&mut self, groups: usize) {
        let new = groups.saturating_sub(self.slots.len());
        self.slots.reserve_exact(new);
        self.by_id.reserve(new);
    }

    /// Returns the position of an id. A new id gets a position.
    pub(crate) fn link(&mut self, id: &str) -> GroupIndex {
        self.index_of(id).unwrap_or_else(|| {
            let (id, index) = (Arc::<str>::from(id), group_index(self.slots.len()));
            self.slots.push((id.clone(), None));
            self.by_id.insert(id, index);
            index
        })
    }

    /// Sets the group of an id; `None` removes it.
    pub(crate) fn set(&mut self, index: GroupIndex, group: Option<Arc<Compiled<SavedGroup>>>) {
        if let Some((_, place)) = self.slots.get_mut(position(index)) {
            *place = group;
        }
    }

    pub(crate) fn index_of(&self, id: &str) -> Option<GroupIndex> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&self, index: GroupIndex) -> Option<&Arc<Compiled<SavedGroup>>> {
        self.slots.get(position(index))?.1.as_ref()
    }

    pub(crate) fn id(&self, index: GroupIndex) -> &str {
        self.slots.get(position(index)).map_or("", |(id, _)| id)
    }

    /// Returns the number of positions, with and without a group.
    pub(crate) fn positions(&self) -> usize {
        self.slots.len()
    }

    /// Returns the condition of a condition group.
    pub(super) fn condition(&self, index: GroupIndex) -> Option<&Clauses> {
        match &self.get(index)?.definition {
            SavedGroup::Condition(condition) => condition.as_ref(),
            _ => None,
        }
    }

    #[inline]
    fn find(&self, id: &GroupId) -> Option<(GroupIndex, &SavedGroup)> {
        let index = match id {
            GroupId::Linked(index) => *index,
            GroupId::Named(id) => self.index_of(id)?,
        };
        Some((index, &self.get(index)?.definition))
    }
}

fn group_index(position: usize) -> GroupIndex {
    GroupIndex(position.try_into().unwrap_or(u32::MAX))
}

fn position(index: GroupIndex) -> usize {
    index.0.try_into().unwrap_or(usize::MAX)
}

impl GroupReference {
    pub(super) fn eval(&self, scope: &Scope<'_>) -> Outcome {
        let Some((index, group)) = scope.run.groups.find(&self.group) else {
            return if scope.run.groups.is_unavailable { Outcome::Unknown } else { Outcome::Fail };
        };
        let override_path = self.attribute.as_ref().map(|(_, path)| path);
        match group {
            SavedGroup::List { attribute, values: Some(values) } => {
                match override_path.or(attribute.as_ref()) {
                    Some(path) => match path.resolve(scope.fields, scope.run.budget) {
                        Ok(actual) => values.test(&actual, false, scope.run.budget),
                        Err(outcome) => outcome,
                    },
                    None => Outcome::Fail,
                }
            }
            SavedGroup::Condition(Some(condition)) => scope.enter_group(index, condition),
            SavedGroup::Remote { id, attribute } => {
                let own_attribute = match (&self.attribute, attribute) {
                    (Some((name, _)), Some(own)) => name == own,
                    (Some(_), None) => false,
                    (None, _) => true,
                };
                if own_attribute { in_remote_group(scope, id) } else { Outcome::Fail }
            }
            SavedGroup::Unknown => Outcome::Unknown,
            SavedGroup::LegacyList(_)
            | SavedGroup::List { values: None, .. }
            | SavedGroup::Condition(None)
            | SavedGroup::Malformed => Outcome::Fail,
        }
    }
}

fn in_remote_group(scope: &Scope<'_>, id: &str) -> Outcome {
    let budget = scope.run.budget;
    let ids = match scope.fields.get(Name::new(REMOTE_GROUP_IDS), budget) {
        Ok(ids) => ids.items(),
        Err(outcome) => return outcome,
    };
    let Some(mut ids) = ids else {
        return Outcome::Fail;
    };
    if !(budget.take(ids.len()) && budget.take_text(id.len())) {
        return Outcome::Abort;
    }
    ids.any(|member| member.as_str() == Some(id)).into()
}

impl GroupId {
    pub(super) fn linked(&self) -> Option<GroupIndex> {
        match self {
            GroupId::Linked(index) => Some(*index),
            GroupId::Named(_) => None,
        }
    }

    /// Evaluates `$inGroup`, or `$notInGroup` with `negate`.
    #[inline]
    pub(super) fn eval(&self, scope: &Scope<'_>, actual: &Node<'_>, negate: bool) -> Outcome {
        match scope.run.groups.find(self) {
            Some((_, SavedGroup::LegacyList(values)))
            | Some((_, SavedGroup::List { values: Some(values), .. })) => {
                values.test(actual, negate, scope.run.budget)
            }
            Some((_, SavedGroup::Unknown)) => Outcome::Unknown,
            Some(_) => Outcome::Fail,
            None if scope.run.groups.is_unavailable => Outcome::Unknown,
            // An id that is not in the payload counts as an empty list.
            None => negate.into(),
        }
    }
}
