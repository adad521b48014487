//! Numbers as texts, as JavaScript writes them.

/// The longest text has 25 bytes: `-0.0000012345678901234567`.
const CAPACITY: usize = 32;

/// Below this, a whole double is the integer that it shows.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Calls `read` with JavaScript's `String(number)`: "1e+21", "0.000001", "0" for -0. The text is on
/// the stack.
pub(crate) fn js_number_string<R>(number: f64, read: impl FnOnce(&str) -> R) -> R {
    let mut text = ShortText::new();
    write(number, &mut text);
    read(text.as_str())
}

/// Writes the number. It is out of line, so that the program has it once.
#[inline(never)]
fn write(number: f64, text: &mut ShortText) {
    if number < 0.0 {
        text.push(b'-');
    }
    let magnitude = number.abs();
    if magnitude < EXACT && magnitude as u64 as f64 == magnitude {
        text.push_integer(magnitude as u64);
    } else if magnitude.is_nan() {
        text.push_all(b"NaN");
    } else if magnitude.is_infinite() {
        text.push_all(b"Infinity");
    } else {
        // The digits are the same ones: the fewest that mean this double.
        write_decimal(zmij::Buffer::new().format_finite(magnitude).as_bytes(), text);
    }
}

/// Writes a decimal number, such as `1.5e-7`, in the notation that JavaScript chooses.
fn write_decimal(decimal: &[u8], text: &mut ShortText) {
    let mut digits = ShortText::new();
    // The value is 0.DIGITS times ten to the power of this.
    let mut exponent: i32 = 0;
    let mut is_fraction = false;
    let mut bytes = decimal.iter().copied();
    for byte in bytes.by_ref() {
        match byte {
            b'.' => is_fraction = true,
            b'0'..=b'9' => {
                let is_leading_zero = byte == b'0' && digits.is_empty();
                if !is_leading_zero {
                    digits.push(byte);
                }
                // A digit before the point counts, and a leading zero after it.
                match (is_fraction, is_leading_zero) {
                    (false, false) => exponent += 1,
                    (true, true) => exponent -= 1,
                    _ => {}
                }
            }
            _ => break,
        }
    }
    exponent += power(bytes);
    digits.trim_zeros();

    let count = i32::try_from(digits.length).unwrap_or_default();
    let zeros = |text: &mut ShortText, number: i32| (0..number).for_each(|_| text.push(b'0'));
    let (whole, rest) = digits.split_at(exponent);
    match exponent {
        // 12.34, or 1234000
        1..=21 => {
            text.push_all(whole);
            zeros(text, exponent - count);
            if !rest.is_empty() {
                text.push(b'.');
                text.push_all(rest);
            }
        }
        // 0.001234
        -5..=0 => {
            text.push_all(b"0.");
            zeros(text, -exponent);
            text.push_all(digits.as_bytes());
        }
        // 1.234e-7
        _ => {
            let (first, rest) = digits.split_at(1);
            text.push_all(first);
            if !rest.is_empty() {
                text.push(b'.');
                text.push_all(rest);
            }
            text.push_all(if exponent > 0 { b"e+" } else { b"e-" });
            text.push_integer((exponent - 1).unsigned_abs().into());
        }
    }
}

/// Reads the power of ten after the `e`.
fn power(bytes: impl Iterator<Item = u8>) -> i32 {
    let (mut power, mut is_negative) = (0, false);
    for byte in bytes {
        match byte {
            b'-' => is_negative = true,
            b'0'..=b'9' => power = power * 10 + i32::from(byte - b'0'),
            _ => {}
        }
    }
    if is_negative { -power } else { power }
}

/// ASCII text on the stack. Text beyond its capacity is left out.
struct ShortText {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl ShortText {
    fn new() -> Self {
        ShortText { bytes: [0; CAPACITY], length: 0 }
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn push_all(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.push(byte));
    }

    fn push_integer(&mut self, mut number: u64) {
        // The digits of the largest integer, the last one first.
        let mut digits = [0; 20];
        let mut count = 0;
        for place in &mut digits {
            // The remainder is below ten.
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            count += 1;
            if number == 0 {
                break;
            }
        }
        digits.iter().take(count).rev().for_each(|&digit| self.push(digit));
    }

    fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Removes zeros from the end.
    fn trim_zeros(&mut self) {
        let zeros = self.as_bytes().iter().rev().take_while(|&&byte| byte == b'0').count();
        self.length -= zeros;
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Splits the text after this many bytes, or at its end.
    fn split_at(&self, place: i32) -> (&[u8], &[u8]) {
        let bytes = self.as_bytes();
        let place = usize::try_from(place).unwrap_or_default().min(bytes.len());
        bytes.split_at_checked(place).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;

    fn written(number: f64) -> String {
        js_number_string(number, ToString::to_string)
    }

    #[test]
    fn numbers_are_written_as_in_javascript() {
        let cases = [
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-1.234_567_890_123_456_7e-6, "-0.0000012345678901234567"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.000_001, "0.000001"),
            (-0.0, "0"),
            (0.0, "0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (9_007_199_254_740_993_i64 as f64, "9007199254740992"),
            (-9_007_199_254_740_991.0, "-9007199254740991"),
            (-12.25, "-12.25"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in cases {
            assert_eq!(written(number), expected);
        }
    }

    #[test]
    fn powers_are_written_as_by_ryu_js() {
        for power in -1_074..1_024 {
            for factor in [1.0, 3.0, 1.1, -7.3] {
                let number = factor * 2_f64.powi(power);
                assert_eq!(written(number), ryu_js::Buffer::new().format(number));
            }
        }
        for power in -323..309 {
            let number: f64 = alloc::format!("1e{power}").parse().unwrap();
            assert_eq!(written(number), ryu_js::Buffer::new().format(number));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_number_is_written_as_by_ryu_js(bits in any::<u64>(), whole in any::<i64>()) {
            for number in [f64::from_bits(bits), whole as f64, whole as f64 / 1_000.0] {
                let mut buffer = ryu_js::Buffer::new();
                prop_assert_eq!(written(number), buffer.format(number));
            }
        }
    }
}
