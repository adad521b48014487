//! The section `experiments`: auto experiments.

use alloc::{boxed::Box, vec::Vec};

use super::Compiler;
use crate::auto::{AutoExperiment, ChangeType};
use crate::experiment::{Echo, Field, Links, Reader};
use crate::json::{Tape, View};
use crate::payload::{Section, items};
use crate::value::FeatureValue;
use crate::warning::{Location, WarningKind};

impl Compiler {
    pub(super) fn auto_experiments(
        &mut self,
        section: &Section,
        links: Links<'_>,
    ) -> Vec<AutoExperiment> {
        let Section::Present(text) = section else {
            return Vec::new();
        };
        let Some(sources) = items(text) else {
            let kind = WarningKind::WrongType { field: "", expected: "a list" };
            self.warn(Location::Section("experiments"), kind);
            return Vec::new();
        };
        let sources = sources.into_iter().enumerate();
        sources.filter_map(|(index, text)| self.auto_experiment(index, text, links)).collect()
    }

    fn auto_experiment(
        &mut self,
        index: usize,
        text: &str,
        links: Links<'_>,
    ) -> Option<AutoExperiment> {
        let location = |key: &str| Location::Experiment { index, key: key.into() };
        let tape = Tape::parse(text);
        let object = self.object(tape.as_ref().map(Tape::root), || location(""))?;
        let key = object.get("key").and_then(View::as_str).unwrap_or_default();
        let mut kinds = Vec::new();
        let mut reader = Reader::new(object, links, &self.patterns, &mut kinds);
        let experiment = auto_experiment(&mut reader, text);
        let experiment = experiment.map_err(|kind| kinds.push(kind)).ok();
        self.warn_all(|| location(key), kinds);
        experiment
    }
}

fn auto_experiment(reader: &mut Reader<'_>, text: &str) -> Result<AutoExperiment, WarningKind> {
    let variations = reader.variations()?.unwrap_or_default();
    let variations: Box<[FeatureValue]> = variations.boxed(Into::into);
    let mut definition = reader.experiment("", variations.len(), Reader::filters)?;
    reader.inline_settings(&mut definition)?;
    definition.echo = Echo::Experiment(text.into());
    let change_type = ChangeType::of(&variations, definition.own().url_patterns.as_ref());
    Ok(AutoExperiment {
        definition,
        variations,
        change_type,
        change_id: reader.text(Field::ChangeId)?.map(Box::from),
        manual: reader.truthy(Field::Manual).is_some(),
        persist_query_string: reader.truthy(Field::PersistQueryString).is_some(),
    })
}
