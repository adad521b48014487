//! Patterns that ask for a text and nothing else, such as `@example\.com$`: many do, and finding
//! a text takes no automaton.

use alloc::{boxed::Box, string::String};

/// A text, and whether it has to stand at the start or at the end.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    source: Box<str>,
    text: Box<str>,
    at_start: bool,
    at_end: bool,
}

impl Literal {
    /// `None` for a pattern that has anything else in it, or is none.
    ///
    /// Characters beyond the Basic Multilingual Plane stay whole: two texts without halves of
    /// them have a part in common in UTF-8 where they have it in UTF-16.
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
        Some(Literal { source: pattern.into(), text: text.into(), at_start, at_end })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::{LazyRegex, translate};

    #[test]
    fn which_patterns_are_literal() {
        let literal = ["", "^", "$", "^$", "a", r"^a\.b/c-d\$$", r"\^", "é\u{1f600}", "a,b=c"];
        for pattern in literal {
            assert!(Literal::read(pattern).is_some(), "{pattern}");
        }
        let others = [
            "a.b", "a*", "a|b", "(a)", "[a]", "a{", "a}", "a$b", "a^", r"\d", r"\n", r"\1", "\\",
            r"\é", r"a\_$|", "^^",
        ];
        for pattern in others {
            assert!(Literal::read(pattern).is_none(), "{pattern}");
        }
    }

    proptest! {
        /// What is read as a text matches where the translated pattern does.
        #[test]
        fn a_literal_matches_as_its_pattern(
            pattern in r"\^?([a-c/é\x{1f600}]|\\[./\-$^_]){0,3}\$?",
            text in r"[a-c./\-$^_é\x{1f600}\n]{0,6}",
        ) {
            let literal = Literal::read(&pattern).unwrap();
            let translated = translate(&pattern, None).unwrap();
            let regex = LazyRegex::new(&pattern, false, &translated).unwrap();
            prop_assert_eq!(literal.is_in(&text), regex.is_match(&text), "{}", pattern);
        }
    }
}
