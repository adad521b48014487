//! The operators of conditions, such as `$gt`.

use alloc::boxed::Box;
use core::cmp::Ordering;

use super::eval::{Outcome, Scope};
use super::fields::Fields;
use super::groups::GroupId;
use super::text::{compare_utf16, with_lowercase};
use super::tree::{Clauses, Literal, ValueTest};
use super::value_set::ValueSet;
use super::version::compare_versions;
use crate::attributes::{Kind, Node};
use crate::json::js_number_string;
use crate::pattern::Pattern;

/// An operator with its operand. Large operands are boxed, since most operators compare with a
/// scalar.
#[derive(Clone, Debug)]
pub(super) enum Operator {
    /// `$eq`, and negated `$ne`
    Equal { operand: Scalar, negate: bool },
    /// `$lt $lte $gt $gte`
    Order { comparison: Comparison, operand: Scalar },
    /// `$veq $vne $vlt $vlte $vgt $vgte`
    Version { comparison: Comparison, operand: Scalar },
    /// `$exists`, negated if the operand is falsy
    Exists { negate: bool },
    /// `$type`; `None` for the name of an unknown type
    Type(Option<Kind>),
    /// `$in`, and negated `$nin`
    In { values: ValueSet, negate: bool },
    /// `$ini`, and negated `$nini`
    InInsensitive { values: ValueSet, negate: bool },
    /// `$inGroup`, and negated `$notInGroup`
    InGroup { group: GroupId, negate: bool },
    /// `$regex` and `$regexi`, negated `$notRegex` and `$notRegexi`; `None` for a pattern that
    /// JavaScript rejects, too
    Regex { pattern: Option<Pattern>, negate: bool },
    /// `$all`
    All(Box<[ValueTest]>),
    /// `$alli`
    AllInsensitive(Box<[ValueTest]>),
    /// `$size`
    Size(Box<ValueTest>),
    /// `$elemMatch`
    ElemMatch(Box<ElemMatch>),
    /// `$not`
    Not(Box<ValueTest>),
    /// Always fails.
    Never,
    /// An operator that this SDK does not know, or a pattern that it cannot run.
    Unknown,
}

/// The test of `$elemMatch`: of each element itself, or of each element's properties.
#[derive(Clone, Debug)]
pub(super) enum ElemMatch {
    Value(ValueTest),
    Properties(Clauses),
    Malformed,
}

/// The operand of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Literal(Literal),
    /// An array or object. `===` is false for every value.
    Container,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Compares numbers directly. An [`Ordering`] would add branches.
    #[inline]
    fn holds_for(self, a: f64, b: f64) -> bool {
        match self {
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
        }
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Operator {
    /// Evaluates the operator. The most frequent operators are inlined.
    #[inline(always)]
    pub(super) fn eval(&self, scope: &Scope<'_>, actual: &Node<'_>) -> Outcome {
        match self {
            Operator::Equal { operand, negate } => (identical(actual, operand) != *negate).into(),
            Operator::Order { comparison, operand } => ordered(actual, *comparison, operand).into(),
            Operator::In { values, negate } => (values.contains(actual) != *negate).into(),
            _ => self.eval_other(scope, actual),
        }
    }

    #[inline(never)]
    fn eval_other(&self, scope: &Scope<'_>, actual: &Node<'_>) -> Outcome {
        match self {
            Operator::Version { comparison, operand } => {
                version_ordered(actual, *comparison, operand).into()
            }
            Operator::Exists { negate } => (matches!(actual, Node::Null) == *negate).into(),
            Operator::Type(kind) => (Some(actual.kind()) == *kind).into(),
            Operator::InInsensitive { values, negate } => {
                (values.contains_lowercase(actual) != *negate).into()
            }
            Operator::InGroup { group, negate } => group.eval(scope, actual, *negate),
            Operator::Regex { pattern, negate } => (regex(actual, pattern) != *negate).into(),
            Operator::Equal { .. } | Operator::Order { .. } | Operator::In { .. } => {
                self.eval(scope, actual)
            }
            Operator::All(_)
            | Operator::AllInsensitive(_)
            | Operator::Size(_)
            | Operator::ElemMatch(_)
            | Operator::Not(_) => scope.nested(|| self.eval_tests(scope, actual)),
            Operator::Never => Outcome::Fail,
            Operator::Unknown => Outcome::Unknown,
        }
    }

    /// Evaluates an operator that contains tests.
    fn eval_tests(&self, scope: &Scope<'_>, actual: &Node<'_>) -> Outcome {
        match self {
            Operator::All(tests) => all(scope, actual, tests, Scope::element),
            Operator::AllInsensitive(tests) => all(scope, actual, tests, value_insensitive),
            Operator::Size(test) => match actual.items() {
                Some(items) => scope.value(test, &Node::Number(items.len() as f64)),
                None => Outcome::Fail,
            },
            Operator::ElemMatch(test) => elem_match(scope, actual, test),
            Operator::Not(test) => scope.value(test, actual).negate(),
            _ => Outcome::Unknown,
        }
    }
}

/// Compares like JavaScript's `===`: the same primitive type and value.
#[inline]
fn identical(actual: &Node<'_>, operand: &Scalar) -> bool {
    match operand {
        Scalar::Literal(Literal::Container(_)) | Scalar::Container => false,
        Scalar::Literal(literal) => literal.is(actual),
    }
}

/// Compares two numbers, or two strings by UTF-16 code units. False for all other values.
#[inline]
fn ordered(actual: &Node<'_>, comparison: Comparison, operand: &Scalar) -> bool {
    match (actual, operand) {
        (Node::Number(a), Scalar::Literal(Literal::Number(b))) => comparison.holds_for(*a, *b),
        (Node::String(a), Scalar::Literal(Literal::String(b))) => {
            comparison.holds(compare_utf16(a, b))
        }
        _ => false,
    }
}

/// Compares the versions in two strings, or in the texts of two numbers. All other values differ.
fn version_ordered(actual: &Node<'_>, comparison: Comparison, operand: &Scalar) -> bool {
    match (actual, operand) {
        (Node::String(a), Scalar::Literal(Literal::String(b))) => {
            comparison.holds(compare_versions(a, b))
        }
        (Node::Number(a), Scalar::Literal(Literal::Number(b))) => js_number_string(*a, |a| {
            js_number_string(*b, |b| comparison.holds(compare_versions(a, b)))
        }),
        _ => matches!(comparison, Comparison::NotEqual),
    }
}

fn regex(actual: &Node<'_>, pattern: &Option<Pattern>) -> bool {
    match (actual, pattern) {
        (Node::String(text), Some(pattern)) => pattern.is_match(text),
        _ => false,
    }
}

/// Evaluates `$all`: each test must pass for at least one element.
fn all<'s>(
    scope: &Scope<'s>,
    actual: &Node<'_>,
    tests: &[ValueTest],
    element: impl Fn(&Scope<'s>, &ValueTest, &Node<'_>) -> Outcome,
) -> Outcome {
    let Some(items) = actual.items() else {
        return Outcome::Fail;
    };
    Outcome::all(
        tests
            .iter()
            .map(|test| Outcome::any(items.clone().map(|item| element(scope, test, &item)))),
    )
}

/// Like [`Scope::element`], but compares strings without regard to case.
fn value_insensitive(scope: &Scope<'_>, test: &ValueTest, actual: &Node<'_>) -> Outcome {
    if let (ValueTest::Equals(Literal::String(expected)), Node::String(actual)) = (test, actual) {
        return with_lowercase(expected, |a| with_lowercase(actual, |b| a == b)).into();
    }
    scope.element(test, actual)
}

/// Evaluates `$elemMatch`: at least one element that is not null must pass.
fn elem_match(scope: &Scope<'_>, actual: &Node<'_>, test: &ElemMatch) -> Outcome {
    let Some(items) = actual.items() else {
        return Outcome::Fail;
    };
    if matches!(test, ElemMatch::Malformed) {
        return Outcome::Abort;
    }
    let elements = items.filter(|node| !matches!(node, Node::Null));
    Outcome::any(elements.map(|element| match test {
        ElemMatch::Value(test) => scope.element(test, &element),
        ElemMatch::Properties(condition) => {
            let fields = Fields::Properties(element);
            scope.with_fields(&fields).condition(condition)
        }
        ElemMatch::Malformed => Outcome::Abort,
    }))
}
