//! Compiles the section `contextualBandits`.

use alloc::sync::Arc;

use super::{Compiler, at, memory, not_an_object};
use crate::bandit::{BanditDefinition, Leaf};
use crate::compiled::Compiled;
use crate::experiment::DefinitionReader;
use crate::json::Json;
use crate::payload::{Entries, Entry, Section};
use crate::warning::{Location, WarningKind};
use crate::wire::{BanditWire, LeafWire, Member, numbers, whole_number};

impl Compiler<'_> {
    pub(super) fn bandits(&mut self, section: &Section<Entries>) {
        let entries = match section {
            Section::Present(entries) => entries,
            Section::Malformed(_) => {
                return self.warn(Location::Section("contextualBandits"), not_an_object());
            }
            Section::Absent | Section::Unreadable => return,
        };
        self.warnings.add_unnamed(entries.unnamed_keys(), Location::ContextualBandit);
        for entry in entries.iter() {
            let before = self.before.and_then(|before| before.bandits.get(&entry.key));
            let bandit = match before.filter(|before| before.text == entry.text) {
                Some(same) if self.memory.take(same.memory) => same.clone(),
                _ => match self.bandit(entry) {
                    Ok(bandit) => Arc::new(bandit),
                    Err(kind) => {
                        self.warn(Location::ContextualBandit(entry.key.clone()), kind);
                        continue;
                    }
                },
            };
            self.warnings.extend(&bandit.warnings);
            self.parts.bandits.insert(entry.key.clone(), bandit);
        }
    }

    /// Compiles a bandit. The error is the warning for an entry that is left out.
    fn bandit(
        &mut self,
        entry: &Entry,
    ) -> Result<Compiled<Option<Arc<BanditDefinition>>>, WarningKind> {
        let json = Json::parse(&entry.text).unwrap_or(Json::Null);
        let mut memory = memory::of_group_or_bandit(&entry.key, &json);
        if !self.memory.take(memory) {
            return Err(WarningKind::TooMuchMemory);
        }
        let (definition, kinds) = self.parts.read(|reader| match &json {
            Json::Object(object) => Some(Arc::new(read(reader, &BanditWire::of(object)))),
            // A truthy value counts as a bandit without leaves, a falsy value as missing.
            other => {
                reader.warnings.push(not_an_object());
                other.is_truthy().then(Arc::default)
            }
        });
        let location = Location::ContextualBandit(entry.key.clone());
        let warnings = self.with_memory(at(&location, kinds), &mut memory)?;
        Ok(Compiled { definition, text: entry.text.clone(), warnings, memory })
    }
}

fn read(reader: &mut DefinitionReader<'_>, wire: &BanditWire<'_>) -> BanditDefinition {
    let contexts: &[Json<'_>] = wire.contexts.as_array().unwrap_or_default();
    BanditDefinition {
        version: wire.bandit_version.get().and_then(whole_number),
        leaves: contexts.iter().map(|context| leaf(reader, wire.contexts, context)).collect(),
    }
}

fn leaf(reader: &mut DefinitionReader<'_>, contexts: Member<'_>, context: &Json<'_>) -> Leaf {
    let wire = LeafWire::of_value(context);
    let leaf = Leaf {
        condition: reader.condition(wire.condition),
        id: wire.leaf_id.get().and_then(whole_number),
        weights: wire.weights.as_array().and_then(numbers),
    };
    if leaf.id.is_none() || leaf.weights.is_none() {
        reader.warn(contexts, "a list of objects with leafId and weights");
    }
    leaf
}
