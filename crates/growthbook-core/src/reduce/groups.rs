//! The saved groups that a reduced payload keeps: those that kept definitions refer to. Their own
//! conditions are reduced.

use alloc::{sync::Arc, vec, vec::Vec};

use crate::condition::{Fields, GroupIndex, Remainder, SavedGroups, prune_group};
use crate::json::{Json, Object};
use crate::payload::{Entries, Entry, Section};

/// The members that lead from a definition to conditions on the user. Conditions in any other
/// member, such as `$elemMatch` or `parentConditions`, may test other values.
const AGAINST_THE_USER: [&str; 9] =
    ["rules", "contexts", "condition", "$and", "$or", "$nor", "$not", "$savedGroup", "id"];

/// Every saved group of a payload.
pub(super) struct Groups<'a, 'p> {
    groups: Vec<Group<'p>>,
    compiled: &'a SavedGroups,
    known: &'a Fields<'a>,
}

struct Group<'p> {
    entry: &'p Entry,
    state: State<'p>,
}

/// The decision about a group.
enum State<'p> {
    /// No reference to it was found so far.
    Unseen,
    /// It stays as written.
    AsWritten,
    /// It gets this condition instead of its own. `None` if its own condition is decided.
    Reduced(Option<Json<'p>>),
}

/// A reference to a group, and whether the group tests the user there.
#[derive(Clone, Copy)]
struct Reference {
    group: GroupIndex,
    against_user: bool,
}

impl<'a, 'p> Groups<'a, 'p> {
    /// Finds the entries of the section that `compiled` was made from. `None` if the section cannot
    /// be read. Then it must stay, since evaluation treats it differently from an empty section.
    pub(super) fn read(
        section: &'p Section<Entries>,
        compiled: &'a SavedGroups,
        known: &'a Fields<'a>,
    ) -> Option<Self> {
        let entries = match section {
            Section::Absent => None,
            Section::Present(entries) => Some(entries),
            Section::Malformed(_) | Section::Unreadable => return None,
        };
        let entries = entries.into_iter().flat_map(Entries::iter);
        let groups = entries.map(|entry| Group { entry, state: State::Unseen });
        Some(Groups { groups: groups.collect(), compiled, known })
    }

    /// Returns the groups whose id is a string anywhere in the kept definitions, in the payload's
    /// order. So it does not depend on the operators that refer to groups.
    pub(super) fn kept(mut self, roots: &[&Json<'p>], undecidable: &[Json<'p>]) -> Entries {
        self.decide(roots, undecidable);
        let mut kept = vec![false; self.groups.len()];
        let mut pending = self.references(roots, true);
        while let Some(Reference { group, .. }) = pending.pop() {
            let (Some(kept @ false), Some(entry)) =
                (kept.get_mut(position(group)), self.groups.get(position(group)))
            else {
                continue;
            };
            *kept = true;
            self.collect(&entry.reduced(), true, &mut pending);
        }
        let kept = self.groups.iter().zip(kept).filter(|(_, kept)| *kept);
        kept.map(|(group, _)| group.reduced_entry()).collect()
    }

    /// Decides for each referenced group whether it can be reduced. These groups, and those that
    /// they refer to, cannot:
    ///
    /// - a group that tests other values than the user's attributes
    /// - a group that an undecidable condition refers to: with a reduced group, the evaluation
    ///   might no longer reach the limit
    fn decide(&mut self, roots: &[&Json<'p>], undecidable: &[Json<'p>]) {
        let mut pending = self.references(roots, true);
        for condition in undecidable {
            self.collect(condition, false, &mut pending);
        }
        while let Some(Reference { group, against_user }) = pending.pop() {
            let Some(entry) = self.groups.get(position(group)) else { continue };
            match entry.state {
                State::AsWritten => continue,
                State::Reduced(_) if against_user => continue,
                _ => {}
            }
            let json = entry.json();
            let state = if against_user { self.reduce(group, &json) } else { State::AsWritten };
            self.collect(&json, matches!(state, State::Reduced(_)), &mut pending);
            if let Some(entry) = self.groups.get_mut(position(group)) {
                entry.state = state;
            }
        }
    }

    fn reduce(&self, group: GroupIndex, entry: &Json<'p>) -> State<'p> {
        let Some(condition) = entry.as_object().and_then(|entry| entry.get("condition")) else {
            return State::AsWritten;
        };
        match prune_group(group, condition, self.known, self.compiled) {
            Remainder::Open(condition) => State::Reduced(Some(condition)),
            Remainder::Pass | Remainder::Fail => State::Reduced(None),
            Remainder::Abort => State::AsWritten,
        }
    }

    fn references(&self, roots: &[&Json<'p>], against_user: bool) -> Vec<Reference> {
        let mut found = Vec::new();
        for root in roots {
            for definition in children(root) {
                self.collect(definition, against_user, &mut found);
            }
        }
        found
    }

    /// Finds the references in a value.
    fn collect(&self, value: &Json<'_>, against_user: bool, found: &mut Vec<Reference>) {
        match value {
            Json::String(id) => {
                if let Some(group) = self.compiled.index_of(id) {
                    found.push(Reference { group, against_user });
                }
            }
            Json::Array(items) => {
                for item in items {
                    self.collect(item, against_user, found);
                }
            }
            Json::Object(object) => {
                for (name, item) in object.iter() {
                    let against_user = against_user && AGAINST_THE_USER.contains(&name);
                    self.collect(item, against_user, found);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

impl<'p> Group<'p> {
    /// Returns the entry as written. Returns null for a list, since its values are not references.
    fn json(&self) -> Json<'p> {
        match Json::parse(&self.entry.text) {
            Some(Json::Object(entry))
                if entry.get("type").and_then(Json::as_str) != Some("list") =>
            {
                Json::Object(entry)
            }
            _ => Json::Null,
        }
    }

    fn reduced(&self) -> Json<'p> {
        let mut json = self.json();
        if let (Json::Object(entry), State::Reduced(Some(condition))) = (&mut json, &self.state) {
            entry.set("condition", condition.clone());
        }
        json
    }

    /// Returns the entry with the reduced condition. An entry that is not reduced stays as written.
    fn reduced_entry(&self) -> Entry {
        let text: Arc<str> = match self.state {
            State::Reduced(Some(_)) => self.reduced().to_text().into(),
            _ => self.entry.text.clone(),
        };
        Entry { key: self.entry.key.clone(), text }
    }
}

/// Iterates over the definitions in a section: the members of an object, or the items of a list.
fn children<'r, 'p>(section: &'r Json<'p>) -> impl Iterator<Item = &'r Json<'p>> {
    let items = section.as_array().unwrap_or_default().iter();
    items.chain(section.as_object().into_iter().flat_map(Object::iter).map(|(_, value)| value))
}

fn position(group: GroupIndex) -> usize {
    group.0 as usize
}
