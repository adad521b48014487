//! Compiles the section `savedGroups`.

use alloc::{sync::Arc, vec::Vec};

use super::{Compiler, at, memory, not_an_object};
use crate::compiled::Compiled;
use crate::condition::{ConditionParser, GroupIndex, SavedGroup, SavedGroups};
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::payload::{Entries, Entry, Section};
use crate::warning::{Location, WarningKind};

/// Compiles the saved groups without the rest of a payload. Each group has the position of its
/// entry.
pub(crate) fn saved_groups(section: &Section<Entries>) -> SavedGroups {
    let length = match section {
        Section::Present(entries) => entries.text_length(),
        _ => 0,
    };
    let mut compiler = Compiler::new(PatternCompiler::default(), length);
    compiler.saved_groups(section);
    compiler.parts.groups.into_inner()
}

pub(super) fn entry_count(section: &Section<Entries>) -> usize {
    match section {
        Section::Present(entries) => entries.iter().len(),
        _ => 0,
    }
}

impl Compiler<'_> {
    /// Compiles the groups. Returns their positions in the payload's order.
    pub(super) fn saved_groups(&mut self, section: &Section<Entries>) -> Vec<GroupIndex> {
        let entries = match section {
            Section::Absent => return Vec::new(),
            Section::Present(entries) => entries,
            Section::Malformed(_) | Section::Unreadable => {
                if let Section::Malformed(_) = section {
                    self.warn(Location::Section("savedGroups"), not_an_object());
                }
                self.parts.groups.get_mut().is_unavailable = true;
                return Vec::new();
            }
        };
        self.warnings.add_unnamed(entries.unnamed_keys(), Location::SavedGroup);
        let indices: Vec<GroupIndex> =
            entries.iter().map(|entry| self.parts.link_group(&entry.key)).collect();
        for (entry, index) in entries.iter().zip(&indices) {
            let before = self.before.and_then(|before| before.saved_groups.get(*index));
            let group = match before.filter(|before| before.text == entry.text) {
                Some(same) if self.memory.take(same.memory) => same.clone(),
                _ => Arc::new(self.saved_group(entry)),
            };
            self.warnings.extend(&group.warnings);
            self.parts.groups.get_mut().set(*index, Some(group));
        }
        indices
    }

    fn saved_group(&mut self, entry: &Entry) -> Compiled<SavedGroup> {
        let mut kinds = Vec::new();
        let json = Json::parse(&entry.text).unwrap_or_else(|| {
            kinds.push(WarningKind::InvalidJson);
            Json::Null
        });
        let memory = memory::of_entry(&entry.key) + memory::of_group_or_bandit(&json);
        let definition = if self.memory.take(memory) {
            let link = |id: &str| Some(self.parts.link_group(id));
            let mut parser = ConditionParser::new(Some(&link), &self.parts.patterns, &mut kinds);
            parser.saved_group(&entry.key, &json)
        } else {
            kinds.push(WarningKind::TooMuchMemory);
            SavedGroup::Unknown
        };
        let warnings = at(&Location::SavedGroup(entry.key.clone()), kinds).collect();
        Compiled { definition, text: entry.text.clone(), warnings, memory }
    }
}
