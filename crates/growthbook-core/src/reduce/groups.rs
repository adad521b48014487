//! The saved groups that are kept: those that what is kept refers to, with their own conditions
//! reduced.

use alloc::{sync::Arc, vec, vec::Vec};

use crate::condition::{Fields, GroupIndex, Remainder, SavedGroups, prune_group};
use crate::json::{Json, Object};
use crate::payload::{Entries, Entry, Section};

/// The members that lead from a definition to what is evaluated against the user. Everything
/// else, as `$elemMatch` or `parentConditions`, is evaluated against something else, or we do not
/// know against what.
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
    fate: Fate<'p>,
}

/// What becomes of a group.
enum Fate<'p> {
    /// Nothing refers to it, as far as we have seen.
    Unseen,
    AsWritten,
    /// With this condition instead of its own; `None` when its own is decided.
    Reduced(Option<Json<'p>>),
}

/// A reference to a group, and whether the group is evaluated against the user there.
#[derive(Clone, Copy)]
struct Reference {
    group: GroupIndex,
    against_user: bool,
}

impl<'a, 'p> Groups<'a, 'p> {
    /// The entries of the section that `compiled` was made of. `None` when it cannot be read:
    /// then it has to stay, since it is more than a section without groups.
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
        let groups = entries.map(|entry| Group { entry, fate: Fate::Unseen });
        Some(Groups { groups: groups.collect(), compiled, known })
    }

    /// The groups whose id appears as a string somewhere in what is kept, as the text of an
    /// object in the payload's order. We need not know which operators refer to groups.
    pub(super) fn kept(mut self, roots: &[&Json<'p>], undecidable: &[Json<'p>]) -> Entries {
        self.settle(roots, undecidable);
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

    /// Decides for every group within reach whether it can be reduced. One that is evaluated
    /// against something else than the user cannot, nor one within reach of a condition that
    /// fails as a whole: where it reached a limit, it would no longer. The same holds for the
    /// groups those refer to.
    fn settle(&mut self, roots: &[&Json<'p>], undecidable: &[Json<'p>]) {
        let mut pending = self.references(roots, true);
        for condition in undecidable {
            self.collect(condition, false, &mut pending);
        }
        while let Some(Reference { group, against_user }) = pending.pop() {
            let Some(entry) = self.groups.get(position(group)) else { continue };
            match entry.fate {
                Fate::AsWritten => continue,
                Fate::Reduced(_) if against_user => continue,
                _ => {}
            }
            let json = entry.json();
            let fate = if against_user { self.reduce(group, &json) } else { Fate::AsWritten };
            self.collect(&json, matches!(fate, Fate::Reduced(_)), &mut pending);
            if let Some(entry) = self.groups.get_mut(position(group)) {
                entry.fate = fate;
            }
        }
    }

    fn reduce(&self, group: GroupIndex, entry: &Json<'p>) -> Fate<'p> {
        let Some(condition) = entry.as_object().and_then(|entry| entry.get("condition")) else {
            return Fate::AsWritten;
        };
        match prune_group(group, condition, self.known, self.compiled) {
            Remainder::Open(condition) => Fate::Reduced(Some(condition)),
            Remainder::Pass | Remainder::Fail => Fate::Reduced(None),
            Remainder::Abort => Fate::AsWritten,
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
    /// The entry as written, as far as it can refer to groups. What a list holds are values of
    /// attributes.
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
        if let (Json::Object(entry), Fate::Reduced(Some(condition))) = (&mut json, &self.fate) {
            entry.set("condition", condition.clone());
        }
        json
    }

    /// The entry with the reduced condition. An entry that is not reduced stays as written.
    fn reduced_entry(&self) -> Entry {
        let text: Arc<str> = match self.fate {
            Fate::Reduced(Some(_)) => self.reduced().to_text().into(),
            _ => self.entry.text.clone(),
        };
        Entry { key: self.entry.key.clone(), text }
    }
}

/// The definitions in a section: the members of an object, or the items of a list.
fn children<'r, 'p>(section: &'r Json<'p>) -> impl Iterator<Item = &'r Json<'p>> {
    let items = section.as_array().unwrap_or_default().iter();
    items.chain(section.as_object().into_iter().flat_map(Object::iter).map(|(_, value)| value))
}

fn position(group: GroupIndex) -> usize {
    group.0 as usize
}
