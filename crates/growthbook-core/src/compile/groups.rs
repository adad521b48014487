//! Compiles the section `savedGroups`.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{Compiler, at, memory, not_an_object};
use crate::compiled::Compiled;
use crate::condition::{ConditionParser, GroupIndex, SavedGroup};
use crate::json::Json;
use crate::memory::Memory;
use crate::payload::{Entries, Entry, Section};
use crate::warning::{Location, WarningKind};

/// Compiles the saved groups without the rest of a payload. Each group has the position of its
/// entry.
#[cfg(feature = "reduce")]
pub(crate) fn saved_groups(section: &Section<Entries>) -> crate::condition::SavedGroups {
    let length = match section {
        Section::Present(entries) => entries.text_length(),
        _ => 0,
    };
    let mut compiler = Compiler::new(crate::pattern::PatternCompiler::default(), length);
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
        self.parts.groups.get_mut().reserve(entries.iter().len());
        let too_large = Arc::new(unknown_group());
        let indices: Vec<GroupIndex> =
            entries.iter().map(|entry| self.parts.link_group(&entry.key)).collect();
        for (entry, index) in entries.iter().zip(&indices) {
            let before = self.before.and_then(|before| before.saved_groups.get(*index));
            let group = match before.filter(|before| before.text == entry.text) {
                Some(same) if self.memory.take(same.memory) => same.clone(),
                _ => match self.saved_group(entry) {
                    Ok(group) => Arc::new(group),
                    Err(kind) => {
                        self.warn(Location::SavedGroup(entry.key.clone()), kind);
                        too_large.clone()
                    }
                },
            };
            self.warnings.extend(&group.warnings);
            self.parts.groups.get_mut().set(*index, Some(group));
        }
        indices
    }

    /// Compiles a group. The error is the warning for an entry that is left out.
    fn saved_group(&mut self, entry: &Entry) -> Result<Compiled<SavedGroup>, WarningKind> {
        let mut kinds = Vec::new();
        let json = Json::parse(&entry.text).unwrap_or_else(|| {
            kinds.push(WarningKind::InvalidJson);
            Json::Null
        });
        let mut memory = memory::of_group_or_bandit(&entry.key, &json);
        if !self.memory.take(memory) {
            return Err(WarningKind::TooMuchMemory);
        }
        let link = |id: &str| Some(self.parts.link_group(id));
        let mut parser = ConditionParser::new(Some(&link), &self.parts.patterns, &mut kinds);
        let definition = parser.saved_group(&entry.key, &json);
        let location = Location::SavedGroup(entry.key.clone());
        let warnings = self.with_memory(at(&location, kinds), &mut memory)?;
        Ok(Compiled { definition, text: entry.text.clone(), warnings, memory })
    }
}

/// Makes the group in place of those that are left out. Conditions that depend on it do not pass.
fn unknown_group() -> Compiled<SavedGroup> {
    Compiled {
        definition: SavedGroup::Unknown,
        text: Arc::default(),
        warnings: Box::default(),
        memory: Memory::default(),
    }
}
