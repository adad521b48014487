//! Case folding, as ECMAScript defines it for patterns without the `u` flag (22.2.2.7.3
//! Canonicalize). Two units match when their upper-case forms are the same unit.

use alloc::vec::Vec;
use core::cell::OnceCell;

use super::units::{UnitSet, is_surrogate};

/// The units that differ from their canonical form. The units beyond ASCII are collected on first
/// use.
#[derive(Default)]
pub(crate) struct CaseFolding {
    beyond_ascii: OnceCell<Vec<Folded>>,
}

#[derive(Clone, Copy)]
struct Folded {
    unit: u16,
    canonical: u16,
}

impl CaseFolding {
    /// Returns every unit that matches a unit of the set when case is ignored.
    pub(super) fn close(&self, set: &UnitSet) -> UnitSet {
        let ascii = (b'a'..=b'z').map(|letter| Folded {
            unit: letter.into(),
            canonical: letter.to_ascii_uppercase().into(),
        });
        let beyond: &[Folded] = if set.is_ascii() {
            &[]
        } else {
            self.beyond_ascii.get_or_init(|| (0x80..=u16::MAX).filter_map(Folded::new).collect())
        };
        let folded = || ascii.clone().chain(beyond.iter().copied());

        let mut closed = set.clone();
        for fold in folded().filter(|fold| set.contains(fold.unit)) {
            closed.push(fold.canonical, fold.canonical);
        }
        let canonical = closed.clone();
        for fold in folded().filter(|fold| canonical.contains(fold.canonical)) {
            closed.push(fold.unit, fold.unit);
        }
        closed
    }
}

/// Returns one unit for all units that match this one when case is ignored.
pub(super) fn canonicalize(unit: u16) -> u16 {
    match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => byte.to_ascii_uppercase().into(),
        _ => Folded::new(unit).map_or(unit, |folded| folded.canonical),
    }
}

impl Folded {
    /// `None` for a unit that is its own canonical form.
    fn new(unit: u16) -> Option<Self> {
        if is_surrogate(unit) {
            return None;
        }
        let mut upper = char::from_u32(unit.into())?.to_uppercase();
        let (Some(single), None) = (upper.next(), upper.next()) else {
            return None;
        };
        let canonical = u16::try_from(u32::from(single)).ok()?;
        // A unit beyond ASCII never folds into ASCII.
        (canonical != unit && canonical >= 0x80).then_some(Folded { unit, canonical })
    }
}
