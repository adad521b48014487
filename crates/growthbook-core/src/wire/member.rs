//! A member of an object, and reading it as the type that it must have.

use alloc::{borrow::Cow, boxed::Box, string::ToString, vec::Vec};

use crate::bucket::BucketRange;
use crate::json::{Json, js_number_string, number_of_digits};
use crate::warning::WarningKind;

/// The type of a namespace, for warnings.
pub(crate) const NAMESPACE: &str = "a list of an id and two numbers";

/// A value that was read, or the warning for a member of the wrong type.
pub(crate) type Read<T> = Result<T, WarningKind>;

/// A member of an object, which may be missing.
#[derive(Clone, Copy)]
pub(crate) struct Member<'t> {
    name: &'static str,
    value: Option<&'t Json<'t>>,
}

impl<'t> Member<'t> {
    pub(super) const fn missing(name: &'static str) -> Self {
        Member { name, value: None }
    }

    /// Sets the value.
    pub(crate) fn with(self, value: &'t Json<'t>) -> Self {
        Member { value: Some(value), ..self }
    }

    /// Returns the value, of any type.
    pub(crate) fn get(self) -> Option<&'t Json<'t>> {
        self.value
    }

    /// Makes the warning for a member of the wrong type.
    pub(crate) fn wrong_type(self, expected: &'static str) -> WarningKind {
        WarningKind::WrongType { field: self.name, expected }
    }

    /// Returns the value, unless it is missing or falsy. GrowthBook treats a falsy member as
    /// missing.
    pub(crate) fn truthy(self) -> Option<&'t Json<'t>> {
        self.value.filter(|value| value.is_truthy())
    }

    pub(crate) fn is_truthy(self) -> bool {
        self.truthy().is_some()
    }

    /// Returns the value if it is a string.
    pub(crate) fn as_str(self) -> Option<&'t str> {
        self.value.and_then(Json::as_str)
    }

    /// Returns the value if it is an array.
    pub(crate) fn as_array(self) -> Option<&'t [Json<'t>]> {
        self.value.and_then(Json::as_array)
    }

    /// Reads text that is not empty. A number counts as its text, as in JavaScript.
    pub(crate) fn text(self) -> Read<Option<Cow<'t, str>>> {
        match self.truthy() {
            None => Ok(None),
            Some(value) => match text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong_type("a string")),
            },
        }
    }

    /// Reads a number. Null counts as missing.
    pub(crate) fn number(self) -> Read<Option<f64>> {
        match self.value {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Number(number)) => Ok(Some(number.as_f64())),
            Some(_) => Err(self.wrong_type("a number")),
        }
    }

    /// Reads a bucket version. Returns 0 if it is missing. Text of digits counts as a number.
    pub(crate) fn version(self) -> Read<f64> {
        match self.value {
            Some(Json::String(text)) if text.is_empty() => Ok(0.0),
            Some(Json::String(text)) => match number_of_digits(text) {
                Some(version) => Ok(version),
                None => Err(self.wrong_type("a number")),
            },
            _ => Ok(self.number()?.unwrap_or(0.0)),
        }
    }

    /// Reads a list. A falsy value counts as missing.
    pub(crate) fn list(self) -> Read<Option<&'t [Json<'t>]>> {
        match self.truthy() {
            None => Ok(None),
            Some(Json::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.wrong_type("a list")),
        }
    }
}

/// Reads text that is not empty. A number counts as its text.
pub(crate) fn text<'t>(value: &'t Json<'t>) -> Option<Cow<'t, str>> {
    match value {
        Json::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Json::Number(number) => {
            Some(js_number_string(number.as_f64(), |text| text.to_string().into()))
        }
        _ => None,
    }
}

/// Reads a whole number.
pub(crate) fn whole_number(value: &Json<'_>) -> Option<i64> {
    let number = value.as_f64()?;
    // The cast saturates. A number that it changes is not whole, or out of range.
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

/// Reads `[start, end]`.
pub(crate) fn bucket_range(value: &Json<'_>) -> Option<BucketRange> {
    let mut bounds = value.as_array()?.iter();
    match (bounds.next()?, bounds.next()?) {
        (Json::Number(start), Json::Number(end)) => {
            Some(BucketRange { start: start.as_f64(), end: end.as_f64() })
        }
        _ => None,
    }
}

/// Reads a list of numbers. `None` if an item is not a number.
pub(crate) fn numbers(list: &[Json<'_>]) -> Option<Box<[f64]>> {
    let mut numbers = Vec::with_capacity(list.len());
    for item in list.iter() {
        numbers.push(item.as_f64()?);
    }
    Some(numbers.into())
}
