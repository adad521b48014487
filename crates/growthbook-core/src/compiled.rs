//! A definition with the text that it was compiled from.

use alloc::{boxed::Box, sync::Arc};

use crate::memory::Memory;
use crate::warning::Warning;

/// A definition, the text of its entry, and the warnings about it. The next snapshot shares it
/// when the text is the same.
#[derive(Debug)]
pub(crate) struct Compiled<T> {
    pub(crate) definition: T,
    pub(crate) text: Arc<str>,
    pub(crate) warnings: Box<[Warning]>,
    /// The memory that it was estimated to take.
    pub(crate) memory: Memory,
}
