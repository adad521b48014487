//! Quantifiers, such as `*` and `{2,3}`.

use super::Translator;
use crate::pattern::PatternError;

/// How often an atom is repeated.
pub(super) struct Quantifier {
    pub(super) min: u32,
    /// `None` for any number.
    pub(super) max: Option<u32>,
    pub(super) lazy: bool,
}

impl Translator<'_> {
    /// Reads a quantifier, if there is one.
    pub(super) fn quantifier(&mut self) -> Result<Option<Quantifier>, PatternError> {
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

    pub(super) fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(10)) {
            self.position += 1;
            number = Some(number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit));
        }
        number
    }
}

/// Whether a quantifier may start with this unit. `{` may also be literal.
pub(super) fn is_quantifier(unit: u16) -> bool {
    matches!(u8::try_from(unit), Ok(b'*' | b'+' | b'?' | b'{'))
}
