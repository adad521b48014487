//! A document on its way to the clients.

use growthbook_core::{CachedPayload, PayloadSource};

/// A document, with what the source knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) payload: CachedPayload,
    pub(crate) source: PayloadSource,
    /// Documents that came later to the source have larger ones; `None` for one from a cache.
    pub(crate) sequence: Option<u64>,
}
