//! The budget of one evaluation: the steps that it may still take.

use core::cell::Cell;

use crate::limits::MAX_EVALUATION_STEPS;

/// A text of up to this many bytes is read within the step of its test.
pub(crate) const SHORT_TEXT: usize = 64;
/// How many bytes of a longer text are read in one step.
const BYTES_PER_STEP: usize = 16;
/// How many members of an object, or ranges, are compared in one step.
pub(crate) const ITEMS_PER_STEP: usize = 8;

/// The steps that one evaluation may still take. All its loops share it, since a payload can have
/// many rules, and many conditions on one long attribute.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
}

impl Default for Budget {
    #[inline]
    fn default() -> Self {
        Budget { left: Cell::new(MAX_EVALUATION_STEPS) }
    }
}

impl Budget {
    /// Takes steps off the budget. False if the rest is not enough.
    #[inline]
    pub(crate) fn take(&self, steps: usize) -> bool {
        match self.left.get().checked_sub(steps) {
            Some(left) => {
                self.left.set(left);
                true
            }
            None => false,
        }
    }

    /// Takes steps for work that is done already: as many as there are.
    pub(crate) fn spend(&self, steps: usize) {
        self.left.set(self.left.get().saturating_sub(steps));
    }

    /// Returns steps that were taken for work that turned out not to be needed. This is rare, and
    /// out of line to keep its callers small.
    #[inline(never)]
    pub(crate) fn give_back(&self, steps: usize) {
        self.left.set(self.left.get() + steps);
    }

    /// Takes the steps to read a text of this length. A short text is free.
    #[inline]
    pub(crate) fn take_text(&self, length: usize) -> bool {
        length <= SHORT_TEXT || self.take(text_steps(length))
    }

    /// Returns the number of steps that are left.
    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    /// Returns the number of steps that were taken.
    pub(crate) fn spent(&self) -> usize {
        MAX_EVALUATION_STEPS.saturating_sub(self.left.get())
    }
}

/// Returns the number of steps to read a text of this length.
#[inline]
pub(crate) fn text_steps(length: usize) -> usize {
    length / BYTES_PER_STEP
}
