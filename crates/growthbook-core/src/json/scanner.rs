//! Going over JSON text token by token.

use alloc::{borrow::Cow, string::String};

use super::Number;

/// A JSON text in which places are told by offset. An offset handed on by itself stays in a
/// register, as no larger answer would.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Scanner(text)
    }

    #[inline(always)]
    pub(super) fn part(self, start: usize, end: usize) -> Option<&'a str> {
        self.0.get(start..end)
    }

    #[inline(always)]
    fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }

    /// The first byte behind white space, and where it stands.
    #[inline(always)]
    pub(super) fn token(self, at: usize) -> Option<(u8, usize)> {
        match self.byte(at)? {
            0..=b' ' => {
                let at = self.behind_space(at);
                Some((self.byte(at)?, at))
            }
            byte => Some((byte, at)),
        }
    }

    /// Behind a token that has to stand here.
    #[inline(always)]
    pub(super) fn behind_token(self, at: usize, expected: u8) -> Option<usize> {
        if self.byte(at)? == expected {
            return Some(at + 1);
        }
        let at = self.behind_space(at);
        (self.byte(at)? == expected).then_some(at + 1)
    }

    /// Not inlined: payloads are sent without white space.
    #[inline(never)]
    fn behind_space(self, mut at: usize) -> usize {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte(at) {
            at += 1;
        }
        at
    }

    #[inline]
    pub(super) fn behind_literal(self, at: usize, literal: &str) -> Option<usize> {
        let rest = self.0.as_bytes().get(at..)?;
        rest.starts_with(literal.as_bytes()).then_some(at + literal.len())
    }
}

/// Strings, from behind the opening quote.
impl<'a> Scanner<'a> {
    /// Behind a string that is skipped.
    #[inline(always)]
    pub(super) fn behind_string(self, start: usize) -> Option<usize> {
        let end = self.plain_end(start);
        if self.byte(end)? == b'"' { Some(end + 1) } else { self.behind_escapes(end) }
    }

    /// Behind a string in which something stands here that does not stand for itself.
    #[cold]
    fn behind_escapes(self, mut at: usize) -> Option<usize> {
        while self.byte(at)? != b'"' {
            at = self.behind_literal(at, "\\")?;
            let escape = self.byte(at)?;
            at += 1;
            match escape {
                b'u' => (_, at) = self.hex(at)?,
                _ => _ = simple_escape(escape)?,
            }
            at = self.plain_end(at);
        }
        Some(at + 1)
    }

    /// A string, unless something stands in it that does not stand for itself, and the place
    /// behind it.
    #[inline(always)]
    pub(super) fn plain_string(self, start: usize) -> Option<(&'a str, usize)> {
        let end = self.plain_end(start);
        if self.byte(end)? != b'"' {
            return None;
        }
        Some((self.part(start, end)?, end + 1))
    }

    /// Any string, and the place behind it; `None` for one that is no text.
    pub(super) fn string(self, start: usize) -> Option<(Cow<'a, str>, usize)> {
        match self.plain_string(start) {
            Some((plain, behind)) => Some((Cow::Borrowed(plain), behind)),
            None => self.unescaped(start).map(|(text, behind)| (Cow::Owned(text), behind)),
        }
    }

    /// A string in which something stands that does not stand for itself.
    #[cold]
    pub(super) fn unescaped(self, mut at: usize) -> Option<(String, usize)> {
        // What an escape stands for takes less room than the escape.
        let mut text = String::with_capacity(self.behind_string(at)? - at);
        loop {
            let end = self.plain_end(at);
            text.push_str(self.part(at, end)?);
            if self.byte(end)? == b'"' {
                return Some((text, end + 1));
            }
            let (char, behind) = self.escape(self.behind_literal(end, "\\")?)?;
            text.push(char);
            at = behind;
        }
    }

    /// What an escape stands for, behind its backslash.
    fn escape(self, at: usize) -> Option<(char, usize)> {
        let (escape, at) = (self.byte(at)?, at + 1);
        if escape != b'u' {
            return Some((simple_escape(escape)?, at));
        }
        let (unit, at) = self.hex(at)?;
        if let Some(char) = char::from_u32(unit.into()) {
            return Some((char, at));
        }
        let (low, at) = self.hex(self.behind_literal(at, r"\u")?)?;
        match char::decode_utf16([unit, low]).next()? {
            Ok(char) if char.len_utf16() == 2 => Some((char, at)),
            _ => None,
        }
    }

    /// Four hexadecimal digits.
    fn hex(self, at: usize) -> Option<(u16, usize)> {
        let digits = self.part(at, at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        Some((u16::from_str_radix(digits, 16).ok()?, at + digits.len()))
    }

    /// Where the part of a string ends that stands for itself: at a quote, a backslash or a
    /// control character. Eight bytes are looked at together.
    #[inline(always)]
    fn plain_end(self, start: usize) -> usize {
        let bytes = self.0.as_bytes();
        let mut rest = bytes.get(start..).unwrap_or_default();
        while let Some((chunk, behind)) = rest.split_first_chunk() {
            let special = special_bytes(u64::from_le_bytes(*chunk));
            if special != 0 {
                return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
            }
            rest = behind;
        }
        bytes.len() - rest.len() + plain_length(rest)
    }
}

/// How many of a few bytes stand for themselves.
#[cold]
#[inline(never)]
fn plain_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

fn simple_escape(escape: u8) -> Option<char> {
    Some(match escape {
        b'"' | b'\\' | b'/' => char::from(escape),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// The highest bit of every byte that is a quote, a backslash or a control character, and perhaps
/// of others behind the first such one.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    // With this bit turned, a quote comes right behind the control characters.
    let control_or_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (control_or_quote | backslash) & !word & HIGHEST_BITS
}

/// Numbers.
impl Scanner<'_> {
    /// A number, and the place behind it; `None` for one out of range.
    #[inline(always)]
    pub(super) fn number(self, start: usize) -> Option<(Number, usize)> {
        if let Some((number, length)) = Number::short(self.0.as_bytes().get(start..)?) {
            return Some((number, start + length));
        }
        let behind = self.behind_number(start)?;
        Some((Number::from_json_text(self.part(start, behind)?)?, behind))
    }

    pub(super) fn behind_number(self, mut at: usize) -> Option<usize> {
        if self.byte(at) == Some(b'-') {
            at += 1;
        }
        match self.byte(at)? {
            b'0' => at += 1,
            _ => at = self.behind_digits(at)?,
        }
        if self.byte(at) == Some(b'.') {
            at = self.behind_digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.byte(at) {
            at += 1;
            if let Some(b'+' | b'-') = self.byte(at) {
                at += 1;
            }
            at = self.behind_digits(at)?;
        }
        // A digit behind a leading zero is left over, and no value ends there.
        Some(at)
    }

    #[inline(always)]
    fn behind_digits(self, start: usize) -> Option<usize> {
        let mut at = start;
        while self.byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at += 1;
        }
        (at > start).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn plain_text_ends_at_the_first_special_byte() {
        for length in 0..40 {
            for special in ["\"", "\\", "\u{1f}", "\0", "\n"] {
                let text = format!("{}{special}\"\\\u{1}tail", "é a!#[]~\u{7f}".repeat(9));
                let expected = text.find(special).unwrap();
                let start = expected.saturating_sub(length);
                assert_eq!(Scanner::new(&text).plain_end(start), expected);
            }
        }
    }
}
