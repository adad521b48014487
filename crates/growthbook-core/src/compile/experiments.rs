//! The section `experiments`: auto experiments.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{Compiler, at, object, rules};
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
            Some(same) => same.clone(),
            None => Arc::new(self.compile_experiments(text)),
        };
        self.warnings.extend_from_slice(&experiments.warnings);
        experiments
    }

    fn compile_experiments(&self, text: &Arc<str>) -> AutoExperiments {
        let (mut list, mut warnings) = (Vec::new(), Vec::new());
        match items(text) {
            Some(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    list.extend(self.auto_experiment(index, item, &mut warnings));
                }
            }
            None => warnings.push(Warning {
                location: Location::Section("experiments"),
                kind: WarningKind::WrongType { field: "", expected: "a list" },
            }),
        }
        AutoExperiments { list, text: text.clone(), warnings: warnings.into() }
    }

    fn auto_experiment(
        &self,
        index: usize,
        text: &str,
        warnings: &mut Vec<Warning>,
    ) -> Option<AutoExperiment> {
        let json = Json::parse(text);
        let wire = match object(json.as_ref()) {
            Ok(object) => ExperimentWire::of(object),
            Err(kind) => {
                let location = Location::Experiment { index, key: Box::default() };
                warnings.push(Warning { location, kind });
                return None;
            }
        };
        let (experiment, kinds) = self.parts.read(|reader| {
            // Auto experiments are not linked to features: features may change without them.
            reader.link_feature = None;
            let experiment = read(reader, &wire, text);
            experiment.map_err(|kind| reader.warnings.push(kind)).ok()
        });
        let key = wire.rule.key.as_str().unwrap_or_default().into();
        warnings.extend(at(&Location::Experiment { index, key }, kinds));
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
