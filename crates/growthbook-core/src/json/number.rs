//! JSON numbers. They are compared as doubles, and keep all their digits when written again.

use serde::{Serialize, Serializer};

/// A JSON number. Comparisons and hashing treat it as a double, as JavaScript does. A whole number
/// that a double cannot hold exactly still keeps all its digits when it is written.
#[derive(Clone, Copy)]
pub struct Number(Repr);

#[derive(Clone, Copy)]
enum Repr {
    Signed(i64),
    Unsigned(u64),
    /// Always finite.
    Float(f64),
}

impl Number {
    /// Makes a number of a finite double. `None` for NaN and the infinities, which JSON does not
    /// have.
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(Number(Repr::Float(value)))
    }

    /// Returns the nearest double.
    #[inline]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Signed(value) => value as f64,
            Repr::Unsigned(value) => value as f64,
            Repr::Float(value) => value,
        }
    }

    /// Reads the text of a JSON number. `None` when it overflows a double.
    pub(crate) fn from_json_text(text: &str) -> Option<Self> {
        // "-0" is the double -0, as serde_json reads it, not the integer 0.
        if text != "-0" {
            if let Ok(value) = text.parse::<u64>() {
                return Some(value.into());
            }
            if let Ok(value) = text.parse::<i64>() {
                return Some(value.into());
            }
        }
        Number::from_f64(text.parse().ok()?)
    }

    pub(crate) fn to_json(self) -> serde_json::Value {
        match self.0 {
            Repr::Signed(value) => value.into(),
            Repr::Unsigned(value) => value.into(),
            Repr::Float(value) => value.into(),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(Repr::Signed(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Number(Repr::Unsigned(value))
    }
}

/// Compares as doubles: 1 equals 1.0, and 9007199254740993 equals 9007199254740992.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.as_f64() == other.as_f64()
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Repr::Signed(value) => serializer.serialize_i64(value),
            Repr::Unsigned(value) => serializer.serialize_u64(value),
            Repr::Float(value) => serializer.serialize_f64(value),
        }
    }
}

/// Calls `read` with JavaScript's `String(number)`: "1e+21", "0.000001", "0" for -0. The text is on
/// the stack.
pub(crate) fn js_number_string<R>(number: f64, read: impl FnOnce(&str) -> R) -> R {
    read(ryu_js::Buffer::new().format(number))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn numbers_are_written_as_in_javascript() {
        let cases = [
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (-0.0, "0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (9_007_199_254_740_993_i64 as f64, "9007199254740992"),
            (-12.25, "-12.25"),
        ];
        for (number, expected) in cases {
            assert_eq!(js_number_string(number, ToString::to_string), expected);
        }
    }

    #[test]
    fn overflowing_text_is_refused() {
        assert!(Number::from_json_text("1e400").is_none());
        assert!(Number::from_json_text("-0").unwrap().as_f64().is_sign_negative());
        assert_eq!(Number::from_json_text("18446744073709551615").unwrap().to_json(), u64::MAX);
    }
}
