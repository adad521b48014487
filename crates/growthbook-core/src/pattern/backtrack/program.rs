//! The compilation of a tree to a list of instructions.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::ops::Range;

use super::tree::{Group, Node, Repeat, TreeBuilder};
use crate::pattern::units::{UnitSet, UnitTable};

/// The value of a register that is not set.
pub(super) const UNSET: u32 = u32::MAX;

/// A compiled pattern.
#[derive(Debug)]
pub(in crate::pattern) struct Program {
    pub(super) code: Box<[Instruction]>,
    pub(super) sets: Box<[UnitTable]>,
    pub(super) loops: Box<[Loop]>,
    /// The number of registers: two for each group, then those of loops and look-around.
    pub(super) registers: u32,
    pub(super) ignore_case: bool,
}

/// One instruction. With `backward`, it reads the unit before the position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    /// Reads one unit of a set.
    Set {
        set: u32,
        backward: bool,
    },
    /// Reads as many units of a set as possible, and gives them back one after another.
    Run {
        set: u32,
        min: u32,
        max: u32,
        backward: bool,
    },
    Start,
    End,
    WordBoundary {
        negate: bool,
    },
    /// Reads the text of a group again.
    Reference {
        group: u32,
        backward: bool,
    },
    /// Stores the position.
    Save {
        register: u32,
    },
    /// Continues here, and at `other` if that fails.
    Split {
        other: u32,
    },
    Jump {
        to: u32,
    },
    /// Sets the counter of a loop to 0.
    LoopStart {
        index: u32,
    },
    /// Decides on one more iteration.
    Loop {
        index: u32,
    },
    /// Starts an iteration.
    LoopEnter {
        index: u32,
    },
    /// Ends an iteration.
    LoopEnd {
        index: u32,
    },
    /// Starts a look-around. Its register remembers the height of the stack.
    Look {
        register: u32,
        negate: bool,
        end: u32,
    },
    /// Is reached if the content of a look-around matches.
    LookEnd {
        register: u32,
        negate: bool,
    },
    Match,
}

/// A repetition.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) lazy: bool,
    /// The captures that an iteration starts without, as registers.
    pub(super) captures: Range<u32>,
    /// The register with the number of iterations.
    pub(super) counter: u32,
    /// The register with the position at which the iteration started.
    pub(super) start: u32,
    /// The [`Instruction::LoopEnter`].
    pub(super) enter: u32,
    /// The instruction after the loop.
    pub(super) exit: u32,
}

impl Program {
    pub(in crate::pattern) fn new(tree: TreeBuilder, ignore_case: bool) -> Self {
        let (root, groups) = tree.finish();
        let mut compiler = Compiler { registers: 2 * groups, ..Compiler::default() };
        compiler.node(root, false);
        compiler.code.push(Instruction::Match);
        Program {
            code: compiler.code.into(),
            sets: compiler.sets.into(),
            loops: compiler.loops.into(),
            registers: compiler.registers,
            ignore_case,
        }
    }
}

#[derive(Default)]
struct Compiler {
    code: Vec<Instruction>,
    sets: Vec<UnitTable>,
    /// The positions of equal sets.
    set_indices: BTreeMap<UnitSet, u32>,
    loops: Vec<Loop>,
    registers: u32,
}

/// Converts a position in a list. Lists are shorter than a few times the longest pattern.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(UNSET)
}

impl Compiler {
    fn here(&self) -> u32 {
        index(self.code.len())
    }

    /// Adds an instruction that is replaced later.
    fn reserve(&mut self) -> usize {
        self.code.push(Instruction::Match);
        self.code.len() - 1
    }

    fn replace(&mut self, reserved: usize, instruction: Instruction) {
        if let Some(place) = self.code.get_mut(reserved) {
            *place = instruction;
        }
    }

    fn register(&mut self) -> u32 {
        self.registers += 1;
        self.registers - 1
    }

    fn set(&mut self, mut set: UnitSet) -> u32 {
        set.normalize();
        if let Some(&known) = self.set_indices.get(&set) {
            return known;
        }
        let added = index(self.sets.len());
        self.sets.push(UnitTable::new(&set));
        self.set_indices.insert(set, added);
        added
    }

    fn node(&mut self, node: Node, backward: bool) {
        match node {
            Node::Set(set) => {
                let set = self.set(set);
                self.code.push(Instruction::Set { set, backward });
            }
            Node::Start => self.code.push(Instruction::Start),
            Node::End => self.code.push(Instruction::End),
            Node::WordBoundary { negate } => self.code.push(Instruction::WordBoundary { negate }),
            Node::Reference(group) => self.code.push(Instruction::Reference { group, backward }),
            Node::Group { kind: Group::Plain, alternatives } => {
                self.alternatives(alternatives, backward);
            }
            Node::Group { kind: Group::Capture(group), alternatives } => {
                let (start, end) = (2 * group, 2 * group + 1);
                let (first, last) = if backward { (end, start) } else { (start, end) };
                self.code.push(Instruction::Save { register: first });
                self.alternatives(alternatives, backward);
                self.code.push(Instruction::Save { register: last });
            }
            Node::Group { kind: Group::Look { backward, negate }, alternatives } => {
                let register = self.register();
                let look = self.reserve();
                self.alternatives(alternatives, backward);
                self.code.push(Instruction::LookEnd { register, negate });
                let end = self.here();
                self.replace(look, Instruction::Look { register, negate, end });
            }
            Node::Repeat(repeat) => self.repeat(*repeat, backward),
        }
    }

    fn alternatives(&mut self, alternatives: Vec<Vec<Node>>, backward: bool) {
        let mut jumps = Vec::new();
        let count = alternatives.len();
        for (number, sequence) in alternatives.into_iter().enumerate() {
            let is_last = number + 1 == count;
            let split = (!is_last).then(|| self.reserve());
            // The parts of a look-behind match from right to left.
            if backward {
                sequence.into_iter().rev().for_each(|node| self.node(node, backward));
            } else {
                sequence.into_iter().for_each(|node| self.node(node, backward));
            }
            if let Some(split) = split {
                jumps.push(self.reserve());
                let other = self.here();
                self.replace(split, Instruction::Split { other });
            }
        }
        let to = self.here();
        jumps.into_iter().for_each(|jump| self.replace(jump, Instruction::Jump { to }));
    }

    fn repeat(&mut self, repeat: Repeat, backward: bool) {
        let Repeat { node, min, max, lazy, groups } = repeat;
        let max = max.unwrap_or(u32::MAX);
        match node {
            _ if max == 0 => {}
            Node::Set(set) if !lazy => {
                let set = self.set(set);
                self.code.push(Instruction::Run { set, min, max, backward });
            }
            node => {
                let (counter, start) = (self.register(), self.register());
                let index = index(self.loops.len());
                self.code.push(Instruction::LoopStart { index });
                let decision = self.here();
                self.code.push(Instruction::Loop { index });
                let captures = 2 * groups.start..2 * groups.end;
                let enter = decision + 1;
                self.loops.push(Loop { min, max, lazy, captures, counter, start, enter, exit: 0 });
                self.code.push(Instruction::LoopEnter { index });
                self.node(node, backward);
                self.code.push(Instruction::LoopEnd { index });
                self.code.push(Instruction::Jump { to: decision });
                let exit = self.here();
                if let Some(added) = self.loops.get_mut(index as usize) {
                    added.exit = exit;
                }
            }
        }
    }
}
