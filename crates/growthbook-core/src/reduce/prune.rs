//! Rules, auto experiments and bandits with their conditions decided as far as they can be.

use alloc::vec::Vec;

use crate::condition::{ConditionParser, Fields, Remainder, SavedGroups, prune};
use crate::json::{Json, Object};
use crate::pattern::PatternCompiler;

/// Prunes the conditions of definitions where they stand.
pub(super) struct Pruner<'a, 'p> {
    known: &'a Fields<'a>,
    groups: &'a SavedGroups,
    patterns: PatternCompiler,
    undecidable: Vec<Json<'p>>,
}

impl<'a, 'p> Pruner<'a, 'p> {
    pub(super) fn new(known: &'a Fields<'a>, groups: &'a SavedGroups) -> Self {
        let patterns = PatternCompiler::default();
        Pruner { known, groups, patterns, undecidable: Vec::new() }
    }

    /// The conditions left as written because evaluating them fails as a whole.
    pub(super) fn undecidable(&self) -> &[Json<'p>] {
        &self.undecidable
    }

    pub(super) fn rule(&mut self, rule: &mut Object<'p>) {
        if self.item(rule) == Applies::Never && rule.get("force").is_some() {
            // Nobody ever gets the value.
            rule.set("force", Json::Null);
        }
    }

    /// The forced variation of one that never applies stays: a sticky bucket skips the condition.
    pub(super) fn experiment(&mut self, experiment: &mut Object<'p>) {
        self.item(experiment);
    }

    /// A condition that never passes stays, for prerequisites come before it, and forced
    /// variations and sticky buckets of experiments skip it.
    fn item(&mut self, item: &mut Object<'p>) -> Applies {
        let Some(condition) = item.get("condition").filter(|condition| condition.is_truthy())
        else {
            return Applies::Maybe;
        };
        match self.condition(condition) {
            Remainder::Pass => item.remove("condition"),
            Remainder::Fail => {
                item.set("condition", never());
                return Applies::Never;
            }
            Remainder::Open(condition) => item.set("condition", condition),
            Remainder::Abort => {}
        }
        Applies::Maybe
    }

    /// A leaf whose condition never passes is never the first that does.
    pub(super) fn bandit(&mut self, bandit: &mut Object<'p>) {
        let contexts = match bandit.get_mut("contexts") {
            Some(Json::Array(contexts)) => core::mem::take(contexts),
            _ => Vec::new(),
        };
        let kept = contexts.into_iter().filter_map(|context| self.leaf(context)).collect();
        bandit.set("contexts", Json::Array(kept));
    }

    fn leaf(&mut self, context: Json<'p>) -> Option<Json<'p>> {
        let Json::Object(mut leaf) = context else {
            return Some(context);
        };
        let condition = leaf.get("condition").filter(|condition| condition.is_truthy());
        match condition.map_or(Remainder::Pass, |condition| self.condition(condition)) {
            Remainder::Pass => leaf.set("condition", Json::Object(Object::default())),
            Remainder::Fail => return None,
            Remainder::Open(condition) => leaf.set("condition", condition),
            Remainder::Abort => {}
        }
        Some(Json::Object(leaf))
    }

    fn condition(&mut self, condition: &Json<'p>) -> Remainder<'p> {
        // What is wrong in the payload is told where it is compiled for evaluation.
        let mut warnings = Vec::new();
        let link = |id: &str| self.groups.index_of(id);
        let clauses =
            ConditionParser::new(Some(&link), &self.patterns, &mut warnings).condition(condition);
        let pruned = prune(&clauses, condition, self.known, self.groups);
        if matches!(pruned, Remainder::Abort) {
            self.undecidable.push(condition.clone());
        }
        pruned
    }
}

/// Whether a rule or experiment can apply to anybody.
#[derive(PartialEq, Eq)]
enum Applies {
    Maybe,
    Never,
}

/// `{"$not": {}}`
fn never() -> Json<'static> {
    let mut condition = Object::default();
    condition.set("$not", Json::Object(Object::default()));
    Json::Object(condition)
}
