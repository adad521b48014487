//! Compiles the section `experiments`: auto experiments.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::warnings::Warnings;
use super::{Compiler, at, memory, object, rules};
use crate::auto::{AutoExperiment, ChangeType};
use crate::experiment::{DefinitionReader, Echo};
use crate::json::{Json, items};
use crate::payload::Section;
use crate::snapshot::AutoExperiments;
use crate::value::FeatureValue;
use crate::warning::{Location, Warning, WarningKind};
use crate::wire::{ExperimentWire, Read};

impl Compiler<'_> {
    pub(super) fn auto_experiments(&mut self, section: &Section<Arc<str>>) -> Arc<AutoExperiments> {
        let Section::Present(text) = section else {
            return Arc::default();
        };
        let before = self.before.map(|before| &before.auto_experiments);
        let experiments = match before.filter(|before| before.text == *text) {
            Some(same) if self.memory.take(same.memory) => same.clone(),
            _ => Arc::new(self.compile_experiments(text)),
        };
        self.warnings.extend(&experiments.warnings);
        experiments
    }

    fn compile_experiments(&mut self, text: &Arc<str>) -> AutoExperiments {
        let (mut list, mut warnings) = (Vec::new(), Warnings::default());
        let before = self.memory.left();
        match items(text) {
            Some(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    list.extend(self.auto_experiment(index, item, &mut warnings));
                }
            }
            None => {
                let kind = WarningKind::WrongType { field: "", expected: "a list" };
                warnings.add(Location::Section("experiments"), kind);
            }
        }
        list.shrink_to_fit();
        let memory = before.checked_sub(self.memory.left()).unwrap_or_default();
        AutoExperiments { list, text: text.clone(), warnings: warnings.into_list().into(), memory }
    }

    fn auto_experiment(
        &mut self,
        index: usize,
        text: &str,
        warnings: &mut Warnings,
    ) -> Option<AutoExperiment> {
        let json = Json::parse(text);
        let wire = object(json.as_ref()).and_then(|object| {
            let memory = memory::of_auto_experiment(object, text);
            let has_memory = self.memory.take(memory);
            has_memory.then(|| ExperimentWire::of(object)).ok_or(WarningKind::TooMuchMemory)
        });
        let wire = match wire {
            Ok(wire) => wire,
            Err(kind) => {
                warnings.add(Location::Experiment { index, key: Arc::default() }, kind);
                return None;
            }
        };
        let (experiment, kinds) = self.parts.read(|reader| {
            // They are not linked to features, since they are shared even if features change.
            reader.link_feature = None;
            let experiment = read(reader, &wire, text);
            experiment.map_err(|kind| reader.warnings.push(kind)).ok()
        });
        let key = wire.rule.key.as_str().unwrap_or_default().into();
        for Warning { location, kind } in at(&Location::Experiment { index, key }, kinds) {
            warnings.add(location, kind);
        }
        experiment
    }
}

fn read(
    reader: &mut DefinitionReader<'_>,
    wire: &ExperimentWire<'_>,
    text: &str,
) -> Read<AutoExperiment> {
    let variations = rules::variations(&wire.rule)?.unwrap_or_default();
    let variations: Box<[FeatureValue]> = variations.iter().map(Into::into).collect();
    let mut definition = reader.own_experiment(wire, "", variations.len())?;
    definition.echo = Echo::Experiment(text.into());
    let change_type = ChangeType::of(&variations, definition.own().url_patterns.as_ref());
    Ok(AutoExperiment {
        definition,
        variations,
        change_type,
        change_id: wire.change_id.text()?.map(Box::from),
        manual: wire.manual.is_truthy(),
        persist_query_string: wire.persist_query_string.is_truthy(),
    })
}
