//! Pruning: decides the parts of a condition for a user who is known in part.
//!
//! The evaluator decides each leaf. Pruning walks the compiled tree and its JSON together, and
//! leaves the decided parts out of the JSON.

use alloc::vec::Vec;

use super::eval::{Entered, Outcome, Run, Scope, with_scope};
use super::fields::Fields;
use super::tree::{Clause, Clauses};
use super::{GroupIndex, SavedGroups};
use crate::budget::Budget;
use crate::json::{Json, Object, Text};

/// The result of pruning a condition.
pub(crate) enum Remainder<'j> {
    Pass,
    Fail,
    /// The outcome depends on unknown attributes. This is the condition without its decided parts.
    Open(Json<'j>),
    /// Pruning reached a malformed part or a limit. Evaluation fails as a whole there, so parts
    /// cannot be decided one by one.
    Abort,
}

/// Prunes a condition. `clauses` is the compiled form of `source`.
pub(crate) fn prune<'j>(
    clauses: &Clauses,
    source: &Json<'j>,
    fields: &Fields<'_>,
    groups: &SavedGroups,
) -> Remainder<'j> {
    with_scope(fields, groups, &Budget::default(), |scope| scope.prune(clauses, source))
}

/// Prunes the condition of a condition group. Aborts for other groups, and for a group that leads
/// into a cycle: its outcome depends on where evaluation enters the cycle.
pub(crate) fn prune_group<'j>(
    group: GroupIndex,
    source: &Json<'j>,
    fields: &Fields<'_>,
    groups: &SavedGroups,
) -> Remainder<'j> {
    let Some(clauses) = groups.condition(group) else {
        return Remainder::Abort;
    };
    let budget = Budget::default();
    let run = Run::new(groups, &budget);
    let entered = Entered::first(group);
    let pruned = Scope::new(fields, &run).inside(&entered).prune(clauses, source);
    if run.met_cycle.get() { Remainder::Abort } else { pruned }
}

impl Remainder<'_> {
    fn negate(self) -> Self {
        match self {
            Remainder::Pass => Remainder::Fail,
            Remainder::Fail => Remainder::Pass,
            undecided => undecided,
        }
    }
}

impl Scope<'_> {
    /// Leaves out the clauses that pass. A clause that fails decides.
    fn prune<'j>(&self, clauses: &Clauses, source: &Json<'j>) -> Remainder<'j> {
        let Some(object) = source.as_object() else {
            return Remainder::Abort;
        };
        self.deeper(|| self.prune_members(clauses, object)).unwrap_or(Remainder::Abort)
    }

    fn prune_members<'j>(&self, clauses: &Clauses, object: &Object<'j>) -> Remainder<'j> {
        let mut open: Vec<(Text<'j>, Json<'j>)> = Vec::new();
        for (clause, (key, operand)) in clauses.0.iter().zip(object.members()) {
            match self.prune_clause(clause, operand) {
                Remainder::Pass => {}
                Remainder::Open(operand) => open.push((key.clone(), operand)),
                decided @ (Remainder::Fail | Remainder::Abort) => return decided,
            }
        }
        if open.is_empty() {
            return Remainder::Pass;
        }
        Remainder::Open(Json::Object(object.subset(open)))
    }

    fn prune_clause<'j>(&self, clause: &Clause, operand: &Json<'j>) -> Remainder<'j> {
        match clause {
            Clause::Or(branches) => self.prune_or(branches, operand),
            Clause::Nor(branches) => self.prune_or(branches, operand).negate(),
            Clause::And(branches) => self.prune_branches(branches, operand, false),
            Clause::Not(condition) => self.prune(condition, operand).negate(),
            // A reference to a saved group stays if it cannot be decided.
            leaf => match self.clause(leaf) {
                Outcome::Pass => Remainder::Pass,
                Outcome::Fail => Remainder::Fail,
                Outcome::Unknown => Remainder::Open(operand.clone()),
                Outcome::Abort => Remainder::Abort,
            },
        }
    }

    fn prune_or<'j>(&self, branches: &[Clauses], operand: &Json<'j>) -> Remainder<'j> {
        if branches.is_empty() {
            return Remainder::Pass;
        }
        self.prune_branches(branches, operand, true)
    }

    /// Leaves out branches that do not matter. With `any`, one branch must pass, and those that
    /// fail are left out. Without it all must pass, and those that pass are left out.
    fn prune_branches<'j>(
        &self,
        branches: &[Clauses],
        operand: &Json<'j>,
        any: bool,
    ) -> Remainder<'j> {
        let sources = operand.as_array().unwrap_or_default();
        let mut open = Vec::new();
        for (branch, source) in branches.iter().zip(sources) {
            match self.prune(branch, source) {
                Remainder::Pass if any => return Remainder::Pass,
                Remainder::Fail if !any => return Remainder::Fail,
                Remainder::Pass | Remainder::Fail => {}
                Remainder::Open(branch) => open.push(branch),
                Remainder::Abort => return Remainder::Abort,
            }
        }
        match (open.is_empty(), any) {
            (false, _) => Remainder::Open(Json::Array(open)),
            (true, true) => Remainder::Fail,
            (true, false) => Remainder::Pass,
        }
    }
}
