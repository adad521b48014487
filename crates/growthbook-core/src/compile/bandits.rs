//! The section `contextualBandits`.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use hashbrown::HashMap;

use super::Compiler;
use crate::bandit::BanditDefinition;
use crate::condition::GroupIndex;
use crate::experiment::{Links, Reader};
use crate::json::{Tape, View};
use crate::payload::{Section, members};
use crate::warning::{Location, WarningKind};

impl Compiler {
    pub(super) fn bandits(
        &mut self,
        section: &Section,
        groups: &HashMap<Box<str>, GroupIndex>,
    ) -> HashMap<Box<str>, Arc<BanditDefinition>> {
        let Section::Present(text) = section else {
            return HashMap::new();
        };
        let Some(entries) = members(text) else {
            let kind = WarningKind::WrongType { field: "", expected: "an object" };
            self.warn(Location::Section("contextualBandits"), kind);
            return HashMap::new();
        };
        self.warn_unnamed(&entries.unnamed, Location::ContextualBandit);
        let mut bandits = HashMap::with_capacity(entries.named.len());
        for (id, entry) in &entries.named {
            let entry = Tape::parse(entry).unwrap_or_default();
            let mut kinds = Vec::new();
            match entry.root() {
                View::Object(object) => {
                    let links = Links { groups: Some(groups), ..Links::default() };
                    let mut reader = Reader::new(object, links, &self.patterns, &mut kinds);
                    bandits.insert(id.as_ref().into(), Arc::new(reader.bandit()));
                }
                // It is there, but has no leaves: the fallback leaf. What is falsy is not there.
                other => {
                    kinds.push(WarningKind::WrongType { field: "", expected: "an object" });
                    if other.is_truthy() {
                        bandits.insert(id.as_ref().into(), Arc::default());
                    }
                }
            }
            self.warn_all(|| Location::ContextualBandit(id.as_ref().into()), kinds);
        }
        bandits
    }
}
