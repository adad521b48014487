//! From a payload's text to a [`Snapshot`], in one pass over the features. Whatever cannot be
//! read is reported and left out; compiling cannot fail.

mod bandits;
mod experiments;
mod features;
mod groups;
mod limits;

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};
use core::hash::Hash;

use hashbrown::HashMap;

use crate::condition::PatternCompiler;
use crate::experiment::{ExperimentDefinition, Links, Pools};
use crate::feature_table::FeatureTable;
use crate::json::{ObjectView, View};
use crate::payload::Payload;
use crate::snapshot::{Feature, Snapshot};
use crate::warning::{Location, Warning, WarningKind};

pub(crate) use groups::saved_groups;

/// Compiles a payload, with these patterns at hand.
pub(crate) fn compile(payload: &Payload, patterns: PatternCompiler) -> Snapshot {
    let mut compiler = Compiler { patterns, warnings: payload.warnings().to_vec() };
    let saved_groups = compiler.saved_groups(payload.saved_groups_section());
    let bandits = compiler.bandits(payload.contextual_bandits_section(), &saved_groups.by_id);
    let pools = Pools::default();
    let links = Links {
        features: None,
        groups: Some(&saved_groups.by_id),
        bandits: Some(&bandits),
        pools: Some(&pools),
    };
    let mut features = FeatureTable::new(compiler.features(payload.features_text(), links));
    features.link();
    let links = Links { features: Some(&features), ..links };
    let auto_experiments = compiler.auto_experiments(payload.experiments_section(), links);
    limits::check_groups(&saved_groups, &mut compiler.warnings);
    limits::check_features(features.as_slice(), &mut compiler.warnings);
    let auto_definitions = auto_experiments.iter().map(|experiment| &experiment.definition);
    let experiments = features.iter().flat_map(Feature::experiments).chain(auto_definitions);
    let mut sticky_attributes = BTreeSet::new();
    for name in experiments.flat_map(ExperimentDefinition::sticky_attributes) {
        if !sticky_attributes.contains(name) {
            sticky_attributes.insert(name.into());
        }
    }
    Snapshot {
        features,
        auto_experiments,
        sticky_attributes,
        saved_groups,
        patterns: compiler.patterns.into_pool(),
        date_updated: payload.date_updated().map(Box::from),
        warnings: compiler.warnings,
    }
}

/// Numbers keys in their order.
fn index<K: Hash + Eq, I>(
    keys: impl ExactSizeIterator<Item = K>,
    new: impl Fn(u32) -> I,
) -> HashMap<K, I> {
    let mut index = HashMap::with_capacity(keys.len());
    for (number, key) in (0..).zip(keys) {
        index.insert(key, new(number));
    }
    index
}

struct Compiler {
    patterns: PatternCompiler,
    warnings: Vec<Warning>,
}

impl Compiler {
    fn warn(&mut self, location: Location, kind: WarningKind) {
        self.warnings.push(Warning { location, kind });
    }

    /// An object; whatever else was read, or could not be, is reported.
    fn object<'a>(
        &mut self,
        json: Option<View<'a>>,
        location: impl Fn() -> Location,
    ) -> Option<ObjectView<'a>> {
        let kind = match json {
            Some(View::Object(object)) => return Some(object),
            Some(_) => WarningKind::WrongType { field: "", expected: "an object" },
            None => WarningKind::InvalidJson,
        };
        self.warn(location(), kind);
        None
    }

    fn warn_all(&mut self, location: impl Fn() -> Location, kinds: Vec<WarningKind>) {
        for kind in kinds {
            self.warn(location(), kind);
        }
    }

    /// What has a key that is no text is out of reach for everybody.
    fn warn_unnamed(&mut self, keys: &[&str], location: impl Fn(Box<str>) -> Location) {
        for &key in keys {
            self.warn(location(key.into()), WarningKind::InvalidJson);
        }
    }
}
