//! Targeting conditions: GrowthBook's MongoDB-like queries over a user's attributes.
//!
//! | module | subject |
//! |---|---|
//! | `tree` | the compiled form: clauses, tests, literals |
//! | `parse` | the conversion of JSON into the tree |
//! | `eval`, `operator` | evaluation of the tree; it does not parse, and rarely allocates |
//! | `fields`, `path` | the values that a condition tests, and the paths to them |
//! | `groups`, `references` | saved groups, and the references to them |
//! | `members` | lists of values, for `$in` and saved groups |
//! | `text`, `version` | comparisons of text and of versions |
//! | `prune` | a condition for a user who is known in part |
//! | `describe` | a description of the part that failed |

mod describe;
mod eval;
mod fields;
mod groups;
mod members;
mod operator;
mod parse;
mod path;
mod prune;
mod references;
mod text;
mod tree;
mod version;

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use serde_json::Value;

pub(crate) use describe::explain_failure;
pub(crate) use eval::{Budget, passes};
pub(crate) use fields::Fields;
pub(crate) use groups::{GroupIndex, GroupLinker, REMOTE_GROUP_IDS, SavedGroup, SavedGroups};
pub(crate) use members::Members;
pub(crate) use parse::ConditionParser;
pub(crate) use prune::{Remainder, prune, prune_group};
pub(crate) use tree::Clauses;

use crate::json::{Json, Tape};
use crate::pattern::PatternCompiler;
use crate::warning::WarningKind;

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
        let root = ConditionParser::new(None, &patterns, &mut warnings)
            .condition(Tape::of(&source).root());
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
