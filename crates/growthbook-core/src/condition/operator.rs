//! The operators of conditions, such as `$gt`.

use alloc::boxed::Box;
use core::cmp::Ordering;

use hashbrown::HashSet;
use smol_str::SmolStr;

use super::eval::{Outcome, Scope};
use super::fields::Fields;
use super::groups::GroupId;
use super::text::{compare_utf16, with_lowercase};
use super::tree::{Clauses, Literal, ValueTest};
use super::value_set::ValueSet;
use super::version::compare_versions;
use crate::attributes::{Items, Kind, Node};
use crate::budget::{Budget, text_steps};
use crate::json::js_number_string;
use crate::pattern::Pattern;

/// An operator with its operand. Large operands are boxed, since most operators compare with a
/// scalar.
#[derive(Clone, Debug)]
pub(super) enum Operator {
    /// `$eq`, and negated `$ne`
    Equal { operand: Scalar, negate: bool },
    /// The same for a long text
    EqualLong { operand: Literal, negate: bool },
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
    AllInsensitive(Box<[InsensitiveTest]>),
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

/// A test of `$alli`.
#[derive(Clone, Debug)]
pub(super) enum InsensitiveTest {
    /// A text in lower case.
    Text(Box<str>),
    Other(ValueTest),
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

impl InsensitiveTest {
    /// Returns the test, unless it is a text.
    pub(super) fn other(&self) -> Option<&ValueTest> {
        match self {
            InsensitiveTest::Text(_) => None,
            InsensitiveTest::Other(test) => Some(test),
        }
    }
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
            Operator::Order { comparison, operand } => ordered(scope, actual, *comparison, operand),
            Operator::In { values, negate } => values.test(actual, *negate, scope.run.budget),
            _ => self.eval_other(scope, actual),
        }
    }

    #[inline(never)]
    fn eval_other(&self, scope: &Scope<'_>, actual: &Node<'_>) -> Outcome {
        match self {
            Operator::Version { comparison, operand } => {
                version_ordered(scope, actual, *comparison, operand)
            }
            Operator::EqualLong { operand, negate } => {
                operand.test(actual, scope.run.budget).negate_if(*negate)
            }
            Operator::Exists { negate } => (matches!(actual, Node::Null) == *negate).into(),
            Operator::Type(kind) => (Some(actual.kind()) == *kind).into(),
            Operator::InInsensitive { values, negate } => {
                values.test_lowercase(actual, *negate, scope.run.budget)
            }
            Operator::InGroup { group, negate } => group.eval(scope, actual, *negate),
            Operator::Regex { pattern, negate } => regex(scope, actual, pattern).negate_if(*negate),
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
            Operator::All(tests) => all(scope, actual, tests),
            Operator::AllInsensitive(tests) => all_insensitive(scope, actual, tests),
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
        Scalar::Container => false,
        Scalar::Literal(literal) => literal.is(actual),
    }
}

/// Compares two numbers, or two strings by UTF-16 code units. Fails for all other values.
#[inline]
fn ordered(
    scope: &Scope<'_>,
    actual: &Node<'_>,
    comparison: Comparison,
    operand: &Scalar,
) -> Outcome {
    match (actual, operand) {
        (Node::Number(a), Scalar::Literal(Literal::Number(b))) => {
            comparison.holds_for(*a, *b).into()
        }
        (Node::String(a), Scalar::Literal(Literal::String(b) | Literal::LongString(b))) => {
            if !scope.run.budget.take_text(a.len().min(b.len())) {
                return Outcome::Abort;
            }
            comparison.holds(compare_utf16(a, b)).into()
        }
        _ => Outcome::Fail,
    }
}

/// Compares the versions in two strings, or in the texts of two numbers. All other values differ.
fn version_ordered(
    scope: &Scope<'_>,
    actual: &Node<'_>,
    comparison: Comparison,
    operand: &Scalar,
) -> Outcome {
    /// A version is read several times, and padded.
    const WORK: usize = 4;
    let holds = match (actual, operand) {
        (Node::String(a), Scalar::Literal(Literal::String(b) | Literal::LongString(b))) => {
            if !scope.run.budget.take_text(WORK * (a.len() + b.len())) {
                return Outcome::Abort;
            }
            comparison.holds(compare_versions(a, b))
        }
        (Node::Number(a), Scalar::Literal(Literal::Number(b))) => js_number_string(*a, |a| {
            js_number_string(*b, |b| comparison.holds(compare_versions(a, b)))
        }),
        _ => matches!(comparison, Comparison::NotEqual),
    };
    holds.into()
}

/// Evaluates a regular expression. Unknown if the search reaches a limit.
fn regex(scope: &Scope<'_>, actual: &Node<'_>, pattern: &Option<Pattern>) -> Outcome {
    match (actual, pattern) {
        (Node::String(text), Some(pattern)) => {
            pattern.test(text, scope.run.budget).map_or(Outcome::Unknown, Outcome::from)
        }
        _ => Outcome::Fail,
    }
}

/// Evaluates `$all`: each test must pass for at least one element.
fn all(scope: &Scope<'_>, actual: &Node<'_>, tests: &[ValueTest]) -> Outcome {
    let Some(items) = actual.items() else {
        return Outcome::Fail;
    };
    Outcome::all(tests.iter().map(|test| any_element(scope, items.clone(), test)))
}

fn any_element(scope: &Scope<'_>, items: Items<'_>, test: &ValueTest) -> Outcome {
    // A test of no elements counts as well.
    if !scope.run.budget.take(1) {
        return Outcome::Abort;
    }
    Outcome::any(items.map(|item| scope.element(test, &item)))
}

/// Evaluates `$alli`: like `$all`, but compares strings without regard to case.
fn all_insensitive(scope: &Scope<'_>, actual: &Node<'_>, tests: &[InsensitiveTest]) -> Outcome {
    let Some(items) = actual.items() else {
        return Outcome::Fail;
    };
    let Some(texts) = lowercase_texts(items.clone(), scope.run.budget) else {
        return Outcome::Abort;
    };
    Outcome::all(tests.iter().map(|test| match test {
        InsensitiveTest::Text(text) => {
            if !(scope.run.budget.take(1) && scope.run.budget.take_text(text.len())) {
                return Outcome::Abort;
            }
            texts.contains(&**text).into()
        }
        InsensitiveTest::Other(test) => any_element(scope, items.clone(), test),
    }))
}

/// The steps to add a text to a hash set.
const HASHED_TEXT_STEPS: usize = 2;

/// Returns the strings of a list in lower case. `None` if the budget is spent.
fn lowercase_texts(items: Items<'_>, budget: &Budget) -> Option<HashSet<SmolStr>> {
    let mut texts = HashSet::with_capacity(items.len());
    for text in items.filter_map(Node::as_str) {
        if !budget.take(HASHED_TEXT_STEPS + text_steps(text.len())) {
            return None;
        }
        texts.insert(with_lowercase(text, |text| SmolStr::from(text)));
    }
    Some(texts)
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
