//! Every limit on payloads and evaluations, and the effect of exceeding it.
//!
//! A refused pattern is reported as a [`Warning`](crate::Warning), and no user passes its test.

/// How much memory the definitions of a payload may take, as a multiple of the length of their
/// text. A usual payload takes less than 3 times its text, and the text itself is kept once more. A
/// definition beyond the limit is left out, with a [`Warning`](crate::Warning). Small payloads may
/// take 1 MiB. Regular expressions have limits of their own.
pub const MAX_SNAPSHOT_FACTOR: usize = 16;
/// How much memory the definitions of any payload may take, in bytes, however short it is.
pub(crate) const MIN_SNAPSHOT_MEMORY: usize = 1024 * 1024;
/// How much memory the lists and objects among the values may take once callers have used them all,
/// in bytes, however short the payload is. A longer payload may take [`MAX_SNAPSHOT_FACTOR`] times
/// its text.
pub(crate) const MIN_VALUES_MEMORY: usize = 128 * 1024 * 1024;
/// How many warnings a snapshot has. Beyond it one more warning says how many were left out.
pub const MAX_WARNINGS: usize = 1_000;

/// How long the body of a request for remote evaluation may be, in bytes. A longer one is refused.
pub const MAX_REMOTE_EVAL_BYTES: usize = 2 * 1024 * 1024;
/// How many attributes, forced variations and forced features a request for remote evaluation may
/// have, each. A request with more is refused.
pub const MAX_REMOTE_EVAL_KEYS: usize = 1_000;

/// How deep arrays and objects may nest. `serde_json` refuses text with this many levels. Deeper
/// values from the caller become null.
pub(crate) const MAX_JSON_DEPTH: usize = 128;

/// How long a chain of prerequisites may be. Beyond it a feature does not have a value, as in a
/// cycle, and the snapshot has a [`Warning`](crate::Warning).
pub const MAX_PREREQUISITE_DEPTH: u32 = 64;
/// How many features one evaluation may evaluate, repetitions included. The number can double with
/// every level of prerequisites. Beyond it a feature does not have a value, as in a cycle.
pub(crate) const MAX_FEATURE_EVALUATIONS: u32 = 10_000;
/// How many steps one evaluation may take. A step is a small piece of work: a rule, a part of a
/// condition, an item of a list, or 16 bytes of a long text. Rules, conditions, filters, bandits
/// and prerequisites share the steps. Beyond them a test does not pass, and a feature with rules
/// left does not have a value, as in a cycle.
pub const MAX_EVALUATION_STEPS: usize = 500_000;

/// How many levels of conditions, lists and saved groups one evaluation may descend through.
/// Beyond it the condition fails. Together with [`MAX_JSON_DEPTH`] this bounds the stack.
pub(crate) const MAX_CONDITION_DEPTH: u32 = 512;
/// How long a chain of references between condition groups may be. Beyond it the condition fails,
/// and the snapshot has a warning.
pub(crate) const MAX_SAVED_GROUP_DEPTH: u32 = 128;
/// How many condition groups one evaluation may enter, over all branches. Beyond it the condition
/// fails, and the snapshot has a warning.
pub(crate) const MAX_SAVED_GROUP_EVALUATIONS: u32 = 4_096;

/// How long a pattern may be, in bytes of UTF-8. A longer one is refused.
pub(crate) const MAX_PATTERN_LENGTH: usize = 32 * 1024;
/// How deep a pattern's groups may nest. A deeper one is refused.
pub(crate) const MAX_PATTERN_GROUP_DEPTH: usize = 200;
/// The greatest number of repetitions in a pattern. A greater minimum is refused. A greater maximum
/// means "any number".
pub(crate) const MAX_PATTERN_REPETITIONS: u32 = 100_000;
/// How much memory a compiled pattern may take, in bytes. A larger one is refused.
pub(crate) const MAX_PATTERN_MEMORY: usize = 1024 * 1024;
/// How long all regular expressions of a payload may be together, in bytes, after translation and
/// with their repetitions written out. Expressions beyond it are refused. Patterns that are plain
/// text do not count.
///
/// This bounds the time to compile them, and their memory. An expression is built when it is first
/// used, and takes up to 100 bytes for each byte of its length. So the expressions of a payload take
/// at most 400 MiB, if all are used. Each thread that searches with one at the same time takes a
/// part of that again. These bytes do not count in [`MAX_SNAPSHOT_FACTOR`]: a usual rule with an
/// expression would exceed it.
pub(crate) const MAX_PATTERNS_LENGTH: usize = 4 * 1024 * 1024;
/// The length that each expression adds to its own, since a short one takes 7 to 12 kB when it is
/// built.
pub(crate) const LENGTH_OF_EXPRESSION: usize = 128;
/// How many steps one search of a pattern with look-around or back-references may take. A step is
/// an instruction, an entry of the stack, or eight units of a repetition. Beyond it the outcome of
/// the test is unknown: no user passes it, negated or not. Other patterns run in linear time.
pub(crate) const MAX_BACKTRACKING_STEPS: u32 = 500_000;
/// How many empty matches inside characters one search may skip, since each one may read the whole
/// text. Beyond it the text does not match.
pub(crate) const MAX_SPLIT_CHARACTERS: usize = 1_000;
