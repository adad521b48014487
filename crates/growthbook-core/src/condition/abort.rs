//! Whether the evaluation of a condition can abort.

use super::operator::{ElemMatch, InsensitiveTest, Operator};
use super::tree::{Clause, Clauses, ValueTest};

impl ValueTest {
    /// Whether the evaluation can abort, for some value. A saved group inside the test may do so.
    pub(super) fn may_abort(&self) -> bool {
        self.operators().iter().any(|operator| match operator {
            Operator::All(tests) => tests.iter().any(ValueTest::may_abort),
            Operator::AllInsensitive(tests) => {
                tests.iter().filter_map(InsensitiveTest::other).any(ValueTest::may_abort)
            }
            Operator::Size(test) | Operator::Not(test) => test.may_abort(),
            Operator::ElemMatch(test) => match &**test {
                ElemMatch::Value(test) => test.may_abort(),
                ElemMatch::Properties(condition) => condition.may_abort(),
                ElemMatch::Malformed => true,
            },
            _ => false,
        })
    }
}

impl Clauses {
    /// Whether the evaluation can abort, for some user.
    fn may_abort(&self) -> bool {
        self.0.iter().any(|clause| match clause {
            Clause::Or(branches) | Clause::Nor(branches) | Clause::And(branches) => {
                branches.iter().any(Clauses::may_abort)
            }
            Clause::Not(condition) => condition.may_abort(),
            Clause::Attribute(_, test) => test.may_abort(),
            Clause::SavedGroup(_) | Clause::Malformed => true,
            Clause::Never => false,
        })
    }
}
