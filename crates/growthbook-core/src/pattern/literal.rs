//! Patterns that are plain text, such as `@example\.com$`. They are common, and faster to search
//! for than a regular expression.

use alloc::{boxed::Box, string::String};

/// A text, and whether it must be at the start or at the end.
#[derive(Clone, Debug)]
pub(crate) struct LiteralPattern {
    source: Box<str>,
    text: Box<str>,
    at_start: bool,
    at_end: bool,
}

impl LiteralPattern {
    /// Reads a pattern. `None` if it is not plain text, or invalid.
    ///
    /// A search in UTF-8 finds the same texts as one in UTF-16, since neither text has half a
    /// surrogate pair.
    pub(super) fn read(pattern: &str) -> Option<Self> {
        let (at_start, rest) = match pattern.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        let mut text = String::with_capacity(rest.len());
        let mut at_end = false;
        let mut chars = rest.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => text.push(chars.next().filter(char::is_ascii_punctuation)?),
                '$' if chars.as_str().is_empty() => at_end = true,
                '^' | '$' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => {
                    return None;
                }
                plain => text.push(plain),
            }
        }
        Some(LiteralPattern { source: pattern.into(), text: text.into(), at_start, at_end })
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        match (self.at_start, self.at_end) {
            (true, true) => *text == *self.text,
            (true, false) => text.starts_with(&*self.text),
            (false, true) => text.ends_with(&*self.text),
            (false, false) => text.contains(&*self.text),
        }
    }
}

#[cfg(feature = "regex")]
#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::budget::Budget;
    use crate::pattern::{LazyRegex, translate};

    #[test]
    fn literal_patterns_are_plain_text() {
        let literal = ["", "^", "$", "^$", "a", r"^a\.b/c-d\$$", r"\^", "é\u{1f600}", "a,b=c"];
        for pattern in literal {
            assert!(LiteralPattern::read(pattern).is_some(), "{pattern}");
        }
        let others = [
            "a.b", "a*", "a|b", "(a)", "[a]", "a{", "a}", "a$b", "a^", r"\d", r"\n", r"\1", "\\",
            r"\é", r"a\_$|", "^^",
        ];
        for pattern in others {
            assert!(LiteralPattern::read(pattern).is_none(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn literal_matches_like_its_translated_pattern(
            pattern in r"\^?([a-c/é\x{1f600}]|\\[./\-$^_]){0,3}\$?",
            text in r"[a-c./\-$^_é\x{1f600}\n]{0,6}",
        ) {
            let literal = LiteralPattern::read(&pattern).unwrap();
            let translated = translate(&pattern, None).unwrap();
            let regex = LazyRegex::new(&pattern, false, &translated, Arc::default()).unwrap();
            prop_assert_eq!(Some(literal.is_in(&text)), regex.test(&text, &Budget::default()), "{}", pattern);
        }
    }
}
