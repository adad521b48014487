//! A backtracking matcher, for patterns with look-around or back-references.
//!
//! It follows ECMAScript (22.2.2): a repetition forgets the captures of its last iteration, an empty
//! iteration ends a repetition, a reference to a group without a capture matches the empty text, and
//! look-behind matches from right to left. It matches UTF-16 code units.
//!
//! The translator builds a [`tree`]. [`Program`] is compiled from it, and [`matcher`] runs the
//! program with its own stack, so that no pattern or text can overflow the thread's stack.

mod matcher;
mod program;
mod tree;

pub(super) use matcher::is_match;
pub(super) use program::Program;
pub(super) use tree::{Group, Node, TreeBuilder};
