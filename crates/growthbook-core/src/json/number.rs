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
        // `str::parse` would be a second parser of floats in the program.
        Number::from_f64(serde_json::from_str(text).ok()?)
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

/// Returns the number that a text of decimal digits means: the nearest double, or infinity. `None`
/// without digits, and with other characters.
pub(crate) fn number_of_digits(text: &str) -> Option<f64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Ok(small) = text.parse::<u64>() {
        return Some(small as f64);
    }
    let number = Number::from_json_text(text.trim_start_matches('0'));
    Some(number.map_or(f64::INFINITY, Number::as_f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_by_the_standard_library() {
        let (long, huge) = ("12345678901234567890123", "9".repeat(400));
        for digits in ["0", "7", "007", "00", "18446744073709551616", long, huge.as_str()] {
            assert_eq!(number_of_digits(digits), digits.parse().ok(), "{digits}");
        }
        for text in ["", "-1", "1.0", "1e3", "x"] {
            assert_eq!(number_of_digits(text), None, "{text}");
        }
    }

    #[test]
    fn float_text_is_read_as_by_the_standard_library() {
        for text in ["0.1", "1e23", "5e-324", "1.7976931348623157e308", "-2.5E-3", "1e-400", "-0"] {
            let number = Number::from_json_text(text).unwrap().as_f64();
            assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }

    #[test]
    fn overflowing_text_is_refused() {
        assert!(Number::from_json_text("1e400").is_none());
        assert!(Number::from_json_text("-0").unwrap().as_f64().is_sign_negative());
        assert_eq!(Number::from_json_text("18446744073709551615").unwrap().to_json(), u64::MAX);
    }
}
