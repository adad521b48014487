//! From a payload to a [`Snapshot`], in one pass over its sections. Compiling cannot fail: an
//! unreadable part is reported and left out.
//!
//! A payload that follows another one is compiled after its snapshot. Then each definition whose
//! text did not change is shared, and costs a comparison of the text. Sharing is safe because
//! definitions refer to features and saved groups by positions that stay (see [`FeatureTable`] and
//! [`SavedGroups`]). A feature with a bandit is shared only if the bandit is, too.

mod bandits;
mod experiments;
mod features;
mod groups;
mod limits;
mod rules;

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};
use core::cell::RefCell;

pub(crate) use groups::saved_groups;

use crate::condition::{GroupIndex, SavedGroups};
use crate::experiment::{DefinitionReader, ExperimentDefinition, Interner};
use crate::json::{ObjectView, View};
use crate::pattern::PatternCompiler;
use crate::payload::Payload;
use crate::snapshot::{Bandits, FeatureTable, Snapshot};
use crate::warning::{Location, Warning, WarningKind};

impl Payload {
    /// Compiles the definitions for evaluation. A malformed part is left out, with a [`Warning`]
    /// in [`Snapshot::warnings`].
    pub fn compile(&self) -> Snapshot {
        Compiler::new(PatternCompiler::default()).compile(self)
    }

    /// Compiles the definitions for use in place of an older snapshot. The result answers like
    /// that of [`compile`](Payload::compile), and costs less: definitions whose text did not
    /// change are shared with the older snapshot, and so are regular expressions that were built.
    pub fn compile_after(&self, before: &Snapshot) -> Snapshot {
        if can_share(self, before) {
            let compiler = Compiler::sharing(before);
            if let Some(snapshot) = compiler.compile_sharing(self) {
                return snapshot;
            }
        }
        Compiler::new(PatternCompiler::after(&before.patterns)).compile(self)
    }
}

impl Snapshot {
    /// A snapshot without features: every feature is unknown, inline experiments run.
    pub fn empty() -> Self {
        Payload::empty().compile()
    }
}

/// Whether to share definitions with an older snapshot. Positions of features and groups that are
/// gone stay occupied. When they are too many, compiling anew makes the tables small again.
fn can_share(payload: &Payload, before: &Snapshot) -> bool {
    /// Positions that may be without use in any case.
    const SPARE: usize = 1_000;
    let features = payload.feature_entries().iter().len();
    let groups = before.saved_groups.positions();
    !before.patterns.is_exhausted()
        && before.features.positions() <= 2 * features + SPARE
        && groups <= 2 * groups::entry_count(payload.saved_groups_section()) + SPARE
}

/// Compiles one payload.
struct Compiler<'b> {
    /// The snapshot with which definitions are shared.
    before: Option<&'b Snapshot>,
    parts: Parts,
    warnings: Vec<Warning>,
}

/// The parts of a snapshot that definitions are linked to while they are compiled.
struct Parts {
    features: RefCell<FeatureTable>,
    groups: RefCell<SavedGroups>,
    bandits: Bandits,
    interner: Interner,
    patterns: PatternCompiler,
}

impl<'b> Compiler<'b> {
    fn new(patterns: PatternCompiler) -> Self {
        let parts = Parts {
            features: RefCell::default(),
            groups: RefCell::default(),
            bandits: Bandits::default(),
            interner: Interner::default(),
            patterns,
        };
        Compiler { before: None, parts, warnings: Vec::new() }
    }

    fn sharing(before: &'b Snapshot) -> Self {
        let mut compiler = Compiler::new(PatternCompiler::continuing(&before.patterns));
        compiler.before = Some(before);
        compiler.parts.features = RefCell::new(before.features.without_features());
        compiler.parts.groups = RefCell::new(before.saved_groups.without_groups());
        compiler
    }

    /// `None` when the regular expressions exceed their limit. Which ones do must not depend on
    /// the snapshot before, so the payload has to be compiled anew.
    fn compile_sharing(self, payload: &Payload) -> Option<Snapshot> {
        let snapshot = self.compile(payload);
        (!snapshot.patterns.is_exhausted()).then_some(snapshot)
    }

    fn compile(mut self, payload: &Payload) -> Snapshot {
        self.warnings.extend_from_slice(payload.warnings());
        let groups = self.saved_groups(payload.saved_groups_section());
        self.bandits(payload.contextual_bandits_section());
        self.features(payload.feature_entries());
        let auto_experiments = self.auto_experiments(payload.experiments_section());

        let Compiler { parts, mut warnings, .. } = self;
        let features = parts.features.into_inner();
        let saved_groups = parts.groups.into_inner();
        limits::check_groups(&saved_groups, &groups, &mut warnings);
        limits::check_features(&features, &mut warnings);
        let auto_definitions = auto_experiments.list.iter().map(|it| &it.definition);
        let definitions =
            features.iter().flat_map(|feature| feature.experiments()).chain(auto_definitions);
        Snapshot {
            sticky_attributes: sticky_attributes(definitions),
            features,
            auto_experiments,
            saved_groups,
            bandits: parts.bandits,
            patterns: parts.patterns.into_pool(),
            date_updated: payload.date_updated().map(Box::from),
            warnings,
        }
    }

    fn warn(&mut self, location: Location, kind: WarningKind) {
        self.warnings.push(Warning { location, kind });
    }

    /// Reports entries whose key is not valid text. No caller can ask for them.
    fn warn_unnamed<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k str>,
        location: impl Fn(Box<str>) -> Location,
    ) {
        for key in keys {
            self.warn(location(key.into()), WarningKind::InvalidJson);
        }
    }
}

impl Parts {
    /// Reads definitions that are linked to this snapshot. Returns what was read, and warnings.
    fn read<R>(&self, read: impl FnOnce(&mut DefinitionReader<'_>) -> R) -> (R, Vec<WarningKind>) {
        let mut warnings = Vec::new();
        let result = read(&mut DefinitionReader {
            link_feature: Some(&|key| self.features.borrow_mut().link(key)),
            link_group: Some(&|id| Some(self.link_group(id))),
            interner: Some(&self.interner),
            patterns: &self.patterns,
            warnings: &mut warnings,
        });
        (result, warnings)
    }

    fn link_group(&self, id: &str) -> GroupIndex {
        self.groups.borrow_mut().link(id)
    }
}

/// The attributes that some experiment hashes.
fn sticky_attributes<'d>(
    definitions: impl Iterator<Item = &'d ExperimentDefinition>,
) -> BTreeSet<Box<str>> {
    let mut attributes = BTreeSet::new();
    for name in definitions.flat_map(ExperimentDefinition::sticky_attributes) {
        if !attributes.contains(name) {
            attributes.insert(name.into());
        }
    }
    attributes
}

/// The object; the warning for text that is something else, or that could not be read.
fn object(json: Option<View<'_>>) -> Result<ObjectView<'_>, WarningKind> {
    match json {
        Some(View::Object(object)) => Ok(object),
        Some(_) => Err(not_an_object()),
        None => Err(WarningKind::InvalidJson),
    }
}

fn not_an_object() -> WarningKind {
    WarningKind::WrongType { field: "", expected: "an object" }
}

/// Warnings about one place.
fn at(location: &Location, kinds: Vec<WarningKind>) -> impl Iterator<Item = Warning> {
    kinds.into_iter().map(|kind| Warning { location: location.clone(), kind })
}
