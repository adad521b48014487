//! Saved groups: lists of ids, conditions with a name, and groups resolved elsewhere.

use alloc::{boxed::Box, vec::Vec};

use hashbrown::HashMap;

use super::Clauses;
use super::eval::{Outcome, Scope};
use super::members::Members;
use super::path::Path;
use crate::json::Node;
use crate::tag::Name;

/// The attribute that lists the remote groups a user belongs to.
pub(crate) const REMOTE_GROUP_IDS: &str = "__gb_remoteGroupIds";

/// The position of a saved group in its snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GroupIndex(pub(crate) u32);

/// Every saved group of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct SavedGroups {
    pub(crate) by_id: HashMap<Box<str>, GroupIndex>,
    pub(crate) groups: Vec<SavedGroup>,
    /// Set when the payload has groups we could not read: then an id we do not have is not a
    /// group without members, and nobody may pass for not being in it.
    pub(crate) unavailable: bool,
}

/// One entry of `savedGroups`.
#[derive(Debug)]
pub(crate) enum SavedGroup {
    /// A bare array, as older payloads have it.
    LegacyList(Members),
    /// `type: "list"`
    List { attribute: Option<Path>, members: Option<Members> },
    /// `type: "condition"`
    Condition(Option<Clauses>),
    /// `type: "remote"`: somebody else resolved who belongs to it.
    Remote { id: Box<str>, attribute: Option<Box<str>> },
    /// A type this SDK does not know.
    Unknown,
    /// No group at all.
    Malformed,
}

impl SavedGroup {
    /// The condition groups that this one's condition refers to, each as often as it does.
    pub(crate) fn references(&self) -> Vec<GroupIndex> {
        let mut references = Vec::new();
        if let SavedGroup::Condition(Some(condition)) = self {
            condition.collect_references(&mut references);
        }
        references
    }
}

/// How a condition names a group: linked within a payload, by id in a condition of the caller's.
#[derive(Clone, Debug)]
pub(super) enum GroupId {
    Linked(GroupIndex),
    Named(Box<str>),
}

/// `$savedGroup`'s operand.
#[derive(Clone, Debug)]
pub(super) struct GroupReference {
    pub(super) group: GroupId,
    /// The attribute to look at instead of the entry's own.
    pub(super) attribute: Option<(Box<str>, Path)>,
}

impl SavedGroups {
    /// The condition of a condition group.
    pub(super) fn condition(&self, index: GroupIndex) -> Option<&Clauses> {
        match self.groups.get(usize::try_from(index.0).ok()?)? {
            SavedGroup::Condition(condition) => condition.as_ref(),
            _ => None,
        }
    }

    #[inline]
    fn find(&self, id: &GroupId) -> Option<(GroupIndex, &SavedGroup)> {
        let index = match id {
            GroupId::Linked(index) => *index,
            GroupId::Named(id) => *self.by_id.get(id)?,
        };
        let group = self.groups.get(usize::try_from(index.0).ok()?)?;
        Some((index, group))
    }
}

impl GroupReference {
    pub(super) fn eval(&self, scope: &Scope<'_>) -> Outcome {
        let Some((index, group)) = scope.run.groups.find(&self.group) else {
            return if scope.run.groups.unavailable { Outcome::Unknown } else { Outcome::Fail };
        };
        let override_path = self.attribute.as_ref().map(|(_, path)| path);
        match group {
            SavedGroup::List { attribute, members: Some(members) } => {
                match override_path.or(attribute.as_ref()) {
                    Some(path) => match path.resolve(scope.fields) {
                        Some(actual) => members.contains(&actual).into(),
                        None => Outcome::Unknown,
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
            | SavedGroup::List { members: None, .. }
            | SavedGroup::Condition(None)
            | SavedGroup::Malformed => Outcome::Fail,
        }
    }
}

fn in_remote_group(scope: &Scope<'_>, id: &str) -> Outcome {
    match scope.fields.get(Name::new(REMOTE_GROUP_IDS)) {
        Some(ids) => {
            ids.items().is_some_and(|mut ids| ids.any(|member| member.as_str() == Some(id))).into()
        }
        None => Outcome::Unknown,
    }
}

impl GroupId {
    pub(super) fn linked(&self) -> Option<GroupIndex> {
        match self {
            GroupId::Linked(index) => Some(*index),
            GroupId::Named(_) => None,
        }
    }

    /// `$inGroup`, and with `negate` `$notInGroup`.
    #[inline]
    pub(super) fn eval(&self, scope: &Scope<'_>, actual: &Node<'_>, negate: bool) -> Outcome {
        match scope.run.groups.find(self) {
            Some((_, SavedGroup::LegacyList(members)))
            | Some((_, SavedGroup::List { members: Some(members), .. })) => {
                (members.contains(actual) != negate).into()
            }
            Some((_, SavedGroup::Unknown)) => Outcome::Unknown,
            Some(_) => Outcome::Fail,
            None if scope.run.groups.unavailable => Outcome::Unknown,
            // An id the payload does not have is an empty list.
            None => negate.into(),
        }
    }
}
