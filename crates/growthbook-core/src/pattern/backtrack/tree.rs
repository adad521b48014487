//! The tree of a pattern, and its construction while the pattern is read.

use alloc::{boxed::Box, vec::Vec};
use core::mem;
use core::ops::Range;

use crate::pattern::units::UnitSet;

/// A part of a pattern.
pub(in crate::pattern) enum Node {
    /// One unit of a set.
    Set(UnitSet),
    /// `^`
    Start,
    /// `$`
    End,
    /// `\b`, negated `\B`
    WordBoundary {
        negate: bool,
    },
    /// `\1` or `\k<name>`
    Reference(u32),
    /// One of several sequences. The first that leads to a match is used.
    Group {
        kind: Group,
        alternatives: Vec<Vec<Node>>,
    },
    Repeat(Box<Repeat>),
}

/// The kind of a group.
#[derive(Clone, Copy)]
pub(in crate::pattern) enum Group {
    /// `(?:...)`
    Plain,
    /// `(...)`, with its number from 1
    Capture(u32),
    /// `(?=...)`, negated `(?!...)`; backward `(?<=...)`, negated `(?<!...)`
    Look { backward: bool, negate: bool },
}

/// A quantifier with its part of the pattern.
pub(in crate::pattern) struct Repeat {
    pub(super) node: Node,
    pub(super) min: u32,
    /// `None` for any number.
    pub(super) max: Option<u32>,
    pub(super) lazy: bool,
    /// The groups inside. Each iteration starts without their captures.
    pub(super) groups: Range<u32>,
}

/// Builds the tree of a pattern from its parts, in their order.
#[derive(Default)]
pub(in crate::pattern) struct TreeBuilder {
    /// The open groups, outermost first.
    outer: Vec<Open>,
    current: Alternatives,
    /// The number of capturing groups so far.
    groups: u32,
}

struct Open {
    kind: Group,
    before: Alternatives,
}

#[derive(Default)]
struct Alternatives {
    finished: Vec<Vec<Node>>,
    last: Vec<Node>,
}

impl Alternatives {
    fn finish(mut self) -> Vec<Vec<Node>> {
        self.finished.push(self.last);
        self.finished
    }
}

impl TreeBuilder {
    pub(in crate::pattern) fn push(&mut self, node: Node) {
        self.current.last.push(node);
    }

    /// Starts the next alternative.
    pub(in crate::pattern) fn alternative(&mut self) {
        let last = mem::take(&mut self.current.last);
        self.current.finished.push(last);
    }

    pub(in crate::pattern) fn open(&mut self, kind: Group) {
        self.outer.push(Open { kind, before: mem::take(&mut self.current) });
    }

    /// Makes the number of the next capturing group.
    pub(in crate::pattern) fn next_group(&mut self) -> u32 {
        self.groups += 1;
        self.groups
    }

    pub(in crate::pattern) fn close(&mut self) {
        if let Some(Open { kind, before }) = self.outer.pop() {
            let alternatives = mem::replace(&mut self.current, before).finish();
            self.push(Node::Group { kind, alternatives });
        }
    }

    /// Returns the number of capturing groups so far.
    pub(in crate::pattern) fn groups(&self) -> u32 {
        self.groups
    }

    /// Repeats the last part. `groups_before` is the number of groups before that part.
    pub(in crate::pattern) fn repeat(
        &mut self,
        (min, max): (u32, Option<u32>),
        lazy: bool,
        groups_before: u32,
    ) {
        if let Some(node) = self.current.last.pop() {
            let groups = groups_before + 1..self.groups + 1;
            self.push(Node::Repeat(Box::new(Repeat { node, min, max, lazy, groups })));
        }
    }

    /// Returns the whole pattern, as group 0, and the number of its groups with that one.
    pub(super) fn finish(self) -> (Node, u32) {
        let alternatives = self.current.finish();
        (Node::Group { kind: Group::Plain, alternatives }, self.groups + 1)
    }
}
