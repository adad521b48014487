//! The section `savedGroups`.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{Compiler, at, not_an_object};
use crate::compiled::Compiled;
use crate::condition::{ConditionParser, GroupIndex, SavedGroup, SavedGroups};
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::payload::{Entries, Entry, Section};
use crate::warning::{Location, WarningKind};

/// Compiles the saved groups without the rest of a payload. Their positions are those of their
/// entries.
pub(crate) fn saved_groups(section: &Section<Entries>) -> SavedGroups {
    let mut compiler = Compiler::new(PatternCompiler::default());
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
        self.warn_unnamed(entries.unnamed_keys(), Location::SavedGroup);
        let indices: Vec<GroupIndex> =
            entries.iter().map(|entry| self.parts.link_group(&entry.key)).collect();
        for (entry, index) in entries.iter().zip(&indices) {
            let before = self.before.and_then(|before| before.saved_groups.get(*index));
            let group = match before.filter(|before| before.text == entry.text) {
                Some(same) => same.clone(),
                None => Arc::new(self.saved_group(entry)),
            };
            self.warnings.extend_from_slice(&group.warnings);
            self.parts.groups.get_mut().set(*index, Some(group));
        }
        indices
    }

    fn saved_group(&self, entry: &Entry) -> Compiled<SavedGroup> {
        let mut kinds = Vec::new();
        let json = Json::parse(&entry.text).unwrap_or_else(|| {
            kinds.push(WarningKind::InvalidJson);
            Json::Null
        });
        let link = |id: &str| Some(self.parts.link_group(id));
        let mut parser = ConditionParser::new(Some(&link), &self.parts.patterns, &mut kinds);
        let definition = parser.saved_group(&entry.key, &json);
        let location = Location::SavedGroup(Box::from(&*entry.key));
        let warnings = at(&location, kinds).collect();
        Compiled { definition, text: entry.text.clone(), warnings }
    }
}
