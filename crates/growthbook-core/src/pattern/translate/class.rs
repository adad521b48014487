//! Character classes and escapes.

use super::Translator;
use super::groups::read_name;
use crate::pattern::PatternError;
use crate::pattern::units::UnitSet;

/// The meaning of an escape.
pub(super) enum Escape {
    Unit(u16),
    Set(UnitSet),
    /// The text of a group.
    BackReference(u32),
}

impl Translator<'_> {
    /// Reads a character class, after its opening bracket.
    pub(super) fn class(&mut self) -> Result<UnitSet, PatternError> {
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
    pub(super) fn escape(&mut self, in_class: bool) -> Result<Escape, PatternError> {
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
