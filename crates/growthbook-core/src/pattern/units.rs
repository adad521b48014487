//! Sets of UTF-16 code units.

use alloc::{boxed::Box, string::String, vec, vec::Vec};

/// The distance from a surrogate to its stand-in, in the private-use plane 16. A text that was
/// split into units does not have other characters there.
const SURROGATE_OFFSET: u32 = 0x10_0000;

/// Returns the character that represents a code unit.
pub(super) fn stand_in(unit: u16) -> Option<char> {
    let code = u32::from(unit);
    char::from_u32(if is_surrogate(unit) { code + SURROGATE_OFFSET } else { code })
}

/// Writes a character by its code, such as `\x{40}`.
pub(super) fn push_escaped(pattern: &mut String, char: char) {
    let code = u32::from(char);
    let digits = (u32::BITS - code.leading_zeros()).div_ceil(4).max(1);
    pattern.push_str(r"\x{");
    for digit in (0..digits).rev() {
        // Each digit has four bits.
        pattern.push(char::from_digit(code >> (4 * digit) & 0xf, 16).unwrap_or_default());
    }
    pattern.push('}');
}

pub(super) fn is_surrogate(unit: u16) -> bool {
    (0xd800..=0xdfff).contains(&unit)
}

/// Whether `\w` matches the unit.
pub(super) fn is_word(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A set of code units, as ranges that include both ends.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnitSet(Vec<(u16, u16)>);

impl UnitSet {
    pub(super) fn unit(unit: u16) -> Self {
        UnitSet(vec![(unit, unit)])
    }

    pub(super) fn of(ranges: &[(u16, u16)]) -> Self {
        UnitSet(ranges.to_vec())
    }

    /// `\d`
    pub(super) fn digits() -> Self {
        UnitSet::of(&[(0x30, 0x39)])
    }

    /// `\w`: ASCII letters, digits and the underscore.
    pub(super) fn word() -> Self {
        UnitSet::of(&[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)])
    }

    /// `\s`: ECMAScript's WhiteSpace and LineTerminator.
    pub(super) fn space() -> Self {
        UnitSet::of(&[
            (0x09, 0x0d),
            (0x20, 0x20),
            (0xa0, 0xa0),
            (0x1680, 0x1680),
            (0x2000, 0x200a),
            (0x2028, 0x2029),
            (0x202f, 0x202f),
            (0x205f, 0x205f),
            (0x3000, 0x3000),
            (0xfeff, 0xfeff),
        ])
    }

    /// The units that `.` does not match.
    pub(super) fn line_terminators() -> Self {
        UnitSet::of(&[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)])
    }

    pub(super) fn push(&mut self, first: u16, last: u16) {
        self.0.push((first, last));
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(super) fn contains(&self, unit: u16) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&unit))
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.0.iter().all(|&(_, last)| last < 0x80)
    }

    /// Sorts the ranges, and merges those that overlap or touch.
    pub(super) fn normalize(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|(first, last), previous| {
            let touches = u32::from(*first) <= u32::from(previous.1) + 1;
            if touches {
                previous.1 = previous.1.max(*last);
            }
            touches
        });
    }

    pub(super) fn complement(mut self) -> Self {
        self.normalize();
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(0_u16);
        for (first, last) in self.0 {
            if let Some(start) = next
                && start < first
            {
                gaps.push((start, first - 1));
            }
            next = last.checked_add(1);
        }
        if let Some(start) = next {
            gaps.push((start, u16::MAX));
        }
        UnitSet(gaps)
    }

    /// Writes the set as a character class of the `regex` crate.
    pub(super) fn write(mut self, pattern: &mut String) {
        self.normalize();
        if self.0.is_empty() {
            // An empty set never matches.
            pattern.push_str(r"[^\x{0}-\x{10FFFF}]");
            return;
        }
        pattern.push('[');
        for (first, last) in self.0 {
            for (low, high) in [(0, 0xd7ff), (0xd800, 0xdfff), (0xe000, 0xffff)] {
                let (from, to) = (first.max(low), last.min(high));
                if from <= to
                    && let (Some(from), Some(to)) = (stand_in(from), stand_in(to))
                {
                    push_escaped(pattern, from);
                    pattern.push('-');
                    push_escaped(pattern, to);
                }
            }
        }
        pattern.push(']');
    }
}

/// A set of code units that is fast to search.
#[derive(Debug)]
pub(super) struct UnitTable {
    /// A bit for each unit of ASCII.
    ascii: u128,
    /// The ranges, in their order.
    ranges: Box<[(u16, u16)]>,
}

impl UnitTable {
    /// Makes the table of a normalized set.
    pub(super) fn new(set: &UnitSet) -> Self {
        let ascii = (0..0x80).filter(|&unit| set.contains(unit));
        UnitTable {
            ascii: ascii.fold(0, |bits, unit| bits | 1 << unit),
            ranges: set.0.as_slice().into(),
        }
    }

    #[inline]
    pub(super) fn contains(&self, unit: u16) -> bool {
        if unit < 0x80 {
            return self.ascii >> unit & 1 == 1;
        }
        let place = self.ranges.partition_point(|&(_, last)| last < unit);
        self.ranges.get(place).is_some_and(|&(first, _)| first <= unit)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn characters_are_escaped_in_hexadecimal() {
        for char in ['\0', '\t', '@', '\u{7f}', 'é', '\u{fff}', '\u{1000}', '\u{10d800}'] {
            let mut pattern = String::new();
            push_escaped(&mut pattern, char);
            assert_eq!(pattern, format!(r"\x{{{:x}}}", u32::from(char)));
        }
    }
}
