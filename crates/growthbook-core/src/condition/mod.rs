//! Targeting conditions: GrowthBook's MongoDB-like queries over a user's attributes.
//!
//! | module | subject |
//! |---|---|
//! | `tree` | the compiled form: clauses, tests, literals |
//! | `parse` | the conversion of JSON into the tree |
//! | `eval`, `operator` | evaluation of the tree; it does not parse, and rarely allocates |
//! | `abort` | whether evaluation can abort |
//! | `fields`, `path` | the values that a condition tests, and the paths to them |
//! | `groups`, `references` | saved groups, and the references to them |
//! | `value_set` | lists of values, for `$in` and saved groups |
//! | `text`, `version` | comparisons of text and of versions |
//! | `prune` | a condition for a user who is known in part |
//! | `describe` | a description of the part that failed |

mod abort;
mod describe;
mod eval;
mod fields;
mod groups;
mod operator;
mod parse;
mod path;
#[cfg(feature = "reduce")]
mod prune;
mod references;
mod text;
mod tree;
mod value_set;
mod version;

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use serde_json::Value;

pub(crate) use describe::explain_failure;
pub(crate) use eval::passes;
pub(crate) use fields::Fields;
pub(crate) use groups::{GroupIndex, GroupLinker, REMOTE_GROUP_IDS, SavedGroup, SavedGroups};
pub(crate) use parse::ConditionParser;
#[cfg(feature = "reduce")]
pub(crate) use prune::{Remainder, prune, prune_group};
pub(crate) use tree::Clauses;
#[cfg(feature = "reduce")]
pub(crate) use value_set::ValueSet;

use crate::json::Json;
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
    /// Compiles a condition from JSON text. The order of its keys is kept: a malformed part after a
    /// failing one is never reached.
    ///
    /// # Errors
    ///
    /// The text is not JSON, has 128 levels or more, or is not a JSON object.
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

    /// Returns warnings about parts that never match, such as a regular expression that cannot be
    /// run.
    pub fn warnings(&self) -> &[WarningKind] {
        &self.warnings
    }

    /// Returns the condition as JSON.
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

/// Never fails. A value that is not an object becomes a condition that no user passes, with a
/// warning.
impl From<Value> for Condition {
    fn from(value: Value) -> Self {
        Condition::new(Json::from(&value))
    }
}

/// Why text is not a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionError {
    /// The text is not JSON, or it nests too deep.
    Syntax {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// The text is JSON, but not an object.
    NotAnObject,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConditionError::Syntax { line, column } => {
                write!(
                    formatter,
                    "the condition is not valid JSON (line {line}, column {column}): correct it \
                     there"
                )
            }
            ConditionError::NotAnObject => formatter
                .write_str("the condition is not an object: write it as {\"attribute\": value}"),
        }
    }
}

impl core::error::Error for ConditionError {}
