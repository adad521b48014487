//! Walking a compiled condition. Results are three-valued: an operator or saved group of a kind
//! this SDK does not know leaves the answer open, and an open answer does not pass.

use core::cell::Cell;

use super::SavedGroups;
use super::fields::Fields;
use super::groups::GroupIndex;
use super::path::Path;
use super::tree::{Clause, Clauses, ValueTest};
use crate::attributes::{AttributeLookup, Node};
use crate::limits::{
    MAX_CONDITION_DEPTH, MAX_CONDITION_PARTS, MAX_SAVED_GROUP_DEPTH, MAX_SAVED_GROUP_EVALUATIONS,
};
use crate::tag::Name;

/// A clause counts with its test.
const CLAUSE_PARTS: usize = 2;

/// What the conditions of one evaluation may still look at. Shared by all of them: a payload can
/// have many, and each can be large.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    parts: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { parts: Cell::new(MAX_CONDITION_PARTS) }
    }
}

impl Budget {
    /// Takes parts off; false when there are not so many left.
    #[inline]
    fn take(&self, parts: usize) -> bool {
        match self.parts.get().checked_sub(parts) {
            Some(left) => {
                self.parts.set(left);
                true
            }
            None => false,
        }
    }

    #[inline(never)]
    fn give_back(&self, parts: usize) {
        self.parts.set(self.parts.get() + parts);
    }
}

/// Whether the condition passes.
#[inline]
pub(crate) fn passes(
    clauses: &Clauses,
    fields: &Fields<'_>,
    groups: &SavedGroups,
    budget: &Budget,
) -> bool {
    let run = Run::new(groups, budget);
    Scope::new(fields, &run).condition(clauses) == Outcome::Pass
}

/// Starts an evaluation.
pub(super) fn with_scope<R>(
    fields: &Fields<'_>,
    groups: &SavedGroups,
    evaluate: impl FnOnce(&Scope<'_>) -> R,
) -> R {
    let budget = Budget::default();
    let run = Run::new(groups, &budget);
    evaluate(&Scope::new(fields, &run))
}

/// The answer of a condition or a part of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Pass,
    Fail,
    /// It depends on an operator or a saved group of a kind this SDK does not know, or on a
    /// field nobody knows.
    Unknown,
    /// A malformed part was reached, or a limit: the whole evaluation fails.
    Abort,
}

impl Outcome {
    pub(super) fn negate(self) -> Self {
        match self {
            Outcome::Pass => Outcome::Fail,
            Outcome::Fail => Outcome::Pass,
            open => open,
        }
    }

    /// AND: a failure decides, wherever an open answer stands.
    #[inline]
    pub(super) fn all(outcomes: impl Iterator<Item = Self>) -> Self {
        Outcome::first_but(Outcome::Pass, outcomes)
    }

    /// OR: a pass decides, wherever an open answer stands.
    #[inline]
    pub(super) fn any(outcomes: impl Iterator<Item = Self>) -> Self {
        Outcome::first_but(Outcome::Fail, outcomes)
    }

    /// The first outcome that decides; else this one, or an open one if there was any.
    #[inline]
    fn first_but(neutral: Self, outcomes: impl Iterator<Item = Self>) -> Self {
        let mut result = neutral;
        for outcome in outcomes {
            if outcome == neutral {
                continue;
            }
            if outcome != Outcome::Unknown {
                return outcome;
            }
            result = Outcome::Unknown;
        }
        result
    }
}

impl From<bool> for Outcome {
    #[inline]
    fn from(passes: bool) -> Self {
        if passes { Outcome::Pass } else { Outcome::Fail }
    }
}

/// Where an evaluation stands: what it tests, and how it came here.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) run: &'a Run<'a>,
    entered: Option<&'a Entered<'a>>,
}

/// What is the same throughout an evaluation, and what it went through, counted over all its
/// branches.
pub(super) struct Run<'a> {
    pub(super) groups: &'a SavedGroups,
    budget: &'a Budget,
    /// How many levels down evaluation is.
    depth: Cell<u32>,
    group_evaluations: Cell<u32>,
    /// Whether a condition group turned up inside itself.
    pub(super) met_cycle: Cell<bool>,
}

impl<'a> Run<'a> {
    pub(super) fn new(groups: &'a SavedGroups, budget: &'a Budget) -> Self {
        Run {
            groups,
            budget,
            depth: Cell::new(0),
            group_evaluations: Cell::new(0),
            met_cycle: Cell::new(false),
        }
    }
}

/// The condition groups entered on the way here, innermost first.
pub(super) struct Entered<'a> {
    group: GroupIndex,
    outer: Option<&'a Entered<'a>>,
    depth: u32,
}

impl Entered<'_> {
    pub(super) fn first(group: GroupIndex) -> Self {
        Entered { group, outer: None, depth: 1 }
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(fields: &'a Fields<'a>, run: &'a Run<'a>) -> Self {
        Scope { fields, run, entered: None }
    }

    /// Evaluates one level further down; `None` at the limit.
    #[inline]
    pub(super) fn deeper<R>(&self, evaluate: impl FnOnce() -> R) -> Option<R> {
        let depth = self.run.depth.get();
        if depth >= MAX_CONDITION_DEPTH {
            return None;
        }
        self.run.depth.set(depth + 1);
        let result = evaluate();
        self.run.depth.set(depth);
        Some(result)
    }

    /// Every entry must pass.
    #[inline(never)]
    pub(super) fn condition(&self, clauses: &Clauses) -> Outcome {
        if !self.run.budget.take(1 + CLAUSE_PARTS * clauses.0.len()) {
            return Outcome::Abort;
        }
        self.deeper(|| self.clauses(&clauses.0)).unwrap_or(Outcome::Abort)
    }

    /// Every one of them must pass: [`Outcome::all`], which gives back to the budget what it does
    /// not come to.
    #[inline]
    fn clauses(&self, clauses: &[Clause]) -> Outcome {
        let mut result = Outcome::Pass;
        let mut rest = clauses.iter();
        while let Some(clause) = rest.next() {
            let outcome = self.clause(clause);
            if outcome == Outcome::Pass {
                continue;
            }
            if outcome != Outcome::Unknown {
                // Most conditions have one clause, or fail at the last.
                if !rest.as_slice().is_empty() {
                    self.run.budget.give_back(CLAUSE_PARTS * rest.len());
                }
                return outcome;
            }
            result = Outcome::Unknown;
        }
        result
    }

    /// What most conditions test is decided in place. It is passed on by reference from where it
    /// is put together: copying it right after that would stall the processor.
    #[inline(always)]
    pub(super) fn clause(&self, clause: &Clause) -> Outcome {
        let Clause::Attribute(path, test) = clause else {
            return self.compound(clause);
        };
        match (self.fields, path) {
            (Fields::Attributes(attributes), Path::Short(name)) if attributes.are_built() => {
                let actual = match attributes.built_short(*name) {
                    Some(actual) => actual.node(),
                    None => Node::Null,
                };
                self.value_inline(test, &actual)
            }
            _ => self.attribute(path, test),
        }
    }

    /// Tests what lies at any path, in anything.
    #[inline(never)]
    fn attribute(&self, path: &Path, test: &ValueTest) -> Outcome {
        match (self.fields, path) {
            (Fields::Attributes(attributes), Path::Short(name)) => {
                name.with_name(|name| self.named_attribute(attributes, name, test))
            }
            (Fields::Attributes(attributes), Path::Long(path)) if path.is_one_name() => {
                let name = Name { text: &path.text, tag: path.first };
                self.named_attribute(attributes, name, test)
            }
            (Fields::ParentValue(value), path) if path.is_parent_value() => self.value(test, value),
            _ => match path.resolve(self.fields) {
                Some(actual) => self.value(test, &actual),
                None if test.may_abort() => Outcome::Abort,
                None => Outcome::Unknown,
            },
        }
    }

    /// Tests an attribute wherever it may be, and where it was found.
    fn named_attribute(
        &self,
        attributes: &AttributeLookup<'_>,
        name: Name<'_>,
        test: &ValueTest,
    ) -> Outcome {
        let sourced = attributes.sourced(name.text);
        if let Some(actual) = &sourced {
            return self.value(test, &actual.node());
        }
        match attributes.built(name) {
            Some(actual) => self.value(test, &actual.node()),
            None => self.value(test, &Node::Null),
        }
    }

    /// A clause of conditions, and whatever else tests no attribute.
    #[inline(never)]
    fn compound(&self, clause: &Clause) -> Outcome {
        match clause {
            Clause::Or(branches) => self.or(branches),
            Clause::Nor(branches) => self.or(branches).negate(),
            Clause::And(branches) => {
                Outcome::all(branches.iter().map(|branch| self.condition(branch)))
            }
            Clause::Not(condition) => self.condition(condition).negate(),
            Clause::SavedGroup(reference) => reference.eval(self),
            Clause::Attribute(path, test) => self.attribute(path, test),
            Clause::Never => Outcome::Fail,
            Clause::Malformed => Outcome::Abort,
        }
    }

    /// An empty `$or` passes.
    fn or(&self, branches: &[Clauses]) -> Outcome {
        if branches.is_empty() {
            return Outcome::Pass;
        }
        Outcome::any(branches.iter().map(|branch| self.condition(branch)))
    }

    pub(super) fn value(&self, test: &ValueTest, actual: &Node<'_>) -> Outcome {
        self.value_inline(test, actual)
    }

    #[inline(always)]
    fn value_inline(&self, test: &ValueTest, actual: &Node<'_>) -> Outcome {
        match test {
            ValueTest::Equals(literal) => literal.is(actual).into(),
            ValueTest::Operator(operator) => operator.eval(self, actual),
            ValueTest::Operators(operators) => {
                Outcome::all(operators.iter().map(|operator| operator.eval(self, actual)))
            }
        }
    }

    /// Evaluates a test inside of a test.
    #[inline]
    pub(super) fn nested(&self, evaluate: impl FnOnce() -> Outcome) -> Outcome {
        if !self.run.budget.take(1) {
            return Outcome::Abort;
        }
        self.deeper(evaluate).unwrap_or(Outcome::Abort)
    }

    /// Tests an element of a list, of which there may be many.
    pub(super) fn element(&self, test: &ValueTest, actual: &Node<'_>) -> Outcome {
        if self.run.budget.take(1) { self.value(test, actual) } else { Outcome::Abort }
    }

    /// Tests something else than this scope does, with the same groups and limits.
    pub(super) fn with_fields<'b>(&'b self, fields: &'b Fields<'b>) -> Scope<'b> {
        Scope { fields, ..*self }
    }

    /// The same, inside a condition group.
    pub(super) fn inside<'b>(&'b self, entered: &'b Entered<'b>) -> Scope<'b> {
        Scope { entered: Some(entered), ..*self }
    }

    /// Evaluates a condition group. Fails on a cycle, which is a matter of this branch alone.
    pub(super) fn enter_group(&self, group: GroupIndex, condition: &Clauses) -> Outcome {
        let depth = self.entered.map_or(0, |entered| entered.depth);
        let mut outer = self.entered;
        while let Some(entered) = outer {
            if entered.group == group {
                self.run.met_cycle.set(true);
                return Outcome::Fail;
            }
            outer = entered.outer;
        }
        let evaluations = self.run.group_evaluations.get();
        if depth >= MAX_SAVED_GROUP_DEPTH || evaluations >= MAX_SAVED_GROUP_EVALUATIONS {
            return Outcome::Abort;
        }
        self.run.group_evaluations.set(evaluations + 1);
        let entered = Entered { group, outer: self.entered, depth: depth + 1 };
        self.inside(&entered).condition(condition)
    }
}
