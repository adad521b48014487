//! The memory that a definition takes, as estimated when it is compiled.

use core::ops::AddAssign;

/// The memory of a definition, or of all definitions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// The memory of the compiled definition.
    pub(crate) definition: usize,
    /// The memory of its values in the form for callers, which they take when they are used.
    pub(crate) values: usize,
}

impl AddAssign for Memory {
    fn add_assign(&mut self, other: Self) {
        self.definition = self.definition.saturating_add(other.definition);
        self.values = self.values.saturating_add(other.values);
    }
}

impl Memory {
    pub(crate) fn of_definition(definition: usize) -> Self {
        Memory { definition, values: 0 }
    }

    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        Some(Memory {
            definition: self.definition.checked_sub(other.definition)?,
            values: self.values.checked_sub(other.values)?,
        })
    }
}
