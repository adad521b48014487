//! JavaScript's regular expressions: without the `u` flag, and with Annex B.
//!
//! A pattern is translated to one of the `regex` crate that matches the same texts, in linear time.
//! The `regex` crate does not have look-around and back-references. Patterns with them are compiled
//! for a matcher of our own, which backtracks and has a step limit: [`backtrack`].
//!
//! JavaScript matches UTF-16 code units. A character of the Basic Multilingual Plane is one unit,
//! and is matched unchanged. Any other character is two units. For the `regex` crate, each of
//! the two is replaced by a stand-in: a character from a private-use plane. This happens in the
//! pattern and in the text.

#[cfg(feature = "regex")]
mod backtrack;
#[cfg(feature = "regex")]
mod fold;
#[cfg(feature = "regex")]
mod lazy;
#[cfg(not(feature = "regex"))]
#[path = "left_out.rs"]
mod lazy;
mod literal;
mod pool;
mod reports;
#[cfg(feature = "regex")]
mod translate;
#[cfg(feature = "regex")]
mod units;

use alloc::{boxed::Box, sync::Arc};
use core::cell::{Cell, RefCell};
use core::fmt;

#[cfg(feature = "regex")]
use fold::CaseFolding;
pub(crate) use lazy::LazyRegex;
pub(crate) use literal::LiteralPattern;
pub(crate) use pool::PatternPool;
#[cfg(feature = "regex")]
use translate::translate;

use crate::budget::{Budget, text_steps};
use crate::limits::{
    LENGTH_OF_EXPRESSION, MAX_PATTERN_LENGTH, MAX_PATTERN_MEMORY, MAX_PATTERNS_LENGTH,
};

/// A compiled pattern: plain text or a regular expression.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Literal(Box<LiteralPattern>),
    /// Equal patterns share one regular expression, within a snapshot and between snapshots.
    Regex(Arc<LazyRegex>),
}

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// JavaScript rejects the pattern, too.
    #[cfg(feature = "regex")]
    Syntax(&'static str),
    /// The pattern needs the Cargo feature `regex`.
    #[cfg(not(feature = "regex"))]
    LeftOut,
    /// The pattern exceeds [`MAX_PATTERN_LENGTH`] or [`MAX_PATTERN_MEMORY`], or the patterns of the
    /// payload so far exceed [`MAX_PATTERNS_LENGTH`].
    TooLarge,
}

impl fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "regex")]
            PatternError::Syntax(what) => write!(formatter, "invalid: {what}"),
            #[cfg(not(feature = "regex"))]
            PatternError::LeftOut => {
                formatter.write_str("it needs the Cargo feature `regex` of growthbook-core")
            }
            PatternError::TooLarge => write!(
                formatter,
                "too large: more than {MAX_PATTERN_LENGTH} bytes, more than {MAX_PATTERN_MEMORY} \
                 bytes when compiled, or more than {MAX_PATTERNS_LENGTH} bytes together with \
                 earlier patterns of the payload"
            ),
        }
    }
}

impl PatternError {
    /// Whether JavaScript rejects the pattern as well.
    pub(crate) fn is_syntax(self) -> bool {
        match self {
            #[cfg(feature = "regex")]
            PatternError::Syntax(_) => true,
            _ => false,
        }
    }
}

/// Compiles patterns. The patterns of a payload use one compiler, and share its budget.
#[derive(Default)]
pub(crate) struct PatternCompiler {
    #[cfg(feature = "regex")]
    folding: CaseFolding,
    /// The length of the different patterns so far, with their repetitions written out.
    expanded: Cell<usize>,
    compiled: RefCell<PatternPool>,
    /// The expressions of an older snapshot, for reuse.
    earlier: PatternPool,
}

impl PatternCompiler {
    /// Makes a compiler that reuses regular expressions of an older snapshot.
    pub(crate) fn after(earlier: &PatternPool) -> Self {
        PatternCompiler {
            compiled: RefCell::new(earlier.successor()),
            earlier: earlier.clone(),
            ..PatternCompiler::default()
        }
    }

    /// Makes a compiler for a snapshot that shares definitions with an older one. It starts with
    /// the regular expressions of those definitions.
    pub(crate) fn continuing(pool: &PatternPool) -> Self {
        let pool = pool.in_use();
        PatternCompiler {
            expanded: Cell::new(pool.spent),
            compiled: RefCell::new(pool),
            ..PatternCompiler::default()
        }
    }

    /// Returns the regular expressions that were compiled.
    pub(crate) fn into_pool(self) -> PatternPool {
        let mut pool = self.compiled.into_inner();
        pool.spent = self.expanded.get();
        pool
    }

    pub(crate) fn compile(&self, source: &str, ignore_case: bool) -> Result<Pattern, PatternError> {
        if source.len() > MAX_PATTERN_LENGTH {
            return Err(PatternError::TooLarge);
        }
        if !ignore_case && let Some(literal) = LiteralPattern::read(source) {
            return Ok(Pattern::Literal(Box::new(literal)));
        }
        if let Some(same) = self.compiled.borrow().get(source, ignore_case) {
            return Ok(Pattern::Regex(same));
        }
        let regex = match self.earlier.get(source, ignore_case) {
            Some(earlier) => {
                self.spend(earlier.expanded_length())?;
                earlier
            }
            None => Arc::new(self.translate(source, ignore_case)?),
        };
        self.compiled.borrow_mut().insert(regex.clone());
        Ok(Pattern::Regex(regex))
    }

    #[cfg(feature = "regex")]
    fn translate(&self, source: &str, ignore_case: bool) -> Result<LazyRegex, PatternError> {
        let folding = ignore_case.then_some(&self.folding);
        let translated = translate(source, folding)?;
        self.spend(translated.expanded_length)?;
        let reports = self.compiled.borrow().reports().clone();
        LazyRegex::new(source, ignore_case, &translated, reports)
    }

    #[cfg(not(feature = "regex"))]
    fn translate(&self, _: &str, _: bool) -> Result<LazyRegex, PatternError> {
        Err(PatternError::LeftOut)
    }

    /// Takes the length of an expression from the budget of the payload.
    fn spend(&self, length: usize) -> Result<(), PatternError> {
        if length > MAX_PATTERNS_LENGTH {
            // No other pattern has a part in this.
            return Err(PatternError::TooLarge);
        }
        let expanded = self.expanded.get().saturating_add(LENGTH_OF_EXPRESSION + length);
        if expanded > MAX_PATTERNS_LENGTH {
            self.compiled.borrow_mut().set_exhausted();
            return Err(PatternError::TooLarge);
        }
        self.expanded.set(expanded);
        Ok(())
    }
}

impl Pattern {
    /// Returns the pattern as written.
    pub(crate) fn source(&self) -> &str {
        match self {
            Pattern::Literal(literal) => literal.source(),
            Pattern::Regex(regex) => regex.source(),
        }
    }

    /// Whether the pattern matches anywhere in the text. `None` if the budget is spent, or if the
    /// search takes more than [`MAX_BACKTRACKING_STEPS`](crate::limits::MAX_BACKTRACKING_STEPS).
    pub(crate) fn test(&self, text: &str, budget: &Budget) -> Option<bool> {
        match self {
            Pattern::Literal(literal) => {
                budget.take(text_steps(text.len())).then(|| literal.is_in(text))
            }
            Pattern::Regex(regex) => regex.test(text, budget),
        }
    }
}

#[cfg(feature = "regex")]
#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        PatternCompiler::default()
            .compile(pattern, false)
            .unwrap()
            .test(text, &Budget::default())
            .unwrap()
    }

    fn is_match_ignoring_case(pattern: &str, text: &str) -> bool {
        PatternCompiler::default()
            .compile(pattern, true)
            .unwrap()
            .test(text, &Budget::default())
            .unwrap()
    }

    /// The expected results are those of `new RegExp(pattern).test(text)` in Node.
    #[test]
    fn patterns_match_as_in_javascript() {
        let cases = [
            ("", "", true),
            ("a|", "b", true),
            ("^abc$", "abc", true),
            ("^abc$", "abc\n", false),
            ("a.c", "a\nc", false),
            ("a.c", "a\u{2028}c", false),
            ("a.c", "a\u{85}c", true),
            (r"^\w$", "é", false),
            (r"^\d$", "٣", false),
            (r"^\s$", "\u{feff}", true),
            (r"^\s$", "\u{85}", false),
            (r"\bé", "é", false),
            (r"\B", "é", true),
            (r"\B", "aéb", false),
            (r"\B", "ab", true),
            ("^[^]$", "\n", true),
            ("[]", "a", false),
            ("[]", "", false),
            ("a{,3}", "a{,3}", true),
            ("^a{2,3}$", "aa", true),
            ("^a{2,3}$", "aaaa", false),
            ("x{", "x{", true),
            ("]}", "]}", true),
            (r"^[\d-x]+$", "1-x", true),
            (r"^\cJ$", "\n", true),
            (r"^\c$", r"\c", true),
            (r"^\z$", "z", true),
            (r"^\A\Z$", "AZ", true),
            (r"^\p{L}$", "p{L}", true),
            (r"^\u0041\x42$", "AB", true),
            (r"^\u{3}$", "uuu", true),
            (r"^\x4$", "x4", true),
            (r"^\101\8\0$", "A8\0", true),
            (r"^\/a/$", "/a/", true),
            (r"^(?<year>\d{4})$", "2026", true),
            (r"^\k<a>$", "k<a>", true),
            ("^.$", "\u{1f600}", false),
            ("^..$", "\u{1f600}", true),
            ("^\u{1f600}$", "\u{1f600}", true),
            ("^\u{1f600}+$", "\u{1f600}\u{1f600}", false),
            ("[\u{1f600}]", "\u{1f601}", true),
            (r"^\ud83d", "\u{1f600}", true),
            (r"^[^\ud800-\udfff]$", "\u{ffff}", true),
            (r"^[\b]$", "\u{8}", true),
            ("^(a*)*$", "aaa", true),
            ("a+?b??", "a", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(is_match(pattern, text), expected, "/{pattern}/ in {text:?}");
        }
    }

    #[test]
    fn case_is_ignored_as_in_javascript() {
        let cases = [
            ("^HeLLo$", "hEllO", true),
            ("^[a-c]+$", "ABC", true),
            ("^[^a]$", "A", false),
            ("^ß$", "ẞ", false),
            ("ss", "ß", false),
            ("^é$", "É", true),
            ("^[à-ü]$", "É", true),
            ("^s$", "ſ", false),
            ("^k$", "\u{212a}", false),
            ("^\u{212a}$", "k", false),
            ("^µ$", "μ", true),
            ("^σ$", "ς", true),
            (r"^\w$", "ſ", false),
            (r"^[\W]$", "s", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(is_match_ignoring_case(pattern, text), expected, "/{pattern}/i in {text:?}");
        }
    }

    #[test]
    fn invalid_pattern_is_a_syntax_error() {
        let patterns = [
            "(",
            ")",
            "[",
            "a**",
            "a++",
            "?a",
            "{1}",
            "a{2}{3}",
            "[z-a]",
            "(?i)a",
            "(?>a)",
            "(?P<n>a)",
            "a{3,2}",
            "\\",
            "^*",
            r"\b+",
            "(?<n>a)(?<n>b)",
            "(?<1>a)",
            r"(?<n>a)\k",
            "(?:a",
            "(?<n",
            "(?=a",
            "(?<=a",
            "(?<=a)*",
            "(?<!a)?b",
            r"(?<n>a)\k<m>",
        ];
        for pattern in patterns {
            let error = PatternCompiler::default().compile(pattern, false).unwrap_err();
            assert!(matches!(error, PatternError::Syntax(_)), "/{pattern}/: {error}");
        }
    }

    #[test]
    fn search_ends_at_the_step_limit() {
        let patterns =
            ["(?=(a+)+b)", "(?=(?:a|a)*b)", r"(a*)*\1b", "(?<=b(a+)+)c|(?<=b(a|a)+)$", "(?!.*b)c"];
        let text = "a".repeat(64 * 1024);
        for pattern in patterns {
            let compiled = PatternCompiler::default().compile(pattern, false).unwrap();
            assert_eq!(compiled.test(&text, &Budget::default()), None, "/{pattern}/");
        }
        assert!(is_match("^(?!.*b)", &text));
        assert!(is_match(r"^(?=.*a$)(a)\1", &text));
    }

    #[test]
    fn patterns_of_a_payload_are_limited_together() {
        let compiled = |pattern: &str, count: usize| {
            let compiler = PatternCompiler::default();
            let patterns = (0..count).map(|number| alloc::format!("{pattern}{number}"));
            patterns.filter(|pattern| compiler.compile(pattern, false).is_ok()).count()
        };
        // Thousands of ordinary patterns fit. Of patterns with many repetitions, few fit.
        assert_eq!(compiled(r"^user-\d+@example\.com/", 2_000), 2_000);
        let large = compiled("(?:a{100}){1,100}", 2_000);
        assert!((1..2_000).contains(&large), "{large}");
        assert_eq!(compiled("(?:(?:a{999}){999}){999}", 1), 0);
    }

    #[test]
    fn compiled_patterns_are_reused() {
        let same = |a: &Pattern, b: &Pattern| match (a, b) {
            (Pattern::Regex(a), Pattern::Regex(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        let first = PatternCompiler::default();
        let large = "(?:a{100}){1,100}";
        let patterns = [("a+", false), ("a+", true), ("b+", false), (large, false)];
        let compiled = patterns.map(|(source, fold)| first.compile(source, fold).unwrap());
        let again = patterns.map(|(source, fold)| first.compile(source, fold).unwrap());
        assert!(compiled.iter().zip(&again).all(|(a, b)| same(a, b)));

        let expanded = first.expanded.get();
        let second = PatternCompiler::after(&first.into_pool());
        let later = patterns.map(|(source, fold)| second.compile(source, fold).unwrap());
        assert!(compiled.iter().zip(&later).all(|(a, b)| same(a, b)));
        assert!(!same(&later[0], &later[1]) && !same(&later[0], &later[2]));
        // A reused expression counts like a new one.
        assert_eq!(second.expanded.get(), expanded);
    }

    #[test]
    fn size_of_a_pattern_is_limited() {
        let long = "a".repeat(MAX_PATTERN_LENGTH + 1);
        let deep = "(".repeat(5_000) + &")".repeat(5_000);
        for pattern in [long.as_str(), "a{60000}{1}b", "(?:a{1000}){1000}", &deep, "a{9999999999}"]
        {
            assert!(PatternCompiler::default().compile(pattern, false).is_err());
        }
        assert!(is_match("^a{0,9999999999}$", "aaa"));
    }
}
