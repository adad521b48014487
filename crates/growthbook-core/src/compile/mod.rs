//! The compiler: it turns a payload into a [`Snapshot`], in one pass over its sections. Compiling
//! cannot fail. An unreadable part is left out with a warning.
//!
//! A payload can be compiled after the snapshot of an older payload. Then each definition whose
//! text did not change is shared, which only costs a comparison of the text. Definitions refer to
//! features and saved groups by position, and the positions stay the same (see [`FeatureTable`] and
//! [`SavedGroups`]). A feature with a bandit is shared only if the bandit did not change, either.

mod bandits;
mod experiments;
mod features;
mod groups;
mod limits;
mod memory;
mod rules;
mod warnings;

use alloc::{boxed::Box, vec::Vec};
use core::cell::RefCell;

#[cfg(feature = "reduce")]
pub(crate) use groups::saved_groups;
use hashbrown::HashSet;
use memory::MemoryBudget;
use warnings::Warnings;

use crate::condition::{GroupIndex, SavedGroups};
use crate::experiment::{DefinitionReader, ExperimentDefinition, Interner};
use crate::json::{Json, Object};
use crate::memory::Memory;
use crate::pattern::PatternCompiler;
use crate::payload::Payload;
use crate::snapshot::{Bandits, FeatureTable, Snapshot};
use crate::sorting::sort_by;
use crate::warning::{Location, Warning, WarningKind};

impl Payload {
    /// Compiles the definitions for evaluation. A malformed part is left out, with a [`Warning`]
    /// in [`Snapshot::warnings`].
    pub fn compile(&self) -> Snapshot {
        Compiler::new(PatternCompiler::default(), self.text_length()).compile(self)
    }

    /// Compiles the definitions to replace an older snapshot. Evaluation gives the same results as
    /// with [`compile`](Payload::compile), but compiling costs less. Both snapshots share
    /// definitions whose text did not change, and regular expressions.
    pub fn compile_after(&self, before: &Snapshot) -> Snapshot {
        if should_share(self, before) {
            let compiler = Compiler::sharing(before, self.text_length());
            if let Some(snapshot) = compiler.compile_sharing(self) {
                return snapshot;
            }
        }
        let patterns = PatternCompiler::after(&before.patterns);
        Compiler::new(patterns, self.text_length()).compile(self)
    }
}

impl Snapshot {
    /// Makes a snapshot without features. Every feature is unknown. Experiments declared in code
    /// run.
    pub fn empty() -> Self {
        Payload::empty().compile()
    }
}

/// Whether to share definitions with an older snapshot. Removed features and groups keep their
/// positions. If there are too many unused positions, everything is compiled again.
fn should_share(payload: &Payload, before: &Snapshot) -> bool {
    /// The number of unused positions that is always allowed.
    const SPARE: usize = 1_000;
    let features = payload.feature_entries().iter().len();
    let groups = before.saved_groups.positions();
    !before.patterns.is_exhausted()
        && !before.exceeds_memory
        && before.features.positions() <= 2 * features + SPARE
        && groups <= 2 * groups::entry_count(payload.saved_groups_section()) + SPARE
}

/// Compiles one payload.
struct Compiler<'b> {
    /// The snapshot with which definitions are shared.
    before: Option<&'b Snapshot>,
    parts: Parts,
    memory: MemoryBudget,
    warnings: Warnings,
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
    fn new(patterns: PatternCompiler, text_length: usize) -> Self {
        let parts = Parts {
            features: RefCell::default(),
            groups: RefCell::default(),
            bandits: Bandits::default(),
            interner: Interner::default(),
            patterns,
        };
        let memory = MemoryBudget::of_text(text_length);
        Compiler { before: None, parts, memory, warnings: Warnings::default() }
    }

    fn sharing(before: &'b Snapshot, text_length: usize) -> Self {
        let patterns = PatternCompiler::continuing(&before.patterns);
        let mut compiler = Compiler::new(patterns, text_length);
        compiler.before = Some(before);
        compiler.parts.features = RefCell::new(before.features.without_features());
        compiler.parts.groups = RefCell::new(before.saved_groups.without_groups());
        compiler
    }

    /// Compiles, and returns `None` if the definitions or the regular expressions exceed their limit.
    /// The payload must then be compiled alone, so that the parts that are left out do not depend on
    /// the older snapshot.
    fn compile_sharing(self, payload: &Payload) -> Option<Snapshot> {
        let snapshot = self.compile(payload);
        let is_whole = !snapshot.patterns.is_exhausted() && !snapshot.exceeds_memory;
        is_whole.then_some(snapshot)
    }

    fn compile(mut self, payload: &Payload) -> Snapshot {
        self.warnings.extend(payload.warnings());
        let groups = self.saved_groups(payload.saved_groups_section());
        self.bandits(payload.contextual_bandits_section());
        self.features(payload.feature_entries());
        let auto_experiments = self.auto_experiments(payload.experiments_section());

        let Compiler { parts, memory, mut warnings, .. } = self;
        let features = parts.features.into_inner();
        let saved_groups = parts.groups.into_inner();
        limits::check_groups(&saved_groups, &groups, &mut warnings);
        limits::check_features(&features, &mut warnings);
        let auto_definitions = auto_experiments.list.iter().map(|it| &it.definition);
        let definitions =
            features.iter().flat_map(|(_, feature)| feature.experiments()).chain(auto_definitions);
        Snapshot {
            sticky_attributes: sticky_attributes(definitions),
            features,
            auto_experiments,
            saved_groups,
            bandits: parts.bandits,
            patterns: parts.patterns.into_pool(),
            date_updated: payload.date_updated().map(Box::from),
            exceeds_memory: memory.is_exceeded(),
            warnings: warnings.into_list(),
        }
    }

    /// Collects the warnings about a definition, and adds their memory to that of the definition.
    /// The error is the warning for a definition that is left out because of them.
    fn with_memory(
        &mut self,
        warnings: impl Iterator<Item = Warning>,
        memory: &mut Memory,
    ) -> Result<Box<[Warning]>, WarningKind> {
        let warnings: Box<[Warning]> = warnings.collect();
        let more = memory::of_warnings(&warnings);
        *memory += more;
        self.memory.take(more).then_some(warnings).ok_or(WarningKind::TooMuchMemory)
    }

    fn warn(&mut self, location: Location, kind: WarningKind) {
        self.warnings.add(location, kind);
    }
}

impl Parts {
    /// Reads definitions, and links them to this snapshot. Returns the result and the warnings.
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

/// Returns the attributes that experiments hash, sorted.
fn sticky_attributes<'d>(
    definitions: impl Iterator<Item = &'d ExperimentDefinition>,
) -> Box<[Box<str>]> {
    let mut seen = HashSet::new();
    let mut attributes: Vec<&str> = Vec::new();
    for name in definitions.flat_map(ExperimentDefinition::sticky_attributes) {
        // Most experiments hash the same attribute as the one before.
        if attributes.last() != Some(&name) && seen.insert(name) {
            attributes.push(name);
        }
    }
    sort_by(&mut attributes, Ord::cmp);
    attributes.into_iter().map(Into::into).collect()
}

/// Returns the object. The error is the warning for another value, or for unreadable text.
fn object<'t>(json: Option<&'t Json<'t>>) -> Result<&'t Object<'t>, WarningKind> {
    match json {
        Some(Json::Object(object)) => Ok(object),
        Some(_) => Err(not_an_object()),
        None => Err(WarningKind::InvalidJson),
    }
}

fn not_an_object() -> WarningKind {
    WarningKind::WrongType { field: "", expected: "an object" }
}

/// Makes warnings about one place. The items of a list often have the same fault, which is one
/// warning.
fn at(location: &Location, mut kinds: Vec<WarningKind>) -> impl Iterator<Item = Warning> {
    kinds.dedup();
    kinds.into_iter().map(|kind| Warning { location: location.clone(), kind })
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, sync::Arc};

    use super::*;
    use crate::snapshot::Feature;

    /// Returns the features of the second payload that are shared with the first one.
    fn shared(before: &str, after: &str) -> Vec<String> {
        let [before, after] = [before, after].map(|text| Payload::from_json(text).unwrap());
        let before = before.compile();
        let after = after.compile_after(&before);
        let is_shared = |(key, feature): &(&str, &Arc<Feature>)| {
            let same = before.features.find(key).and_then(|it| before.features.get(it));
            same.is_some_and(|(_, same)| Arc::ptr_eq(same, feature))
        };
        after.features.iter().filter(is_shared).map(|(key, _)| String::from(key)).collect()
    }

    const RULES: &str = r#"
        "gated": {"rules": [{"force": 1, "parentConditions": [{"id": "plain"}, {"id": "gone"}]}]},
        "grouped": {"rules": [{"force": 1, "condition": {"id": {"$inGroup": "g"}}}]},
        "bandit": {"rules": [{"contextualVariations": [1, 2], "contextualBanditRef": "b"}]}"#;

    fn payload(plain: &str, group: &str, bandit: &str) -> String {
        format!(
            r#"{{"features": {{{plain} {RULES}}}, "savedGroups": {{"g": {group}}},
                "contextualBandits": {{"b": {{"contexts": [], "banditVersion": {bandit}}}}}}}"#
        )
    }

    #[test]
    fn only_definitions_that_changed_are_compiled() {
        let before = payload(r#""plain": {},"#, "[1]", "1");
        let all = ["plain", "gated", "grouped", "bandit"];
        assert_eq!(shared(&before, &before), all);
        let changed = payload(r#""plain": {"defaultValue": 1},"#, "[1]", "1");
        assert_eq!(shared(&before, &changed), all[1..]);
        // Links stay valid when features and groups are changed, removed or added.
        assert_eq!(shared(&before, &payload("", "[1]", "1")), all[1..]);
        assert_eq!(shared(&before, &payload(r#""gone": {}, "plain": {},"#, "[1]", "1")), all);
        assert_eq!(shared(&before, &payload(r#""plain": {},"#, "[2]", "1")), all);
        // A feature contains its bandit.
        assert_eq!(shared(&before, &payload(r#""plain": {},"#, "[1]", "2")), all[..3]);
    }

    #[test]
    fn unused_positions_are_removed() {
        let payload = |round: u32| {
            let feature = |number: u32| format!(r#""f{round}-{number}": {{}}"#);
            let features: Vec<String> = (0..100).map(feature).collect();
            let text = format!(r#"{{"features": {{{}}}}}"#, features.join(","));
            Payload::from_json(text).unwrap()
        };
        let mut snapshot = payload(0).compile();
        for round in 1..50 {
            snapshot = payload(round).compile_after(&snapshot);
            assert_eq!(snapshot.feature_keys().len(), 100);
            assert!(snapshot.features.positions() < 1_400, "{}", snapshot.features.positions());
        }
    }

    #[test]
    fn refused_expressions_count_after_sharing() {
        let rules = |patterns: core::ops::Range<usize>, pattern: &str| {
            let rule = |number: usize| {
                format!(
                    r#"{{"force": 1, "condition": {{"x": {{"$regex": "{pattern}{number}"}}}}}}"#
                )
            };
            format!(r#"{{"rules": [{}]}}"#, patterns.map(rule).collect::<Vec<_>>().join(","))
        };
        // They are not too long together, but each is too large when it is built.
        let refused = rules(0..3, "(?:a{1000}){1000}");
        let others = rules(0..200, "(?:a{100}){1,100}");
        let payload = |features: &str| Payload::from_json(format!(r#"{{"features": {features}}}"#));
        let before = payload(&format!(r#"{{"a": {refused}}}"#)).unwrap().compile();
        let next = payload(&format!(r#"{{"a": {refused}, "b": {others}}}"#)).unwrap();
        let expected = next.compile();
        assert!(expected.warnings().len() > 3);
        assert_eq!(next.compile_after(&before).warnings(), expected.warnings());
    }

    #[test]
    fn expressions_are_limited_as_without_sharing() {
        let feature = |number: usize| {
            let pattern = format!("(?:a{{100}}){{1,100}}{number}");
            format!(
                r#""f{number}": {{"rules": [{{"force": 1, "condition": {{"x": {{"$regex": "{pattern}"}}}}}}]}}"#
            )
        };
        let payload = |numbers: core::ops::Range<usize>| {
            let features: Vec<String> = numbers.map(feature).collect();
            let text = format!(r#"{{"features": {{{}}}}}"#, features.join(","));
            Payload::from_json(text).unwrap()
        };
        // The second payload fits, but not together with the expressions of the first one.
        let mut snapshot = payload(0..30).compile();
        for numbers in [0..30, 20..60, 0..600, 0..600, 300..330] {
            let next = payload(numbers);
            snapshot = next.compile_after(&snapshot);
            assert_eq!(snapshot.warnings(), next.compile().warnings());
        }
    }
}
