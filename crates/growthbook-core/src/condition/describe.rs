//! Descriptions of conditions: the part that did not pass, and its test in words.

use alloc::{format, string::String, vec::Vec};

use super::eval::{Outcome, Scope};
use super::groups::GroupId;
use super::operator::{Comparison, ElemMatch, Operator, Scalar};
use super::tree::{Clause, Clauses, ValueTest};
use super::{Fields, SavedGroups};
use crate::attributes::{Kind, Node};
use crate::budget::{Budget, text_steps};
use crate::trace::{ClauseOutcome, ClauseTrace};

/// Returns the first clause that makes a condition fail. `None` if the condition passes.
pub(crate) fn explain_failure(
    clauses: &Clauses,
    fields: &Fields<'_>,
    groups: &SavedGroups,
    budget: &Budget,
) -> Option<ClauseTrace> {
    super::eval::with_scope(fields, groups, budget, |scope| scope.failure(clauses))
}

impl Scope<'_> {
    fn failure(&self, clauses: &Clauses) -> Option<ClauseTrace> {
        self.deeper(|| self.failed_clause(clauses)).flatten()
    }

    fn failed_clause(&self, clauses: &Clauses) -> Option<ClauseTrace> {
        let mut unknown = None;
        for clause in &clauses.0 {
            match self.clause(clause) {
                Outcome::Pass => {}
                Outcome::Unknown => {
                    unknown =
                        unknown.or_else(|| Some(self.describe(clause, ClauseOutcome::Unknown)));
                }
                Outcome::Fail => return Some(self.describe(clause, ClauseOutcome::Failed)),
                Outcome::Abort => return Some(self.describe(clause, ClauseOutcome::Malformed)),
            }
        }
        unknown
    }

    /// Describes a clause. The text of long tests and values counts, since a clause may be
    /// described many times.
    fn describe(&self, clause: &Clause, outcome: ClauseOutcome) -> ClauseTrace {
        let budget = self.run.budget;
        let failures = |branches: &[Clauses]| -> Vec<ClauseTrace> {
            branches.iter().filter_map(|branch| self.failure(branch)).collect()
        };
        let trace = |path: &str, test: &str, inner| ClauseTrace {
            path: path.into(),
            test: test.into(),
            actual: None,
            outcome,
            inner,
        };
        match clause {
            Clause::Attribute(path, test) => {
                let actual = path.resolve(self.fields, budget).unwrap_or(Node::Null);
                let can_show = budget.take(1) && can_show(&actual, budget);
                let path: String = path.with_text(|path| path.into());
                let test =
                    if can_show { self.describe_test(test, &actual) } else { TOO_LONG.into() };
                budget.spend(text_steps(path.len() + test.len()));
                ClauseTrace {
                    path,
                    test,
                    actual: can_show.then(|| actual.to_value()),
                    outcome,
                    inner: Vec::new(),
                }
            }
            Clause::Or(branches) => trace("$or", "must pass in some part", failures(branches)),
            Clause::And(branches) => trace(
                "$and",
                "must pass in every part",
                failures(branches).into_iter().take(1).collect(),
            ),
            Clause::Nor(_) => trace("$nor", "must pass in no part", Vec::new()),
            Clause::Not(_) => trace("$not", "must not pass", Vec::new()),
            Clause::SavedGroup(reference) => {
                let group = reference.group.describe(self.run.groups);
                trace("$savedGroup", &format!("must be in {group:?}"), Vec::new())
            }
            Clause::Never => trace("condition", "can never pass", Vec::new()),
            Clause::Malformed => trace("condition", "must be an object", Vec::new()),
        }
    }

    /// Describes a test. For an operator object, describes the first operator that does not pass.
    fn describe_test(&self, test: &ValueTest, actual: &Node<'_>) -> String {
        match test {
            ValueTest::Equals(literal) => format!("must be {}", literal.node().to_value()),
            ValueTest::Operator(_) | ValueTest::Operators(_) => test
                .operators()
                .iter()
                .find(|operator| operator.eval(self, actual) != Outcome::Pass)
                .map_or_else(String::new, |operator| {
                    format!("must pass {}", operator.describe(self))
                }),
        }
    }
}

/// The description of a test when the budget is spent.
const TOO_LONG: &str = "is not described, since the explanation is too long";

/// Whether the budget allows copying a value.
fn can_show(value: &Node<'_>, budget: &Budget) -> bool {
    /// An object in a type of the caller, whose size is not known.
    const SOURCE_STEPS: usize = 100;
    match value {
        Node::Source(_) => budget.take(SOURCE_STEPS),
        Node::Object(object) => object.iter().all(|(name, value)| {
            budget.take(1 + text_steps(name.len())) && can_show(&Node::from(value), budget)
        }),
        Node::String(text) => budget.take_text(text.len()),
        value => value
            .items()
            .is_none_or(|mut items| items.all(|item| budget.take(1) && can_show(&item, budget))),
    }
}

impl GroupId {
    fn describe(&self, groups: &SavedGroups) -> String {
        match self {
            GroupId::Named(id) => String::from(&**id),
            GroupId::Linked(index) => String::from(groups.id(*index)),
        }
    }
}

impl Operator {
    fn describe(&self, scope: &Scope<'_>) -> String {
        let pick = |negate: bool, plain: &'static str, negated: &'static str| {
            if negate { negated } else { plain }
        };
        match self {
            Operator::Equal { operand, negate } => {
                format!("{} {}", pick(*negate, "$eq", "$ne"), operand.describe())
            }
            Operator::EqualLong { operand, negate } => {
                let operand = operand.node().to_value();
                format!("{} {operand}", pick(*negate, "$eq", "$ne"))
            }
            Operator::Order { comparison, operand } => {
                format!("${} {}", comparison.name(), operand.describe())
            }
            Operator::Version { comparison, operand } => {
                format!("$v{} {}", comparison.name(), operand.describe())
            }
            Operator::Exists { negate } => format!("$exists {}", !negate),
            Operator::Type(kind) => format!("$type {}", kind.map_or("unknown", Kind::name)),
            Operator::In { values, negate } => {
                format!("{} {} values", pick(*negate, "$in", "$nin"), values.len())
            }
            Operator::InInsensitive { values, negate } => {
                format!("{} {} values", pick(*negate, "$ini", "$nini"), values.len())
            }
            Operator::InGroup { group, negate } => {
                let name = pick(*negate, "$inGroup", "$notInGroup");
                format!("{name} {:?}", group.describe(scope.run.groups))
            }
            Operator::Regex { pattern, negate } => {
                let name = pick(*negate, "$regex", "$notRegex");
                match pattern {
                    Some(pattern) => format!("{name} /{}/", pattern.source()),
                    None => format!("{name} (a pattern that cannot be run)"),
                }
            }
            Operator::All(tests) => format!("$all of {} values", tests.len()),
            Operator::AllInsensitive(tests) => format!("$alli of {} values", tests.len()),
            Operator::Size(test) => format!("$size {}", test.describe(scope)),
            Operator::ElemMatch(test) => match &**test {
                ElemMatch::Value(test) => format!("$elemMatch {}", test.describe(scope)),
                _ => "$elemMatch a condition".into(),
            },
            Operator::Not(test) => format!("$not {}", test.describe(scope)),
            Operator::Never => "something that never matches".into(),
            Operator::Unknown => "an operator or pattern".into(),
        }
    }
}

impl ValueTest {
    fn describe(&self, scope: &Scope<'_>) -> String {
        match self {
            ValueTest::Equals(literal) => format!("{}", literal.node().to_value()),
            ValueTest::Operator(_) | ValueTest::Operators(_) => {
                let operators = self.operators().iter();
                let parts: Vec<String> = operators.map(|it| it.describe(scope)).collect();
                format!("({})", parts.join(", "))
            }
        }
    }
}

impl Scalar {
    fn describe(&self) -> String {
        match self {
            Scalar::Literal(literal) => format!("{}", literal.node().to_value()),
            Scalar::Container => "a list or object".into(),
        }
    }
}

impl Comparison {
    fn name(self) -> &'static str {
        match self {
            Comparison::Equal => "eq",
            Comparison::NotEqual => "ne",
            Comparison::Less => "lt",
            Comparison::LessOrEqual => "lte",
            Comparison::Greater => "gt",
            Comparison::GreaterOrEqual => "gte",
        }
    }
}
