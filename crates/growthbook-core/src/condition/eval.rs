//! Evaluation of a compiled condition.
//!
//! The outcome may be unknown: an operator or saved group may be of a kind that this SDK does not
//! know. A condition with an unknown outcome does not pass.

use core::cell::Cell;

use super::SavedGroups;
use super::fields::Fields;
use super::groups::GroupIndex;
use super::path::Path;
use super::tree::{Clause, Clauses, ValueTest};
use crate::attributes::{AttributeLookup, Node};
use crate::budget::{Budget, ITEMS_PER_STEP};
use crate::limits::{MAX_CONDITION_DEPTH, MAX_SAVED_GROUP_DEPTH, MAX_SAVED_GROUP_EVALUATIONS};
use crate::tag::Name;

/// A clause and its test count as two steps.
const CLAUSE_STEPS: usize = 2;

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

/// Calls `evaluate` with a new scope.
pub(super) fn with_scope<R>(
    fields: &Fields<'_>,
    groups: &SavedGroups,
    budget: &Budget,
    evaluate: impl FnOnce(&Scope<'_>) -> R,
) -> R {
    let run = Run::new(groups, budget);
    evaluate(&Scope::new(fields, &run))
}

/// The outcome of a condition or a part of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Pass,
    Fail,
    /// The outcome depends on an operator or saved group that this SDK does not know, or on an
    /// attribute that is unknown.
    Unknown,
    /// Evaluation reached a malformed part or a limit. The whole evaluation fails.
    Abort,
}

impl Outcome {
    pub(super) fn negate(self) -> Self {
        match self {
            Outcome::Pass => Outcome::Fail,
            Outcome::Fail => Outcome::Pass,
            undecided => undecided,
        }
    }

    /// Negates the outcome of an operator that has a negated form.
    #[inline]
    pub(super) fn negate_if(self, negate: bool) -> Self {
        if negate { self.negate() } else { self }
    }

    /// Combines with AND. A failure decides, even after an unknown outcome.
    #[inline]
    pub(super) fn all(outcomes: impl Iterator<Item = Self>) -> Self {
        Outcome::first_decisive(Outcome::Pass, outcomes)
    }

    /// Combines with OR. A pass decides, even after an unknown outcome.
    #[inline]
    pub(super) fn any(outcomes: impl Iterator<Item = Self>) -> Self {
        Outcome::first_decisive(Outcome::Fail, outcomes)
    }

    /// Returns the first outcome that decides. Without one, returns unknown if any outcome is
    /// unknown, else `neutral`.
    #[inline]
    fn first_decisive(neutral: Self, outcomes: impl Iterator<Item = Self>) -> Self {
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

/// The state of an evaluation at one place of the tree: the values it tests, and the groups around
/// it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) run: &'a Run<'a>,
    entered: Option<&'a Entered<'a>>,
}

/// The state that all branches of an evaluation share.
pub(super) struct Run<'a> {
    pub(super) groups: &'a SavedGroups,
    pub(super) budget: &'a Budget,
    /// The current level of nesting.
    depth: Cell<u32>,
    group_evaluations: Cell<u32>,
    /// Whether a condition group refers to itself, directly or through others.
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

/// The condition groups around the current place, innermost first.
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

    /// Evaluates one level deeper. `None` at the limit.
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

    /// Evaluates a condition. Every clause must pass.
    #[inline(never)]
    pub(super) fn condition(&self, clauses: &Clauses) -> Outcome {
        if !self.run.budget.take(1 + CLAUSE_STEPS * clauses.0.len()) {
            return Outcome::Abort;
        }
        self.deeper(|| self.clauses(&clauses.0)).unwrap_or(Outcome::Abort)
    }

    /// Like [`Outcome::all`]. It also returns the clauses that it does not reach to the budget.
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
                // Usually nothing is left: most conditions have one clause, or fail at the last.
                if !rest.as_slice().is_empty() {
                    self.run.budget.give_back(CLAUSE_STEPS * rest.len());
                }
                return outcome;
            }
            result = Outcome::Unknown;
        }
        result
    }

    /// Evaluates a clause. The usual one, a short name among built attributes, is inlined. Its
    /// value is passed by reference, since a copy right after the value is made stalls the
    /// processor.
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

    /// Tests the value at any path.
    #[inline(never)]
    fn attribute(&self, path: &Path, test: &ValueTest) -> Outcome {
        match (self.fields, path) {
            (Fields::Attributes(attributes), Path::Short(name)) => {
                name.with_name(|name| self.named_attribute(attributes, name, test))
            }
            (Fields::Attributes(attributes), Path::Long(path)) if path.is_one_name() => {
                if !self.run.budget.take_text(path.text.len()) {
                    return Outcome::Abort;
                }
                let name = Name { text: &path.text, tag: path.first };
                self.named_attribute(attributes, name, test)
            }
            (Fields::ParentValue(value), path) if path.is_parent_value() => self.value(test, value),
            _ => match path.resolve(self.fields, self.run.budget) {
                Ok(actual) => self.value(test, &actual),
                Err(Outcome::Unknown) if test.may_abort() => Outcome::Abort,
                Err(outcome) => outcome,
            },
        }
    }

    /// Tests an attribute from any place where attributes are looked up.
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

    /// Evaluates any other clause than a test of an attribute.
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

    /// Evaluates `$or`. An empty list passes.
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
            ValueTest::Equals(literal) => literal.test(actual, self.run.budget),
            ValueTest::Operator(operator) => operator.eval(self, actual),
            ValueTest::Operators(operators) => {
                Outcome::all(operators.iter().map(|operator| operator.eval(self, actual)))
            }
        }
    }

    /// Evaluates a test inside another test.
    #[inline]
    pub(super) fn nested(&self, evaluate: impl FnOnce() -> Outcome) -> Outcome {
        if !self.run.budget.take(1) {
            return Outcome::Abort;
        }
        self.deeper(evaluate).unwrap_or(Outcome::Abort)
    }

    /// Tests an element of a list. It counts, since a list may be long.
    pub(super) fn element(&self, test: &ValueTest, actual: &Node<'_>) -> Outcome {
        if self.run.budget.take(1) { self.value(test, actual) } else { Outcome::Abort }
    }

    /// Returns a scope that tests other values, with the same groups and limits.
    pub(super) fn with_fields<'b>(&'b self, fields: &'b Fields<'b>) -> Scope<'b> {
        Scope { fields, ..*self }
    }

    /// Returns a scope inside a condition group.
    pub(super) fn inside<'b>(&'b self, entered: &'b Entered<'b>) -> Scope<'b> {
        Scope { entered: Some(entered), ..*self }
    }

    /// Evaluates a condition group. A cycle fails, but does not abort the other branches.
    pub(super) fn enter_group(&self, group: GroupIndex, condition: &Clauses) -> Outcome {
        let depth = self.entered.map_or(0, |entered| entered.depth);
        if !self.run.budget.take(depth as usize / ITEMS_PER_STEP) {
            return Outcome::Abort;
        }
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
