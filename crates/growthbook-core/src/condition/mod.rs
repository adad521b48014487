//! Targeting conditions: GrowthBook's MongoDB-like queries over a user's attributes.
//!
//! JSON is parsed once into the tree below (`parse`); evaluating it (`eval`, `operator`)
//! allocates nothing on the common path and parses nothing.

mod describe;
mod eval;
mod groups;
mod members;
mod operator;
mod parse;
mod path;
mod prune;
mod text;
mod version;

use alloc::{boxed::Box, vec::Vec};
use core::{fmt, slice};

use serde_json::Value;

pub(crate) use describe::explain_failure;
pub(crate) use eval::{Budget, Fields, passes};
pub(crate) use groups::{GroupIndex, GroupLinker, REMOTE_GROUP_IDS, SavedGroup, SavedGroups};
pub(crate) use members::Members;
pub(crate) use parse::ConditionParser;
use path::Path;
pub(crate) use prune::{Remainder, prune, prune_group};

use crate::attributes::{Node, deep_equal};
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::warning::WarningKind;
use groups::GroupReference;
use operator::{ElemMatch, Operator};

/// A targeting condition, compiled for evaluation.
///
/// ```
/// use growthbook_core::{Snapshot, UserContext};
/// use growthbook_core::condition::Condition;
///
/// let condition = Condition::from_json(r#"{"country": {"$in": ["US", "CA"]}}"#)?;
/// let snapshot = Snapshot::empty();
/// let user = UserContext::new("user-1").attribute("country", "CA");
/// assert!(snapshot.for_user(&user).eval_condition(&condition));
/// # Ok::<(), growthbook_core::condition::ConditionError>(())
/// ```
#[derive(Clone)]
pub struct Condition {
    root: Clauses,
    source: Json<'static>,
    warnings: Box<[WarningKind]>,
}

impl Condition {
    /// Compiles a condition from JSON text. The order of its keys is kept, and decides where a
    /// malformed part beside a failing one is reached.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, nests deeper than 128 levels, or is no JSON object.
    pub fn from_json(text: &str) -> Result<Self, ConditionError> {
        let json: Json<'_> = serde_json::from_str(text).map_err(|error| {
            ConditionError::Syntax { line: error.line(), column: error.column() }
        })?;
        match json {
            Json::Object(_) => Ok(Condition::new(json.into_owned())),
            _ => Err(ConditionError::NotAnObject),
        }
    }

    pub(crate) fn new(source: Json<'static>) -> Self {
        let mut warnings = Vec::new();
        let patterns = PatternCompiler::default();
        let root = ConditionParser::new(None, &patterns, &mut warnings).condition(&source);
        Condition { root, source, warnings: warnings.into() }
    }

    pub(crate) fn json(&self) -> &Json<'static> {
        &self.source
    }

    pub(crate) fn clauses(&self) -> &Clauses {
        &self.root
    }

    /// Parts that can never match: regular expressions we cannot run, and the like.
    pub fn warnings(&self) -> &[WarningKind] {
        &self.warnings
    }

    /// The condition as JSON.
    pub fn to_json(&self) -> Value {
        self.source.to_value()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Condition").field(&self.to_json()).finish()
    }
}

impl serde::Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

/// Never fails: a value that is no object becomes a condition nobody passes, with a warning.
impl From<Value> for Condition {
    fn from(value: Value) -> Self {
        Condition::new(Json::from(&value))
    }
}

/// Why something is no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionError {
    /// Not JSON, or nested too deeply.
    Syntax {
        /// The line of the text where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// JSON, but no object.
    NotAnObject,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConditionError::Syntax { line, column } => {
                write!(formatter, "the condition is not valid JSON (line {line}, column {column})")
            }
            ConditionError::NotAnObject => formatter.write_str("the condition is not an object"),
        }
    }
}

impl core::error::Error for ConditionError {}

/// The entries of a condition object, all of which must pass, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Clauses(Box<[Clause]>);

impl Clauses {
    fn malformed() -> Self {
        Clauses([Clause::Malformed].into())
    }
}

impl Clauses {
    /// What a prerequisite's value has to be, where that is true or false and all that is asked
    /// for.
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

impl Clauses {
    fn collect_references(&self, references: &mut Vec<GroupIndex>) {
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
                Operator::All(tests) | Operator::AllInsensitive(tests) => {
                    tests.iter().for_each(|test| test.collect_references(references));
                }
                Operator::Size(test) | Operator::Not(test) => test.collect_references(references),
                Operator::ElemMatch(test) => match &**test {
                    ElemMatch::Value(test) => test.collect_references(references),
                    ElemMatch::Fields(condition) => condition.collect_references(references),
                    ElemMatch::Malformed => {}
                },
                _ => {}
            }
        }
    }
}

/// One entry of a condition object.
#[derive(Clone, Debug)]
enum Clause {
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
    /// Decided false, so that `$not` makes it true.
    Never,
    /// Fails the whole evaluation once it is reached, even under `$not`.
    Malformed,
    /// An attribute path and the test of what lies there.
    Attribute(Path, ValueTest),
}

/// A test of one value.
#[derive(Clone, Debug)]
enum ValueTest {
    /// Implicit equality with a literal.
    Equals(Literal),
    /// An operator object of one operator, as most are.
    Operator(Operator),
    /// Any other operator object: every operator must pass.
    Operators(Box<[Operator]>),
}

impl ValueTest {
    fn operators(&self) -> &[Operator] {
        match self {
            ValueTest::Equals(_) => &[],
            ValueTest::Operator(operator) => slice::from_ref(operator),
            ValueTest::Operators(operators) => operators,
        }
    }
}

/// A value a condition compares with.
#[derive(Clone)]
enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    String(Box<str>),
    /// An array or object: boxed, for most literals are none.
    Container(Box<Json<'static>>),
}

impl Literal {
    fn new(json: &Json<'_>) -> Self {
        match json {
            Json::Null => Literal::Null,
            Json::Bool(value) => Literal::Bool(*value),
            Json::Number(number) => Literal::Number(number.as_f64()),
            Json::String(text) => Literal::String((**text).into()),
            Json::Array(_) | Json::Object(_) => {
                Literal::Container(Box::new(json.clone().into_owned()))
            }
        }
    }

    /// Whether it equals the value.
    #[inline]
    fn is(&self, actual: &Node<'_>) -> bool {
        match (self, actual) {
            (Literal::Null, Node::Null) => true,
            (Literal::Bool(a), Node::Bool(b)) => a == b,
            (Literal::Number(a), Node::Number(b)) => a == b,
            (Literal::String(a), Node::String(b)) => **a == **b,
            (Literal::Container(a), b) => deep_equal(Node::from(&**a), *b),
            _ => false,
        }
    }

    #[inline]
    fn node(&self) -> Node<'_> {
        match self {
            Literal::Null => Node::Null,
            Literal::Bool(value) => Node::Bool(*value),
            Literal::Number(number) => Node::Number(*number),
            Literal::String(text) => Node::String(text),
            Literal::Container(json) => Node::from(&**json),
        }
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.node().to_value(), formatter)
    }
}
