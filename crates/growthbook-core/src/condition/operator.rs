//! The operators a condition applies to a value.

use alloc::boxed::Box;
use core::cmp::Ordering;

use super::eval::{Outcome, Scope};
use super::fields::Fields;
use super::groups::GroupId;
use super::members::Members;
use super::text::{compare_utf16, with_lowercase};
use super::tree::{Clauses, Literal, ValueTest};
use super::version::compare_versions;
use crate::attributes::{Kind, Node};
use crate::json::js_number_string;
use crate::pattern::Pattern;

/// An operator with its operand. What is large is boxed: most operators compare with a scalar.
#[derive(Clone, Debug)]
pub(super) enum Operator {
    /// `$eq`, and negated `$ne`
    Equal { operand: Scalar, negate: bool },
    /// `$lt $lte $gt $gte`
    Order { comparison: Comparison, operand: Scalar },
    /// `$veq $vne $vlt $vlte $vgt $vgte`
    Version { comparison: Comparison, operand: Scalar },
    /// `$exists`, and with a falsy operand negated
    Exists { negate: bool },
    /// `$type`; `None` for a name no value has
    Type(Option<Kind>),
    /// `$in`, and negated `$nin`
    In { members: Members, negate: bool },
    /// `$ini`, and negated `$nini`
    InInsensitive { members: Members, negate: bool },
    /// `$inGroup`, and negated `$notInGroup`
    InGroup { group: GroupId, negate: bool },
    /// `$regex` and `$regexi`, negated `$notRegex` and `$notRegexi`; `None` for a pattern that
    /// is none in JavaScript either
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
    /// Decided false.
    Never,
    /// An operator this SDK does not know, or a pattern it cannot run.
    Unknown,
}

/// What `$elemMatch` tests: each element itself, or each element's fields.
#[derive(Clone, Debug)]
pub(super) enum ElemMatch {
    Value(ValueTest),
    Fields(Clauses),
    Malformed,
}

/// The operand of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Literal(Literal),
    /// An array or object, which no value is identical to.
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
    /// Without an [`Ordering`] in between, which would take jumps.
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
    /// What most conditions ask for is decided here, where it is inlined.
    #[inline(always)]
    pub(super) fn eval(&self, scope: &Scope<'_>, actual: &Node<'_>) -> Outcome {
        match self {
            Operator::Equal { operand, negate } => (identical(actual, operand) != *negate).into(),
            Operator::Order { comparison, operand } => ordered(actual, *comparison, operand).into(),
            Operator::In { members, negate } => (members.contains(actual) != *negate).into(),
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
            Operator::InInsensitive { members, negate } => {
                (members.contains_lowercase(actual) != *negate).into()
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

    /// The operators that have tests in them, one level down.
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

/// JavaScript's `===`: primitives of one type and value.
#[inline]
fn identical(actual: &Node<'_>, operand: &Scalar) -> bool {
    match operand {
        Scalar::Literal(Literal::Container(_)) | Scalar::Container => false,
        Scalar::Literal(literal) => literal.is(actual),
    }
}

/// Two numbers, or two strings by UTF-16 code units; nothing else is ordered.
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

/// Two strings, or two numbers by their text; anything else differs.
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

/// Every test must pass for some element.
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

/// Like [`Scope::element`], but strings equal one another without regard to case.
fn value_insensitive(scope: &Scope<'_>, test: &ValueTest, actual: &Node<'_>) -> Outcome {
    if let (ValueTest::Equals(Literal::String(expected)), Node::String(actual)) = (test, actual) {
        return with_lowercase(expected, |a| with_lowercase(actual, |b| a == b)).into();
    }
    scope.element(test, actual)
}

/// Some element that is not null must pass.
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
        ElemMatch::Fields(condition) => {
            let fields = Fields::Properties(element);
            scope.with_fields(&fields).condition(condition)
        }
        ElemMatch::Malformed => Outcome::Abort,
    }))
}
