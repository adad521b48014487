//! The saved groups that a condition refers to.

use alloc::vec::Vec;

use super::groups::GroupIndex;
use super::operator::{ElemMatch, InsensitiveTest, Operator};
use super::tree::{Clause, Clauses, ValueTest};

impl Clauses {
    /// Adds the groups that the condition refers to, with repetitions.
    pub(super) fn collect_references(&self, references: &mut Vec<GroupIndex>) {
        for clause in &self.0 {
            match clause {
                Clause::Or(branches) | Clause::Nor(branches) | Clause::And(branches) => {
                    branches.iter().for_each(|branch| branch.collect_references(references));
                }
                Clause::Not(condition) => condition.collect_references(references),
                Clause::SavedGroup(reference) => references.extend(reference.group.linked()),
                Clause::Attribute(_, test) => test.collect_references(references),
                Clause::Never | Clause::Malformed => {}
            }
        }
    }
}

impl ValueTest {
    fn collect_references(&self, references: &mut Vec<GroupIndex>) {
        for operator in self.operators() {
            match operator {
                Operator::All(tests) => {
                    tests.iter().for_each(|test| test.collect_references(references));
                }
                Operator::AllInsensitive(tests) => {
                    let tests = tests.iter().filter_map(InsensitiveTest::other);
                    tests.for_each(|test| test.collect_references(references));
                }
                Operator::Size(test) | Operator::Not(test) => test.collect_references(references),
                Operator::ElemMatch(test) => match &**test {
                    ElemMatch::Value(test) => test.collect_references(references),
                    ElemMatch::Properties(condition) => condition.collect_references(references),
                    ElemMatch::Malformed => {}
                },
                _ => {}
            }
        }
    }
}
