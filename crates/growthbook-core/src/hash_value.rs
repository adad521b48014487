//! The attribute value that assigns a user to a bucket.

use core::fmt;

use serde::{Serialize, Serializer};

use crate::json::Number;

/// The value of a hash attribute. Rollouts and experiments hash it to find a user's bucket.
///
/// `Debug` prints the type, never the value.
#[derive(Clone, Copy, PartialEq)]
pub enum HashValue<'a> {
    /// The user does not have the attribute, or it is neither a non-empty string nor a number other
    /// than 0. Serializes as "".
    Missing,
    /// A non-empty string.
    String(&'a str),
    /// A number other than 0, hashed as JavaScript's `String(number)`.
    Number(Number),
}

impl fmt::Debug for HashValue<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            HashValue::Missing => "Missing",
            HashValue::String(_) => "String(..)",
            HashValue::Number(_) => "Number(..)",
        })
    }
}

impl Serialize for HashValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            HashValue::Missing => serializer.serialize_str(""),
            HashValue::String(text) => serializer.serialize_str(text),
            HashValue::Number(number) => number.serialize(serializer),
        }
    }
}
