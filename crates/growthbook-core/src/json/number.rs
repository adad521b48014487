//! Numbers: doubles when compared, as written when handed through.

use serde::{Serialize, Serializer};

/// A JSON number. Comparisons and hashing treat it as a double, as JavaScript does; a whole
/// number too large for a double is still handed through digit by digit.
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
    /// A finite double; `None` for NaN and the infinities, which JSON cannot express.
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then_some(Number(Repr::Float(value)))
    }

    /// The nearest double.
    #[inline]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Signed(value) => value as f64,
            Repr::Unsigned(value) => value as f64,
            Repr::Float(value) => value,
        }
    }

    /// Reads the text of a JSON number; `None` when it overflows a double.
    pub(crate) fn from_json_text(text: &str) -> Option<Self> {
        if let Some((number, length)) = Number::short(text.as_bytes())
            && length == text.len()
        {
            return Some(number);
        }
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

/// How many digits a number may have that is read without the general parser: what they make
/// without the point is a double.
const SHORT: usize = 15;

impl Number {
    /// The number that a text begins with, and how long that is, if it is a short one without an
    /// exponent.
    #[inline]
    pub(super) fn short(bytes: &[u8]) -> Option<(Self, usize)> {
        /// Powers of ten.
        const POWERS: [f64; SHORT] =
            [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
        let (whole, point) = digits(bytes, 0, 0);
        if point == 0 || point > SHORT || (point > 1 && bytes.first() == Some(&b'0')) {
            return None;
        }
        if bytes.get(point) != Some(&b'.') {
            let number = (whole.into(), point);
            return (!matches!(bytes.get(point), Some(b'e' | b'E'))).then_some(number);
        }
        let (digits, end) = digits(bytes, point + 1, whole);
        if end == point + 1 || end > SHORT || matches!(bytes.get(end), Some(b'e' | b'E')) {
            return None;
        }
        // Both are exact, so that the quotient is the nearest double.
        let number = Number::from_f64(digits as f64 / POWERS.get(end - point - 1)?)?;
        Some((number, end))
    }
}

/// The digits from a place on, behind others, as a number, and the place behind them. The number
/// wraps around where they are too many; who asks looks at the place.
#[inline]
fn digits(bytes: &[u8], start: usize, before: u64) -> (u64, usize) {
    let (mut number, mut at) = (before, start);
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    (number, at)
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

/// Equality of doubles: 1 equals 1.0, and 9007199254740993 equals 9007199254740992.
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

/// Calls `read` with JavaScript's `String(number)`: "1e+21", "0.000001", "0" for -0. The text
/// lives on the stack.
pub(crate) fn js_number_string<R>(number: f64, read: impl FnOnce(&str) -> R) -> R {
    read(ryu_js::Buffer::new().format(number))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
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
    fn short_numbers_are_read_as_by_the_general_parser() {
        let texts = [
            "0",
            "7",
            "10",
            "0.5",
            "0.25",
            "123456.789",
            "0.1",
            "0.30000000000000",
            "9.007199254740993",
            "999999999999999",
            "99999999999999.9",
            "9999999999999.99",
            "1234567890123456",
            "0.00000000000001",
        ];
        for text in texts {
            let expected: f64 = text.parse().unwrap();
            for behind in ["", ",", "}", " ", "]1"] {
                let bytes = alloc::format!("{text}{behind}");
                if let Some((number, length)) = Number::short(bytes.as_bytes()) {
                    assert_eq!(
                        (number.as_f64().to_bits(), length),
                        (expected.to_bits(), text.len())
                    );
                } else {
                    assert!(text.len() > SHORT, "{text}");
                }
            }
        }
        for text in ["", "-1", "01", "1.", ".5", "1e5", "1.5E3", "x"] {
            assert!(Number::short(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn text_that_overflows_is_no_number() {
        assert!(Number::from_json_text("1e400").is_none());
        assert!(Number::from_json_text("-0").unwrap().as_f64().is_sign_negative());
        assert_eq!(Number::from_json_text("18446744073709551615").unwrap().to_json(), u64::MAX);
    }
}
