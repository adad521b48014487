//! The translation of a pattern. It reads ECMAScript's grammar (22.2.1 and Annex B.1.2, without the
//! `u` flag), and writes a pattern for the `regex` crate that matches the same texts.

mod class;
mod groups;
mod quantifier;

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use class::Escape;
use groups::Groups;
use quantifier::{Quantifier, is_quantifier};

use super::backtrack::{Group, Node, Program, TreeBuilder};
use super::units::{UnitSet, is_surrogate, push_escaped, stand_in};
use super::{CaseFolding, PatternError};
use crate::limits::{MAX_PATTERN_GROUP_DEPTH, MAX_PATTERN_REPETITIONS};

/// A translated pattern.
pub(super) struct Translated {
    /// The pattern for the `regex` crate. It is incomplete if the pattern needs backtracking.
    pub(super) pattern: String,
    /// Whether the pattern has look-around or back-references.
    pub(super) needs_backtracking: bool,
    pub(super) has_non_word_boundary: bool,
    /// The length of the pattern with its repetitions written out.
    pub(super) expanded_length: usize,
    /// The length of the source with its repetitions written out. An engine has at most about as
    /// many active states.
    pub(super) states: usize,
    /// How deep its groups nest.
    pub(super) group_depth: usize,
    /// Whether it ignores the case of characters beyond ASCII. That needs a table that is slow to
    /// make.
    pub(super) folds_beyond_ascii: bool,
}

/// Translates `source`. With `folding`, the result ignores case.
pub(super) fn translate(
    source: &str,
    folding: Option<&CaseFolding>,
) -> Result<Translated, PatternError> {
    read(source, folding, None).map(|(translated, _)| translated)
}

/// Compiles `source` for the backtracking matcher.
pub(super) fn compile_backtracking(
    source: &str,
    folding: Option<&CaseFolding>,
) -> Result<Program, PatternError> {
    let (_, tree) = read(source, folding, Some(TreeBuilder::default()))?;
    Ok(Program::new(tree.unwrap_or_default(), folding.is_some()))
}

/// Reads a pattern. With `tree`, it also builds that.
fn read(
    source: &str,
    folding: Option<&CaseFolding>,
    tree: Option<TreeBuilder>,
) -> Result<(Translated, Option<TreeBuilder>), PatternError> {
    let units: Vec<u16> = if source.is_ascii() {
        source.bytes().map(u16::from).collect()
    } else {
        source.encode_utf16().collect()
    };
    let groups = Groups::scan(&units)?;
    let mut translator = Translator {
        units: &units,
        position: 0,
        groups,
        folding,
        output: String::with_capacity(source.len() * 2),
        repeated_length: 0,
        repeated_states: 0,
        group_depth: 0,
        folds_beyond_ascii: false,
        has_non_word_boundary: false,
        needs_backtracking: false,
        tree,
    };
    translator.disjunction(0)?;
    if translator.position < units.len() {
        return Err(PatternError::Syntax("unmatched parenthesis"));
    }
    let translated = Translated {
        // The backtracking matcher counts repetitions, and does not write them out.
        expanded_length: if translator.needs_backtracking {
            translator.output.len()
        } else {
            translator.expanded_length()
        },
        states: translator.states(),
        pattern: translator.output,
        needs_backtracking: translator.needs_backtracking,
        has_non_word_boundary: translator.has_non_word_boundary,
        group_depth: translator.group_depth,
        folds_beyond_ascii: translator.folds_beyond_ascii,
    };
    Ok((translated, translator.tree))
}

struct Translator<'a> {
    units: &'a [u16],
    position: usize,
    groups: Groups,
    folding: Option<&'a CaseFolding>,
    output: String,
    /// The length that repetitions would add to the output if they were written out.
    repeated_length: usize,
    /// The units that repetitions would add to the source if they were written out.
    repeated_states: usize,
    group_depth: usize,
    folds_beyond_ascii: bool,
    has_non_word_boundary: bool,
    needs_backtracking: bool,
    /// The tree of the pattern, if the caller needs it.
    tree: Option<TreeBuilder>,
}

impl Translator<'_> {
    fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        // A surrogate is not a character. It differs from every character of the grammar.
        self.units
            .get(self.position + ahead)
            .map(|&unit| char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn next_unit(&mut self) -> Option<u16> {
        let unit = self.units.get(self.position).copied()?;
        self.position += 1;
        Some(unit)
    }

    fn eat(&mut self, expected: &str) -> bool {
        let rest = self.units.get(self.position..).unwrap_or_default();
        let mut expected_units = expected.bytes().map(u16::from);
        let matches = rest.len() >= expected.len()
            && rest.iter().zip(&mut expected_units).all(|(unit, expected)| *unit == expected);
        if matches {
            self.position += expected.len();
        }
        matches
    }

    fn disjunction(&mut self, depth: usize) -> Result<(), PatternError> {
        if depth > MAX_PATTERN_GROUP_DEPTH {
            return Err(PatternError::TooLarge);
        }
        self.group_depth = self.group_depth.max(depth);
        loop {
            match self.peek() {
                None | Some(')') => return Ok(()),
                Some('|') => {
                    self.position += 1;
                    self.output.push('|');
                    self.build(TreeBuilder::alternative);
                }
                Some(_) if self.plain_units() => {}
                Some(_) => self.term(depth)?,
            }
        }
    }

    /// Copies letters and digits, up to one with a quantifier. Returns whether there were any. Most
    /// of a usual pattern is copied here, which is fast.
    fn plain_units(&mut self) -> bool {
        if self.folding.is_some() || self.tree.is_some() {
            return false;
        }
        let before = self.position;
        let rest = self.units.get(before..).unwrap_or_default();
        for pair in rest.windows(2) {
            match pair {
                &[unit, next] if !is_quantifier(next) => match u8::try_from(unit) {
                    Ok(plain) if plain.is_ascii_alphanumeric() => self.output.push(plain.into()),
                    _ => break,
                },
                _ => break,
            }
            self.position += 1;
        }
        self.position > before
    }

    fn term(&mut self, depth: usize) -> Result<(), PatternError> {
        if self.assertion() {
            return match self.quantifier()? {
                None => Ok(()),
                Some(_) => Err(PatternError::Syntax("nothing to repeat")),
            };
        }
        let groups = self.tree.as_ref().map_or(0, TreeBuilder::groups);
        let before = (self.expanded_length(), self.states());
        let may_be_repeated = self.atom(depth)?;
        let atom_length = self.expanded_length() - before.0;
        let atom_states = self.states() - before.1;
        if let Some(Quantifier { min, max, lazy }) = self.quantifier()? {
            if !may_be_repeated {
                return Err(PatternError::Syntax("nothing to repeat"));
            }
            self.write_quantifier(min, max)?;
            self.build(|tree| tree.repeat((min, max), lazy, groups));
            let more = max.unwrap_or(min).min(MAX_PATTERN_REPETITIONS).saturating_sub(1) as usize;
            let added = atom_length.saturating_mul(more);
            self.repeated_length = self.repeated_length.saturating_add(added);
            let added = atom_states.saturating_mul(more);
            self.repeated_states = self.repeated_states.saturating_add(added);
        }
        Ok(())
    }

    fn expanded_length(&self) -> usize {
        self.output.len().saturating_add(self.repeated_length)
    }

    fn states(&self) -> usize {
        self.position.saturating_add(self.repeated_states)
    }

    /// Adds to the tree, if there is one.
    fn build(&mut self, add: impl FnOnce(&mut TreeBuilder)) {
        if let Some(tree) = &mut self.tree {
            add(tree);
        }
    }

    fn write_set(&mut self, set: UnitSet) {
        if let Some(tree) = &mut self.tree {
            tree.push(Node::Set(set.clone()));
        }
        set.write(&mut self.output);
    }

    /// `^ $ \b \B`
    fn assertion(&mut self) -> bool {
        if !matches!(self.peek(), Some('^' | '$' | '\\')) {
            return false;
        }
        if self.eat("^") {
            self.output.push_str(r"\A");
            self.build(|tree| tree.push(Node::Start));
        } else if self.eat("$") {
            self.output.push_str(r"\z");
            self.build(|tree| tree.push(Node::End));
        } else if self.eat(r"\b") {
            self.output.push_str(r"(?-u:\b)");
            self.build(|tree| tree.push(Node::WordBoundary { negate: false }));
        } else if self.eat(r"\B") {
            self.output.push_str(r"(?-u:\B)");
            self.build(|tree| tree.push(Node::WordBoundary { negate: true }));
            self.has_non_word_boundary = true;
        } else {
            return false;
        }
        true
    }

    /// Reads an atom. Returns whether it may be repeated.
    fn atom(&mut self, depth: usize) -> Result<bool, PatternError> {
        if self.quantifier()?.is_some() {
            return Err(PatternError::Syntax("nothing to repeat"));
        }
        let Some(unit) = self.next_unit() else {
            return Ok(true);
        };
        match char::from_u32(unit.into()) {
            Some('(') => return self.group(depth),
            Some('.') => self.write_set(UnitSet::line_terminators().complement()),
            Some('[') => {
                let set = self.class()?;
                self.write_set(set);
            }
            Some('\\') => match self.escape(false)? {
                Escape::Unit(unit) => self.write_unit(unit),
                Escape::Set(set) => self.write_set(set),
                Escape::BackReference(group) => {
                    self.needs_backtracking = true;
                    self.build(|tree| tree.push(Node::Reference(group)));
                }
            },
            _ => self.write_unit(unit),
        }
        Ok(true)
    }

    /// Translates a group, after its opening parenthesis. In the pattern for the `regex` crate,
    /// groups do not capture, since only the existence of a match counts. Returns whether the group
    /// may be repeated: by Annex B, look-ahead may, and look-behind may not.
    fn group(&mut self, depth: usize) -> Result<bool, PatternError> {
        let kind = self.group_kind()?;
        self.build(|tree| tree.open(kind));
        self.output.push_str("(?:");
        self.disjunction(depth + 1)?;
        if !self.eat(")") {
            return Err(PatternError::Syntax("unterminated group"));
        }
        self.output.push(')');
        self.build(TreeBuilder::close);
        self.needs_backtracking |= matches!(kind, Group::Look { .. });
        Ok(!matches!(kind, Group::Look { backward: true, .. }))
    }

    fn group_kind(&mut self) -> Result<Group, PatternError> {
        if self.eat("?") {
            if self.eat(":") {
                return Ok(Group::Plain);
            }
            for (start, backward, negate) in
                [("=", false, false), ("!", false, true), ("<=", true, false), ("<!", true, true)]
            {
                if self.eat(start) {
                    return Ok(Group::Look { backward, negate });
                }
            }
            if !self.eat("<") {
                return Err(PatternError::Syntax("unknown group"));
            }
            // `Groups::scan` has checked the name.
            while self.next_unit().is_some_and(|unit| unit != u16::from(b'>')) {}
        }
        Ok(Group::Capture(self.tree.as_mut().map_or(0, TreeBuilder::next_group)))
    }

    fn write_quantifier(&mut self, min: u32, max: Option<u32>) -> Result<(), PatternError> {
        if min > MAX_PATTERN_REPETITIONS {
            return Err(PatternError::TooLarge);
        }
        // Writing to a String cannot fail.
        let _ = match (min, max.filter(|&max| max <= MAX_PATTERN_REPETITIONS)) {
            (0, None) => self.output.write_char('*'),
            (1, None) => self.output.write_char('+'),
            (0, Some(1)) => self.output.write_char('?'),
            (min, Some(max)) => write!(self.output, "{{{min},{max}}}"),
            (min, None) => write!(self.output, "{{{min},}}"),
        };
        Ok(())
    }

    fn write_unit(&mut self, unit: u16) {
        match self.folding {
            Some(_) => {
                let set = self.fold(UnitSet::unit(unit));
                self.write_set(set);
            }
            None => {
                self.build(|tree| tree.push(Node::Set(UnitSet::unit(unit))));
                if let Some(char) = stand_in(unit) {
                    if is_literal(char) || is_surrogate(unit) {
                        self.output.push(char);
                    } else {
                        push_escaped(&mut self.output, char);
                    }
                }
            }
        }
    }

    /// Adds the units that match the set when case is ignored.
    fn fold(&mut self, set: UnitSet) -> UnitSet {
        let Some(folding) = self.folding else {
            return set;
        };
        self.folds_beyond_ascii |= !set.is_ascii();
        folding.close(&set)
    }
}

/// Whether the `regex` crate reads the character literally.
fn is_literal(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '@' | '_' | '/' | ',' | ':' | ';' | '=' | '%')
}
