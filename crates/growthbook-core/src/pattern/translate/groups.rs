//! The capturing groups of a pattern, which are found before it is translated.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::pattern::PatternError;

/// The capturing groups of the whole pattern. The meaning of some escapes depends on them.
pub(super) struct Groups {
    pub(super) count: u32,
    /// The numbers of the named groups.
    pub(super) names: BTreeMap<Vec<u16>, u32>,
}

impl Groups {
    pub(super) fn scan(units: &[u16]) -> Result<Self, PatternError> {
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

    pub(super) fn are_named(&self) -> bool {
        !self.names.is_empty()
    }
}

/// Reads a group name and its closing bracket.
pub(super) fn read_name(units: &[u16], position: &mut usize) -> Option<Vec<u16>> {
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
