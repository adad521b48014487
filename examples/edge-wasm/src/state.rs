//! The objects that JavaScript has handles of, and the texts that are passed.

use std::cell::RefCell;
use std::fmt::Display;

use growthbook_core::{Evaluator, FeatureKey, Snapshot};

use crate::context::Context;
use crate::handles::Handles;

/// Everything that the module keeps between calls.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) snapshots: Handles<Snapshot>,
    pub(crate) contexts: Handles<Context>,
    pub(crate) keys: Handles<FeatureKey>,
    input: Vec<u8>,
    pub(crate) output: String,
}

thread_local! {
    // The module has one thread.
    static STATE: RefCell<State> = RefCell::default();
}

/// Calls the closure with the state. No closure calls this function again.
pub(crate) fn with_state<T>(use_state: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(use_state)
}

impl State {
    /// Makes room for an input, and returns where it begins.
    pub(crate) fn input(&mut self, length: usize) -> *mut u8 {
        self.input.clear();
        self.input.resize(length, 0);
        self.input.as_mut_ptr()
    }

    /// Returns the input, and forgets it. JavaScript writes UTF-8 only.
    pub(crate) fn take_input(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.input)).unwrap_or_default()
    }

    /// Writes the error.
    pub(crate) fn or_error<T, E: Display>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.output = error.to_string()).ok()
    }

    /// Evaluates for a context on a snapshot. `None` if a handle is not valid.
    pub(crate) fn evaluate<T>(
        &self,
        snapshot: usize,
        context: usize,
        ask: impl FnOnce(&Evaluator<'_>) -> T,
    ) -> Option<T> {
        let (snapshot, context) = (self.snapshots.get(snapshot)?, self.contexts.get(context)?);
        Some(ask(&snapshot.for_user_with(&context.globals, &context.user)))
    }
}
