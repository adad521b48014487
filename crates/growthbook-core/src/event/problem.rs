//! Flag problems: code asked for a flag that is unknown, or that has another type.

use core::fmt;

use serde_json::Value;

use crate::value_error::json_type;

/// Code asked for a flag that is unknown, or that has a value of another type. The answer was the
/// fallback.
///
/// `Display` says what to do. It does not show the value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FlagProblem<'a> {
    /// The key that the code asked for.
    pub key: &'a str,
    /// The problem.
    pub kind: FlagProblemKind<'a>,
}

/// The kind of a [`FlagProblem`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FlagProblemKind<'a> {
    /// The payload does not have the flag.
    UnknownFeature {
        /// A key of the payload that is written almost alike.
        nearest: Option<&'a str>,
    },
    /// The value has another type than the fallback.
    WrongType {
        /// The Rust type that the code asked for.
        expected: &'static str,
        /// The value.
        value: &'a Value,
    },
}

impl<'a> FlagProblem<'a> {
    /// Makes the event.
    pub fn new(key: &'a str, kind: FlagProblemKind<'a>) -> Self {
        FlagProblem { key, kind }
    }
}

impl fmt::Display for FlagProblem<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlagProblem { key, kind } = self;
        match kind {
            FlagProblemKind::UnknownFeature { nearest: Some(nearest) } => write!(
                formatter,
                "feature {key:?} is not in the payload: did you mean {nearest:?}?"
            ),
            FlagProblemKind::UnknownFeature { nearest: None } => write!(
                formatter,
                "feature {key:?} is not in the payload: check its key, and the projects and the \
                 environment of the SDK connection"
            ),
            FlagProblemKind::WrongType { expected, value } => write!(
                formatter,
                "feature {key:?} has {}, but the code asks for {expected}, so it gets the \
                 fallback: ask for another type, or change the value in GrowthBook",
                json_type(value)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;

    #[test]
    fn text_says_what_to_do() {
        let text = |kind| FlagProblem::new("chekout", kind).to_string();
        assert_eq!(
            text(FlagProblemKind::UnknownFeature { nearest: Some("checkout") }),
            r#"feature "chekout" is not in the payload: did you mean "checkout"?"#
        );
        assert_eq!(
            text(FlagProblemKind::UnknownFeature { nearest: None }),
            "feature \"chekout\" is not in the payload: check its key, and the projects and the \
             environment of the SDK connection"
        );
        assert_eq!(
            text(FlagProblemKind::WrongType { expected: "bool", value: &json!("a secret") }),
            "feature \"chekout\" has a string, but the code asks for bool, so it gets the \
             fallback: ask for another type, or change the value in GrowthBook"
        );
    }
}
