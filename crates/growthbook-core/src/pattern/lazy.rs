//! A regular expression that is built when it is first used.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, Ordering};

use once_cell::race::OnceBox;
use regex::bytes::{Regex, RegexBuilder};

use super::backtrack::{self, Program};
use super::reports::LimitReports;
use super::translate::{Translated, compile_backtracking, translate};
use super::{CaseFolding, PatternError, units};
use crate::budget::{Budget, text_steps};
use crate::limits::{MAX_BACKTRACKING_STEPS, MAX_PATTERN_MEMORY, MAX_SPLIT_CHARACTERS};

/// Up to this length, with repetitions written out, a pattern takes less than
/// [`MAX_PATTERN_MEMORY`].
const MAX_ORDINARY_LENGTH: usize = 2 * 1024;
/// Up to this depth of groups, a pattern nests less deep than the `regex` crate allows.
const MAX_ORDINARY_GROUP_DEPTH: usize = 50;

/// The steps to build any expression.
const BUILD_STEPS: usize = 200;
/// How many bytes of an expression, with repetitions written out, are built in one step.
const BUILT_PER_STEP: usize = 4;
/// How many steps of a search that backtracks are one step of the evaluation. So four searches at
/// their limit end the budget.
const BACKTRACKING_PER_STEP: usize = 4;
/// How many states are visited in one step.
const STATES_PER_STEP: usize = 32;

/// A pattern that was translated without an error.
///
/// An ordinary pattern is built when it is first used. Most patterns of a payload are never used,
/// and building them all would take longer than the rest of compiling. Threads that use it first at
/// the same time each build it, without waiting, and one of the results is kept.
#[derive(Debug)]
pub(crate) struct LazyRegex {
    engine: OnceBox<Engine>,
    source: Box<str>,
    /// See [`Translated::expanded_length`].
    expanded_length: u32,
    /// See [`Translated::states`].
    states: u32,
    ignore_case: bool,
    needs_backtracking: bool,
    /// Whether an empty match may be inside a character. JavaScript does not match there.
    may_split_characters: bool,
    /// Whether a search reached [`MAX_BACKTRACKING_STEPS`].
    has_reached_limit: AtomicBool,
    reports: Arc<LimitReports>,
}

/// What runs a pattern.
#[derive(Debug)]
enum Engine {
    /// In linear time.
    Linear(Regex),
    Backtracking(Program),
}

impl LazyRegex {
    /// Builds the expression now if it might be too large, since only building shows that.
    pub(super) fn new(
        source: &str,
        ignore_case: bool,
        translated: &Translated,
        reports: Arc<LimitReports>,
    ) -> Result<Self, PatternError> {
        let engine = if translated.needs_backtracking || translated.is_ordinary() {
            OnceBox::new()
        } else {
            OnceBox::with_value(Box::new(Engine::Linear(translated.build()?)))
        };
        Ok(LazyRegex {
            engine,
            source: source.into(),
            expanded_length: translated.expanded_length.try_into().unwrap_or(u32::MAX),
            states: translated.states.try_into().unwrap_or(u32::MAX),
            ignore_case,
            needs_backtracking: translated.needs_backtracking,
            may_split_characters: translated.has_non_word_boundary,
            has_reached_limit: AtomicBool::new(false),
            reports,
        })
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Returns the source and whether case is ignored. Expressions with the same identity match the
    /// same texts.
    pub(super) fn identity(&self) -> (&str, bool) {
        (&self.source, self.ignore_case)
    }

    pub(super) fn expanded_length(&self) -> usize {
        self.expanded_length.try_into().unwrap_or(usize::MAX)
    }

    /// Returns the number of steps to search a text, in the worst case: each state may be active
    /// at each byte. Building the expression counts, too. A search that backtracks counts its own
    /// steps.
    fn steps(&self, text_length: usize) -> usize {
        let built = BUILD_STEPS + self.expanded_length() / BUILT_PER_STEP;
        if self.needs_backtracking {
            return built + text_steps(text_length);
        }
        let states = usize::try_from(self.states).unwrap_or(usize::MAX);
        let search = text_length.saturating_mul(states) / STATES_PER_STEP;
        // Each empty match inside a character starts another search.
        let searches =
            if self.may_split_characters { text_length.clamp(1, MAX_SPLIT_CHARACTERS) } else { 1 };
        built.saturating_add(search.saturating_mul(searches))
    }

    /// Whether a search reached [`MAX_BACKTRACKING_STEPS`].
    pub(super) fn has_reached_limit(&self) -> bool {
        self.has_reached_limit.load(Ordering::Relaxed)
    }

    /// Whether the pattern matches anywhere in the text. `None` if the search takes too long.
    pub(super) fn test(&self, text: &str, budget: &Budget) -> Option<bool> {
        if !budget.take(self.steps(text.len())) {
            return None;
        }
        match self.engine.get_or_try_init(|| self.build()) {
            Ok(Engine::Linear(regex)) => Some(self.is_match(regex, text)),
            Ok(Engine::Backtracking(program)) => self.backtrack(program, text, budget),
            Err(_) => Some(false),
        }
    }

    /// Searches with backtracking, up to the limit of one search or the rest of the budget.
    fn backtrack(&self, program: &Program, text: &str, budget: &Budget) -> Option<bool> {
        let rest = budget.left().saturating_mul(BACKTRACKING_PER_STEP);
        let limit = u32::try_from(rest).unwrap_or(u32::MAX).min(MAX_BACKTRACKING_STEPS);
        let units: Vec<u16> = text.encode_utf16().collect();
        let (matches, steps) = backtrack::is_match(program, &units, limit);
        budget.spend(steps.div_ceil(BACKTRACKING_PER_STEP));
        if matches.is_none()
            && limit == MAX_BACKTRACKING_STEPS
            && !self.has_reached_limit.swap(true, Ordering::Relaxed)
        {
            self.reports.report(&self.source);
        }
        matches
    }

    fn is_match(&self, regex: &Regex, text: &str) -> bool {
        // Only characters beyond the Basic Multilingual Plane start with such a byte.
        if text.bytes().any(|byte| byte >= 0xf0) {
            self.is_match_in_plane(regex, &split_characters(text))
        } else {
            self.is_match_in_plane(regex, text)
        }
    }

    fn is_match_in_plane(&self, regex: &Regex, text: &str) -> bool {
        if self.may_split_characters {
            let mut found = regex.find_iter(text.as_bytes()).take(MAX_SPLIT_CHARACTERS);
            found.any(|found| text.is_char_boundary(found.start()))
        } else {
            regex.is_match(text.as_bytes())
        }
    }

    /// Builds the expression. It cannot fail, since the pattern was translated before, and is
    /// ordinary or needs backtracking.
    fn build(&self) -> Result<Box<Engine>, PatternError> {
        let folding = CaseFolding::default();
        let folding = self.ignore_case.then_some(&folding);
        let engine = if self.needs_backtracking {
            Engine::Backtracking(compile_backtracking(&self.source, folding)?)
        } else {
            Engine::Linear(translate(&self.source, folding)?.build()?)
        };
        Ok(Box::new(engine))
    }
}

/// Replaces each character with the stand-ins of its code units.
fn split_characters(text: &str) -> String {
    text.encode_utf16().filter_map(units::stand_in).collect()
}

impl Translated {
    /// Whether building it is certain to succeed and takes a short time.
    fn is_ordinary(&self) -> bool {
        self.expanded_length <= MAX_ORDINARY_LENGTH
            && self.group_depth <= MAX_ORDINARY_GROUP_DEPTH
            && !self.folds_beyond_ascii
    }

    fn build(&self) -> Result<Regex, PatternError> {
        RegexBuilder::new(&self.pattern)
            .size_limit(MAX_PATTERN_MEMORY)
            .build()
            .map_err(|_| PatternError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LENGTH_OF_EXPRESSION;

    /// Ordinary patterns never fail when they are used, even close to the limits.
    #[test]
    fn ordinary_patterns_can_be_built() {
        let nested = |group: &str, depth: usize| {
            alloc::format!("{}a{}", group.repeat(depth), ")+".repeat(depth))
        };
        let worst = [
            "a".repeat(MAX_ORDINARY_LENGTH),
            "[^a]".repeat(MAX_ORDINARY_LENGTH / 100),
            r"\S".repeat(MAX_ORDINARY_LENGTH / 300),
            r"[\u0801-\ufffe]".repeat(MAX_ORDINARY_LENGTH / 80),
            r"[\u0081\u0801\ud801\ufffe]".repeat(MAX_ORDINARY_LENGTH / 90),
            r"\ud83d\ude00".repeat(MAX_ORDINARY_LENGTH / 8),
            "(?:x*|)".repeat(MAX_ORDINARY_LENGTH / 7),
            "x*".repeat(MAX_ORDINARY_LENGTH / 2),
            "@+".repeat(MAX_ORDINARY_LENGTH / 2),
            "(?:){0,400}".into(),
            "(?:a?){100}".into(),
            "[^]{35}".into(),
            "(a|b|cd|)".repeat(MAX_ORDINARY_LENGTH / 11),
            nested("(a|b", MAX_ORDINARY_GROUP_DEPTH),
            nested("(?:x{1,3}", 50),
        ];
        for source in &worst {
            let translated = translate(source, None).unwrap();
            assert!(translated.is_ordinary(), "{} {source}", translated.expanded_length);
            let regex = translated.build().map(drop);
            assert_eq!(regex, Ok(()), "{source}");
            // Far from the limit, not just below it.
            let builder =
                RegexBuilder::new(&translated.pattern).size_limit(MAX_PATTERN_MEMORY / 2).build();
            assert!(builder.is_ok(), "{source}");
        }
    }

    /// Built expressions are not part of the memory of definitions. Their bound is that of all
    /// lengths together.
    #[test]
    fn memory_of_built_expressions_is_bounded() {
        let patterns = [
            "a+".into(),
            ".".into(),
            r"^\w+@\w+$".into(),
            "(?:ab|cd|ef)+x".into(),
            r"\S{5}".into(),
            r"[^\u0080-\u0801]".into(),
            "ab".repeat(900) + "c+",
            "x*".repeat(900),
            "[^a]".repeat(20),
            r"\b.\B".repeat(5),
            "(?=a)".into(),
            "(?=(a))".repeat(200),
            r"(?<=[^\u0100-\uff00])".repeat(100),
        ];
        for source in &patterns {
            let translated = translate(source, None).unwrap();
            let length = translated.expanded_length + LENGTH_OF_EXPRESSION;
            let regex = LazyRegex::new(source, false, &translated, Arc::default()).unwrap();
            let measured = allocation_counter::measure(|| {
                regex.test("some text of usual length, é", &Budget::default());
            });
            let factor = measured.bytes_current / i64::try_from(length).unwrap();
            std::println!(
                "{factor:>4} bytes per byte, {} in all: {source:.20}",
                measured.bytes_current
            );
            assert!(factor <= 100, "{factor} {source}");
        }
    }
}
