//! The search for a match of a program.

use alloc::{vec, vec::Vec};

use super::program::{Instruction, Loop, Program, UNSET};
use crate::pattern::fold::canonicalize;
use crate::pattern::units::is_word;

/// How many units a run reads, or a reference compares, in one step.
const UNITS_PER_STEP: u32 = 8;

/// Whether the program matches anywhere in the text, and the steps that the search took. `None` if
/// it takes more steps than the limit.
pub(in crate::pattern) fn is_match(
    program: &Program,
    text: &[u16],
    limit: u32,
) -> (Option<bool>, usize) {
    let mut matcher = Matcher {
        program,
        text,
        registers: vec![UNSET; program.registers as usize],
        stack: Vec::new(),
        steps: limit,
    };
    let matches = matcher.search();
    // At the limit, less than one more instruction fits.
    let rest = if matches.is_some() { matcher.steps } else { 0 };
    (matches, limit.saturating_sub(rest) as usize)
}

/// Why a search ended without a match.
enum Stop {
    NoMatch,
    Limit,
}

/// What to undo or try next after a failure.
#[derive(Clone, Copy)]
enum Frame {
    /// Continue at an instruction and a position.
    Choice { pc: u32, position: u32 },
    /// Set a register back.
    Restore { register: u32, value: u32 },
    /// Give back one unit of a run, down to `least`, and continue after it.
    Run { pc: u32, position: u32, least: u32 },
    /// The start of a look-around. A failure of its content ends here: a negated one continues at
    /// `otherwise`.
    Look { otherwise: Option<u32>, position: u32 },
}

struct Matcher<'a> {
    program: &'a Program,
    text: &'a [u16],
    registers: Vec<u32>,
    stack: Vec<Frame>,
    /// The steps that are left. Every instruction and every frame is one, so the stack is bounded.
    steps: u32,
}

impl Matcher<'_> {
    /// Searches a match that starts anywhere. `None` at the step limit.
    fn search(&mut self) -> Option<bool> {
        let is_anchored = matches!(self.program.code.first(), Some(Instruction::Start));
        let last_start = if is_anchored { 0 } else { u32::try_from(self.text.len()).ok()? };
        for start in 0..=last_start {
            match self.run(start) {
                Ok(()) => return Some(true),
                Err(Stop::NoMatch) => {}
                Err(Stop::Limit) => return None,
            }
        }
        Some(false)
    }

    /// Searches a match that starts at a position. After a failure, all registers are unset again.
    fn run(&mut self, start: u32) -> Result<(), Stop> {
        let mut state = Some((0, start));
        loop {
            let (pc, position) = match state {
                Some(state) => state,
                None => self.backtrack()?,
            };
            self.spend(1)?;
            // Every program ends with `Match`, so there is always an instruction.
            let instruction = self.program.code.get(pc as usize).copied();
            state = match instruction {
                None | Some(Instruction::Match) => return Ok(()),
                Some(instruction) => self.step(instruction, pc, position)?,
            };
        }
    }

    fn spend(&mut self, steps: u32) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(steps).ok_or(Stop::Limit)?;
        Ok(())
    }

    fn push(&mut self, frame: Frame) -> Result<(), Stop> {
        self.spend(1)?;
        self.stack.push(frame);
        Ok(())
    }

    fn get(&self, register: u32) -> u32 {
        self.registers.get(register as usize).copied().unwrap_or(UNSET)
    }

    fn set(&mut self, register: u32, value: u32) -> Result<(), Stop> {
        let before = self.get(register);
        if before != value {
            self.push(Frame::Restore { register, value: before })?;
            self.overwrite(register, value);
        }
        Ok(())
    }

    fn overwrite(&mut self, register: u32, value: u32) {
        if let Some(place) = self.registers.get_mut(register as usize) {
            *place = value;
        }
    }

    /// Returns the instruction and the position to try next.
    fn backtrack(&mut self) -> Result<(u32, u32), Stop> {
        while let Some(frame) = self.stack.pop() {
            match frame {
                Frame::Choice { pc, position } => return Ok((pc, position)),
                Frame::Restore { register, value } => self.overwrite(register, value),
                Frame::Run { pc, position, least } if position != least => {
                    let position = if position > least { position - 1 } else { position + 1 };
                    self.stack.push(Frame::Run { pc, position, least });
                    return Ok((pc, position));
                }
                Frame::Look { otherwise: Some(pc), position } => return Ok((pc, position)),
                Frame::Run { .. } | Frame::Look { .. } => {}
            }
        }
        Err(Stop::NoMatch)
    }

    /// Runs one instruction. Returns the next one and its position. `None` if it fails.
    fn step(
        &mut self,
        instruction: Instruction,
        pc: u32,
        position: u32,
    ) -> Result<Option<(u32, u32)>, Stop> {
        let next = pc + 1;
        let holds = |holds: bool| holds.then_some((next, position));
        Ok(match instruction {
            Instruction::Set { set, backward } => {
                self.read(set, position, backward).map(|position| (next, position))
            }
            Instruction::Run { set, min, max, backward } => {
                self.read_run(set, min..=max, next, position, backward)?
            }
            Instruction::Start => holds(position == 0),
            Instruction::End => holds(self.unit(position).is_none()),
            Instruction::WordBoundary { negate } => {
                let before = position.checked_sub(1).and_then(|before| self.unit(before));
                let after = self.unit(position);
                holds((before.is_some_and(is_word) != after.is_some_and(is_word)) != negate)
            }
            Instruction::Reference { group, backward } => {
                self.read_reference(group, position, backward)?.map(|position| (next, position))
            }
            Instruction::Save { register } => {
                self.set(register, position)?;
                Some((next, position))
            }
            Instruction::Split { other } => {
                self.push(Frame::Choice { pc: other, position })?;
                Some((next, position))
            }
            Instruction::Jump { to } => Some((to, position)),
            Instruction::LoopStart { index } => {
                if let Some(repeat) = self.program.loops.get(index as usize) {
                    self.set(repeat.counter, 0)?;
                }
                Some((next, position))
            }
            Instruction::Loop { index }
            | Instruction::LoopEnter { index }
            | Instruction::LoopEnd { index } => {
                let Some(repeat) = self.program.loops.get(index as usize) else {
                    return Ok(None);
                };
                match instruction {
                    Instruction::Loop { .. } => Some((self.decide(repeat, position)?, position)),
                    Instruction::LoopEnter { .. } => {
                        self.set(repeat.start, position)?;
                        for register in repeat.captures.clone() {
                            self.set(register, UNSET)?;
                        }
                        Some((next, position))
                    }
                    _ => self.end_iteration(repeat, position)?.then_some((next, position)),
                }
            }
            Instruction::Look { register, negate, end } => {
                let height = u32::try_from(self.stack.len()).unwrap_or(UNSET);
                self.push(Frame::Look { otherwise: negate.then_some(end), position })?;
                self.set(register, height)?;
                Some((next, position))
            }
            Instruction::LookEnd { register, negate } => {
                self.end_look(self.get(register) as usize, negate)?.map(|position| (next, position))
            }
            Instruction::Match => None,
        })
    }

    fn unit(&self, position: u32) -> Option<u16> {
        self.text.get(position as usize).copied()
    }

    /// Reads one unit of a set, and returns the position after it.
    fn read(&self, set: u32, position: u32, backward: bool) -> Option<u32> {
        let set = self.program.sets.get(set as usize)?;
        let (at, after) = if backward {
            let before = position.checked_sub(1)?;
            (before, before)
        } else {
            (position, position + 1)
        };
        self.unit(at).filter(|&unit| set.contains(unit)).map(|_| after)
    }

    fn read_run(
        &mut self,
        set: u32,
        counts: core::ops::RangeInclusive<u32>,
        next: u32,
        position: u32,
        backward: bool,
    ) -> Result<Option<(u32, u32)>, Stop> {
        let (mut end, mut count) = (position, 0);
        while count < *counts.end()
            && let Some(after) = self.read(set, end, backward)
        {
            (end, count) = (after, count + 1);
        }
        self.spend(count / UNITS_PER_STEP)?;
        let min = *counts.start();
        if count < min {
            return Ok(None);
        }
        if count > min {
            let least = if backward { position - min } else { position + min };
            self.push(Frame::Run { pc: next, position: end, least })?;
        }
        Ok(Some((next, end)))
    }

    /// Reads the text of a group again, and returns the position after it. A group without a
    /// capture matches the empty text.
    fn read_reference(
        &mut self,
        group: u32,
        position: u32,
        backward: bool,
    ) -> Result<Option<u32>, Stop> {
        let (start, end) = (self.get(2 * group), self.get(2 * group + 1));
        if start == UNSET || end == UNSET {
            return Ok(Some(position));
        }
        let length = end.saturating_sub(start);
        self.spend(length / UNITS_PER_STEP)?;
        let (from, after) = if backward {
            let Some(before) = position.checked_sub(length) else {
                return Ok(None);
            };
            (before, before)
        } else {
            (position, position + length)
        };
        let text = |from: u32| self.text.get(from as usize..(from + length) as usize);
        let (Some(captured), Some(actual)) = (text(start), text(from)) else {
            return Ok(None);
        };
        let is_same = captured == actual
            || self.program.ignore_case
                && captured.iter().zip(actual).all(|(&a, &b)| canonicalize(a) == canonicalize(b));
        Ok(is_same.then_some(after))
    }

    /// Returns the instruction after the decision on one more iteration.
    fn decide(&mut self, repeat: &Loop, position: u32) -> Result<u32, Stop> {
        let count = self.get(repeat.counter);
        if count >= repeat.max {
            return Ok(repeat.exit);
        }
        if count < repeat.min {
            return Ok(repeat.enter);
        }
        let (first, other) =
            if repeat.lazy { (repeat.exit, repeat.enter) } else { (repeat.enter, repeat.exit) };
        self.push(Frame::Choice { pc: other, position })?;
        Ok(first)
    }

    /// Counts an iteration. False if it is empty and not needed.
    fn end_iteration(&mut self, repeat: &Loop, position: u32) -> Result<bool, Stop> {
        let count = self.get(repeat.counter);
        if count >= repeat.min && position == self.get(repeat.start) {
            return Ok(false);
        }
        self.set(repeat.counter, count.saturating_add(1))?;
        Ok(true)
    }

    /// Ends a look-around whose content matched. Its first frame is at `height`. Returns the
    /// position at its start, or `None` if it is negated.
    fn end_look(&mut self, height: usize, negate: bool) -> Result<Option<u32>, Stop> {
        let content = self.stack.len().saturating_sub(height);
        self.spend(u32::try_from(content).unwrap_or(u32::MAX) / UNITS_PER_STEP)?;
        if negate {
            while self.stack.len() > height {
                if let Some(Frame::Restore { register, value }) = self.stack.pop() {
                    self.overwrite(register, value);
                }
            }
            return Ok(None);
        }
        let Some(&Frame::Look { position, .. }) = self.stack.get(height) else {
            return Ok(None);
        };
        // The content is not tried again, but its captures can still be undone.
        let mut kept = height;
        for at in height..self.stack.len() {
            if matches!(self.stack.get(at), Some(Frame::Restore { .. })) {
                self.stack.swap(kept, at);
                kept += 1;
            }
        }
        self.stack.truncate(kept);
        Ok(Some(position))
    }
}
