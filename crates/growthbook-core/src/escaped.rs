//! Text of a payload or user as part of a line of a log or an explanation.

use core::fmt::{self, Write};

/// Displays a value with its control characters escaped. So a key with a line break cannot look
/// like another line, and a key with a terminal's control sequence has no effect.
///
/// Quotes and backslashes stay as they are.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(formatter), "{}", self.0)
    }
}

struct Escaper<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((index, character)) = rest.char_indices().find(|(_, it)| is_control(*it)) {
            let (plain, escaped) = rest.split_at(index);
            write!(self.0, "{plain}{}", character.escape_default())?;
            rest = escaped.get(character.len_utf8()..).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

/// Whether a character ends a line, controls a terminal, or changes the direction of text.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let cases = [
            ("", ""),
            ("fr_1", "fr_1"),
            (r#"a "b" \ c'"#, r#"a "b" \ c'"#),
            ("prix_é_日本", "prix_é_日本"),
            ("a\nb\r\n", r"a\nb\r\n"),
            ("\u{1b}[2J\u{7f}\u{85}", r"\u{1b}[2J\u{7f}\u{85}"),
            ("a\u{2028}b\u{202e}c", r"a\u{2028}b\u{202e}c"),
        ];
        for (text, expected) in cases {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }
}
