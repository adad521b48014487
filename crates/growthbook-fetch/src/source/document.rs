//! A document on its way to the clients.

use growthbook_core::PayloadSource;
use growthbook_core::cache::CachedPayload;

/// A document, with what the source knows about it.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) payload: CachedPayload,
    pub(crate) source: PayloadSource,
    /// Grows with each document the source asks for. `None` for a document from a cache.
    pub(crate) sequence: Option<u64>,
}
