//! The compiled tree of a condition: clauses, tests and literals.

use alloc::boxed::Box;
use core::{fmt, slice};

use super::eval::Outcome;
use super::groups::GroupReference;
use super::operator::Operator;
use super::path::Path;
use crate::attributes::{Node, deep_equal};
use crate::budget::{Budget, SHORT_TEXT};
use crate::json::Json;

/// The clauses of a condition object, in their order. All of them must pass.
#[derive(Clone, Debug)]
pub(crate) struct Clauses(pub(super) Box<[Clause]>);

impl Clauses {
    pub(super) fn malformed() -> Self {
        Clauses([Clause::Malformed].into())
    }

    /// Returns the expected value of a prerequisite, if the condition only compares the value with
    /// true or false.
    pub(crate) fn expected_value(&self) -> Option<bool> {
        match &*self.0 {
            [Clause::Attribute(path, ValueTest::Equals(Literal::Bool(expected)))]
                if path.is_parent_value() =>
            {
                Some(*expected)
            }
            _ => None,
        }
    }
}

/// One member of a condition object.
#[derive(Clone, Debug)]
pub(super) enum Clause {
    /// `$or`
    Or(Box<[Clauses]>),
    /// `$nor`
    Nor(Box<[Clauses]>),
    /// `$and`
    And(Box<[Clauses]>),
    /// `$not`
    Not(Clauses),
    /// `$savedGroup`
    SavedGroup(Box<GroupReference>),
    /// Always fails. `$not` makes it pass.
    Never,
    /// Fails the whole evaluation that reaches it, even under `$not`.
    Malformed,
    /// A path, and the test of the value at that path.
    Attribute(Path, ValueTest),
}

/// A test of one value.
#[derive(Clone, Debug)]
pub(super) enum ValueTest {
    /// Implicit equality with a literal.
    Equals(Literal),
    /// An operator object with one operator. Most have one.
    Operator(Operator),
    /// Any other operator object: every operator must pass.
    Operators(Box<[Operator]>),
}

impl ValueTest {
    pub(super) fn operators(&self) -> &[Operator] {
        match self {
            ValueTest::Equals(_) => &[],
            ValueTest::Operator(operator) => slice::from_ref(operator),
            ValueTest::Operators(operators) => operators,
        }
    }
}

/// A value that a condition compares with.
#[derive(Clone)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    String(Box<str>),
    /// A text that takes several steps to compare.
    LongString(Box<str>),
    /// An array or object. It is boxed, since most literals are scalars.
    Container(Box<Json<'static>>),
}

impl Literal {
    pub(super) fn new(json: &Json<'_>) -> Self {
        match json {
            Json::Null => Literal::Null,
            Json::Bool(value) => Literal::Bool(*value),
            Json::Number(number) => Literal::Number(number.as_f64()),
            Json::String(text) if text.len() > SHORT_TEXT => Literal::LongString((**text).into()),
            Json::String(text) => Literal::String((**text).into()),
            Json::Array(_) | Json::Object(_) => {
                Literal::Container(Box::new(json.clone().into_owned()))
            }
        }
    }

    /// Tests whether the literal equals the value.
    #[inline]
    pub(super) fn test(&self, actual: &Node<'_>, budget: &Budget) -> Outcome {
        match self {
            Literal::LongString(_) | Literal::Container(_) => self.test_large(actual, budget),
            scalar => scalar.is(actual).into(),
        }
    }

    /// Tests equality of a value that takes several steps to compare.
    #[inline(never)]
    fn test_large(&self, actual: &Node<'_>, budget: &Budget) -> Outcome {
        deep_equal(self.node(), *actual, budget).map_or(Outcome::Abort, Outcome::from)
    }

    /// Whether the literal equals the value. False for large literals.
    #[inline]
    pub(super) fn is(&self, actual: &Node<'_>) -> bool {
        match (self, actual) {
            (Literal::Null, Node::Null) => true,
            (Literal::Bool(a), Node::Bool(b)) => a == b,
            (Literal::Number(a), Node::Number(b)) => a == b,
            (Literal::String(a), Node::String(b)) => **a == **b,
            _ => false,
        }
    }

    #[inline]
    pub(super) fn node(&self) -> Node<'_> {
        match self {
            Literal::Null => Node::Null,
            Literal::Bool(value) => Node::Bool(*value),
            Literal::Number(number) => Node::Number(*number),
            Literal::String(text) | Literal::LongString(text) => Node::String(text),
            Literal::Container(json) => Node::from(&**json),
        }
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.node().to_value(), formatter)
    }
}
