//! Every limit on payloads and evaluations: what it bounds, and what happens beyond it.
//!
//! A refused pattern is reported as a [`Warning`](crate::Warning), and no user passes its test.

/// How deep arrays and objects may nest. Deeper text is refused, as by `serde_json`; deeper values
/// from the caller are cut to null.
pub(crate) const MAX_JSON_DEPTH: usize = 128;

/// How many prerequisites may follow one another. Beyond it a feature has no value, as in a cycle,
/// and the snapshot has a [`Warning`](crate::Warning).
pub const MAX_PREREQUISITE_DEPTH: u32 = 64;
/// How many features one evaluation may look at, repetitions included: the number can double with
/// every level of prerequisites. Beyond it a feature has no value, as in a cycle.
pub(crate) const MAX_FEATURE_EVALUATIONS: u32 = 10_000;
/// How many rules one evaluation may look at, those of prerequisites included. Beyond it a feature
/// has no value, as in a cycle.
pub(crate) const MAX_RULE_EVALUATIONS: u32 = 1_000_000;

/// How many levels of conditions, lists and saved groups one evaluation may descend through.
/// Beyond it the condition fails. Together with [`MAX_JSON_DEPTH`] this bounds the stack.
pub(crate) const MAX_CONDITION_DEPTH: u32 = 512;
/// How many parts of conditions one evaluation may look at, over all branches. Beyond it the
/// condition fails.
pub(crate) const MAX_CONDITION_PARTS: usize = 1_000_000;
/// How many condition groups may refer to one another in a row. Beyond it the condition fails, and
/// the snapshot has a warning.
pub(crate) const MAX_SAVED_GROUP_DEPTH: u32 = 128;
/// How many condition groups one evaluation may enter, over all branches. Beyond it the condition
/// fails, and the snapshot has a warning.
pub(crate) const MAX_SAVED_GROUP_EVALUATIONS: u32 = 4_096;

/// How long a pattern may be, in bytes of UTF-8. A longer one is refused.
pub(crate) const MAX_PATTERN_LENGTH: usize = 32 * 1024;
/// How deep a pattern's groups may nest. A deeper one is refused.
pub(crate) const MAX_PATTERN_GROUP_DEPTH: usize = 200;
/// How often a pattern may ask for a repetition. A greater minimum is refused; a greater maximum
/// means "any number".
pub(crate) const MAX_PATTERN_REPETITIONS: u32 = 100_000;
/// How much memory a compiled pattern may take, in bytes. A larger one is refused.
pub(crate) const MAX_PATTERN_MEMORY: usize = 1024 * 1024;
/// How long all regular expressions of a payload may be together, in bytes, once they are
/// translated and their repetitions written out. That bounds the time to compile them. Beyond it
/// the next ones are refused. Patterns that are plain text do not count.
pub(crate) const MAX_PATTERNS_LENGTH: usize = 4 * 1024 * 1024;
/// How many empty matches inside characters one search may pass over, since each may have read the
/// whole text. Beyond it the text does not match.
pub(crate) const MAX_SPLIT_CHARACTERS: usize = 1_000;
