//! The attribute value that assigns a user to a bucket.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::json::{Number, js_number_string};

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

impl<'a> HashValue<'a> {
    /// Returns the text that is hashed: JavaScript's `String(value)`. It is empty for a missing
    /// value.
    pub fn to_text(self) -> Cow<'a, str> {
        match self {
            HashValue::Missing => Cow::Borrowed(""),
            HashValue::String(text) => Cow::Borrowed(text),
            HashValue::Number(number) => {
                Cow::Owned(js_number_string(number.as_f64(), ToString::to_string))
            }
        }
    }

    /// Returns the value as JSON: a string or a number. It is "" for a missing value.
    pub fn to_json(self) -> Value {
        match self {
            HashValue::Missing => Value::String(String::new()),
            HashValue::String(text) => Value::String(text.into()),
            HashValue::Number(number) => number.to_json(),
        }
    }
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
