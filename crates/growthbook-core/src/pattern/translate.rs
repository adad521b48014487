//! The translation of a pattern. It reads ECMAScript's grammar (22.2.1 and Annex B.1.2, without the
//! `u` flag), and writes a pattern for the `regex` crate that matches the same texts.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt::Write;

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

/// The meaning of an escape.
enum Escape {
    Unit(u16),
    Set(UnitSet),
    /// The text of a group.
    BackReference(u32),
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

    /// Reads a quantifier, if there is one.
    fn quantifier(&mut self) -> Result<Option<Quantifier>, PatternError> {
        if !self.units.get(self.position).is_some_and(|&unit| is_quantifier(unit)) {
            return Ok(None);
        }
        let range = if self.eat("*") {
            (0, None)
        } else if self.eat("+") {
            (1, None)
        } else if self.eat("?") {
            (0, Some(1))
        } else if let Some(range) = self.braces() {
            range
        } else {
            return Ok(None);
        };
        // Without backtracking, a lazy quantifier finds another match, but in the same texts.
        let lazy = self.eat("?");
        match range {
            (min, Some(max)) if min > max => Err(PatternError::Syntax("numbers out of order")),
            (min, max) => Ok(Some(Quantifier { min, max, lazy })),
        }
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`. In any other case the braces are literal.
    fn braces(&mut self) -> Option<(u32, Option<u32>)> {
        let start = self.position;
        let range = self.eat("{").then(|| self.braces_content()).flatten();
        if range.is_none() {
            self.position = start;
        }
        range
    }

    fn braces_content(&mut self) -> Option<(u32, Option<u32>)> {
        let min = self.number()?;
        let max = if self.eat(",") {
            if self.peek() == Some('}') { None } else { Some(self.number()?) }
        } else {
            Some(min)
        };
        self.eat("}").then_some((min, max))
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(10)) {
            self.position += 1;
            number = Some(number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit));
        }
        number
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

    /// Reads a character class, after its opening bracket.
    fn class(&mut self) -> Result<UnitSet, PatternError> {
        let negated = self.eat("^");
        let mut set = UnitSet::default();
        loop {
            if self.eat("]") {
                break;
            }
            let first = self.class_atom()?;
            let is_range = self.peek() == Some('-') && !matches!(self.peek_at(1), Some(']') | None);
            if !is_range {
                first.add_to(&mut set);
                continue;
            }
            self.position += 1;
            match (first, self.class_atom()?) {
                (ClassAtom::Unit(first), ClassAtom::Unit(last)) if first <= last => {
                    set.push(first, last);
                }
                (ClassAtom::Unit(_), ClassAtom::Unit(_)) => {
                    return Err(PatternError::Syntax("range out of order"));
                }
                // Annex B: beside a class, the hyphen is literal.
                (first, last) => {
                    first.add_to(&mut set);
                    set.push(b'-'.into(), b'-'.into());
                    last.add_to(&mut set);
                }
            }
        }
        let set = self.fold(set);
        Ok(if negated { set.complement() } else { set })
    }

    fn class_atom(&mut self) -> Result<ClassAtom, PatternError> {
        if self.eat("\\") {
            return match self.escape(true)? {
                Escape::Unit(unit) => Ok(ClassAtom::Unit(unit)),
                Escape::Set(set) => Ok(ClassAtom::Set(set)),
                Escape::BackReference(_) => Err(PatternError::Syntax("back-reference in a class")),
            };
        }
        self.next_unit().map(ClassAtom::Unit).ok_or(PatternError::Syntax("unterminated class"))
    }

    /// Reads an escape, after its backslash.
    fn escape(&mut self, in_class: bool) -> Result<Escape, PatternError> {
        let Some(char) = self.peek() else {
            return Err(PatternError::Syntax("a backslash at the end"));
        };
        let set = match char {
            'd' => Some(UnitSet::digits()),
            'D' => Some(UnitSet::digits().complement()),
            'w' => Some(UnitSet::word()),
            'W' => Some(UnitSet::word().complement()),
            's' => Some(UnitSet::space()),
            'S' => Some(UnitSet::space().complement()),
            _ => None,
        };
        if let Some(set) = set {
            self.position += 1;
            return Ok(Escape::Set(set));
        }
        match char {
            '0'..='9' => return Ok(self.decimal_escape(in_class)),
            'k' if self.groups.are_named() && in_class => {
                return Err(PatternError::Syntax("\\k in a class"));
            }
            'k' if self.groups.are_named() => return self.named_back_reference(),
            // Annex B: \c without a letter after it is a literal backslash, and then a c.
            'c' => return Ok(Escape::Unit(self.control_escape(in_class))),
            _ => {}
        }
        self.position += 1;
        Ok(Escape::Unit(match char {
            't' => 0x09,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            'b' if in_class => 0x08,
            'x' => self.hex(2).unwrap_or(u16::from(b'x')),
            'u' => self.hex(4).unwrap_or(u16::from(b'u')),
            // Every other unit is literal, including a surrogate.
            _ => self.units.get(self.position - 1).copied().unwrap_or_default(),
        }))
    }

    fn control_escape(&mut self, in_class: bool) -> u16 {
        match self.peek_at(1) {
            Some(letter)
                if letter.is_ascii_alphabetic()
                    || in_class && (letter.is_ascii_digit() || letter == '_') =>
            {
                self.position += 2;
                u16::from(letter as u8 % 32)
            }
            _ => b'\\'.into(),
        }
    }

    /// Reads exactly `digits` hexadecimal digits. Reads nothing if there are fewer.
    fn hex(&mut self, digits: usize) -> Option<u16> {
        let mut value = 0;
        for at in 0..digits {
            value = value * 16 + self.peek_at(at)?.to_digit(16)?;
        }
        self.position += digits;
        u16::try_from(value).ok()
    }

    /// Reads a back-reference, if the group exists. Otherwise reads an octal code or a literal
    /// digit (Annex B).
    fn decimal_escape(&mut self, in_class: bool) -> Escape {
        let start = self.position;
        if !in_class
            && self.peek() != Some('0')
            && let Some(number) = self.number()
            && number <= self.groups.count
        {
            return Escape::BackReference(number);
        }
        self.position = start;
        let mut value = 0_u16;
        let mut length = 0;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(8)) {
            let next = value * 8 + digit as u16;
            if length == 3 || next > 0o377 {
                break;
            }
            value = next;
            length += 1;
            self.position += 1;
        }
        if length == 0 {
            // 8 or 9
            return Escape::Unit(self.next_unit().unwrap_or_default());
        }
        Escape::Unit(value)
    }

    fn named_back_reference(&mut self) -> Result<Escape, PatternError> {
        self.position += 1;
        let error = PatternError::Syntax("invalid named reference");
        if !self.eat("<") {
            return Err(error);
        }
        let name = read_name(self.units, &mut self.position).ok_or(error)?;
        self.groups.names.get(&name).map(|&group| Escape::BackReference(group)).ok_or(error)
    }
}

/// How often an atom is repeated.
struct Quantifier {
    min: u32,
    /// `None` for any number.
    max: Option<u32>,
    lazy: bool,
}

/// A part of a class. Only a unit may be an end of a range.
enum ClassAtom {
    Unit(u16),
    Set(UnitSet),
}

impl ClassAtom {
    fn add_to(&self, set: &mut UnitSet) {
        match self {
            ClassAtom::Unit(unit) => set.push(*unit, *unit),
            ClassAtom::Set(other) => set.extend(other),
        }
    }
}

/// Whether the `regex` crate reads the character literally.
fn is_literal(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '@' | '_' | '/' | ',' | ':' | ';' | '=' | '%')
}

/// Whether a quantifier may start with this unit. `{` may also be literal.
fn is_quantifier(unit: u16) -> bool {
    matches!(u8::try_from(unit), Ok(b'*' | b'+' | b'?' | b'{'))
}

/// The capturing groups of the whole pattern. The meaning of some escapes depends on them.
struct Groups {
    count: u32,
    /// The numbers of the named groups.
    names: BTreeMap<Vec<u16>, u32>,
}

impl Groups {
    fn scan(units: &[u16]) -> Result<Self, PatternError> {
        let mut groups = Groups { count: 0, names: BTreeMap::new() };
        let mut in_class = false;
        let mut position = 0;
        let at =
            |position: usize| units.get(position).and_then(|&unit| char::from_u32(unit.into()));
        while position < units.len() {
            match at(position) {
                Some('\\') => position += 1,
                Some('[') => in_class = true,
                Some(']') => in_class = false,
                Some('(') if !in_class => {
                    let named = at(position + 1) == Some('?')
                        && at(position + 2) == Some('<')
                        && !matches!(at(position + 3), Some('=' | '!'));
                    if named {
                        let mut end = position + 3;
                        let name = read_name(units, &mut end)
                            .ok_or(PatternError::Syntax("invalid group name"))?;
                        if groups.names.insert(name, groups.count + 1).is_some() {
                            return Err(PatternError::Syntax("duplicate group name"));
                        }
                    }
                    if named || at(position + 1) != Some('?') {
                        groups.count += 1;
                    }
                }
                _ => {}
            }
            position += 1;
        }
        Ok(groups)
    }

    fn are_named(&self) -> bool {
        !self.names.is_empty()
    }
}

/// Reads a group name and its closing bracket.
fn read_name(units: &[u16], position: &mut usize) -> Option<Vec<u16>> {
    let rest = units.get(*position..)?;
    let length = rest.iter().position(|&unit| unit == u16::from(b'>'))?;
    let name = rest.get(..length)?;
    let mut characters = char::decode_utf16(name.iter().copied());
    let first = characters.next()?.ok()?;
    let starts = first.is_alphabetic() || matches!(first, '$' | '_');
    let continues = characters
        .all(|char| char.is_ok_and(|char| char.is_alphanumeric() || matches!(char, '$' | '_')));
    if !(starts && continues) {
        return None;
    }
    *position += length + 1;
    Some(name.to_vec())
}
