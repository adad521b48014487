//! Why a request for remote evaluation is refused.

use core::fmt;

use crate::limits::{MAX_REMOTE_EVAL_BYTES, MAX_REMOTE_EVAL_KEYS};

/// Why a request for remote evaluation is refused. Contains no value of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteEvalError {
    /// The body is longer than [`MAX_REMOTE_EVAL_BYTES`].
    TooLarge,
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is not JSON.
    Syntax {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped.
        column: usize,
    },
    /// The body is JSON, but not an object.
    NotAnObject,
    /// A field has another type than it must have. Null counts as a type.
    WrongType {
        /// The name of the field.
        field: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
    /// A field has more than [`MAX_REMOTE_EVAL_KEYS`] keys.
    TooManyKeys {
        /// The name of the field.
        field: &'static str,
    },
    /// A field has a value that cannot be read: a number out of range, half a surrogate pair, or
    /// too many levels.
    Unreadable {
        /// The name of the field.
        field: &'static str,
    },
}

impl RemoteEvalError {
    /// The body of the Proxy's response to an invalid request, with the status 400.
    pub const INVALID_INPUT: &'static str = r#"{"status":400,"error":"Invalid input"}"#;

    /// Returns the HTTP status of the response: 413 for a body that is too large, otherwise 400.
    pub fn status(&self) -> u16 {
        match self {
            RemoteEvalError::TooLarge => 413,
            _ => 400,
        }
    }
}

impl fmt::Display for RemoteEvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteEvalError::TooLarge => {
                write!(
                    formatter,
                    "the request is longer than {MAX_REMOTE_EVAL_BYTES} bytes: send fewer attributes"
                )
            }
            RemoteEvalError::NotUtf8 => {
                formatter.write_str("the request is not UTF-8: send JSON in UTF-8")
            }
            RemoteEvalError::Syntax { line, column } => {
                write!(
                    formatter,
                    "the request is not valid JSON (line {line}, column {column}): correct it there"
                )
            }
            RemoteEvalError::NotAnObject => formatter
                .write_str("the request is not a JSON object: write it as {\"attributes\": {...}}"),
            RemoteEvalError::WrongType { field, expected } => {
                write!(
                    formatter,
                    "`{field}` of the request is not {expected}: correct it, or leave it out"
                )
            }
            RemoteEvalError::TooManyKeys { field } => {
                write!(
                    formatter,
                    "`{field}` of the request has more than {MAX_REMOTE_EVAL_KEYS} keys: send fewer"
                )
            }
            RemoteEvalError::Unreadable { field } => {
                write!(
                    formatter,
                    "`{field}` of the request has a number out of range, invalid text, or too \
                     many levels: correct it, or leave it out"
                )
            }
        }
    }
}

impl core::error::Error for RemoteEvalError {}
