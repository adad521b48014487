//! The section `savedGroups`.

use alloc::{boxed::Box, vec::Vec};

use super::{Compiler, index};
use crate::condition::{ConditionParser, GroupIndex, PatternCompiler, SavedGroups};
use crate::json::Tape;
use crate::payload::{Section, members};
use crate::warning::{Location, WarningKind};

/// Compiles the saved groups alone.
pub(crate) fn saved_groups(section: &Section) -> SavedGroups {
    Compiler { patterns: PatternCompiler::default(), warnings: Vec::new() }.saved_groups(section)
}

impl Compiler {
    pub(super) fn saved_groups(&mut self, section: &Section) -> SavedGroups {
        let unavailable = || SavedGroups { unavailable: true, ..SavedGroups::default() };
        let text = match section {
            Section::Absent => return SavedGroups::default(),
            Section::Unreadable => return unavailable(),
            Section::Present(text) => text,
        };
        let Some(entries) = members(text) else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(Location::Section("savedGroups"), kind);
            return unavailable();
        };
        self.warn_unnamed(&entries.unnamed, Location::SavedGroup);
        let by_id =
            index(entries.named.iter().map(|(id, _)| Box::<str>::from(id.as_ref())), GroupIndex);
        let mut groups = Vec::with_capacity(entries.named.len());
        for (id, entry) in &entries.named {
            let location = || Location::SavedGroup(id.as_ref().into());
            let entry = Tape::parse(entry).unwrap_or_else(|| {
                self.warn(location(), WarningKind::InvalidJson);
                Tape::default()
            });
            let mut kinds = Vec::new();
            let mut parser = ConditionParser::new(Some(&by_id), &self.patterns, &mut kinds);
            groups.push(parser.saved_group(id, entry.root()));
            self.warn_all(location, kinds);
        }
        SavedGroups { by_id, groups, unavailable: false }
    }
}
