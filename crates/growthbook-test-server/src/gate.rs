//! A gate that holds replies back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Holds replies back until the test opens it. Clones are the same gate.
///
/// A test uses it instead of a delay: while a reply is held, the client waits, however fast or
/// slow the machine is.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Creates a closed gate.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Releases the held replies, and lets later ones pass.
    pub fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
